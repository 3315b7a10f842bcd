const MARK = "o_stage_required";

/**
 * Mark the fields of a form that the stage requires, and their labels. They stay marked until the next call.
 *
 * @param {HTMLElement | null} el an element inside of the form
 * @param {string[]} names of fields
 */
export function markFields(el, names) {
    const form = el?.closest(".o_form_view");
    if (!form) {
        return;
    }
    for (const marked of form.querySelectorAll(`.${MARK}`)) {
        marked.classList.remove(MARK);
    }
    for (const name of names) {
        for (const field of form.querySelectorAll(`.o_field_widget[name="${name}"]`)) {
            field.classList.add(MARK);
            const id = field.querySelector("[id]")?.id;
            form.querySelector(`label[for="${id}"]`)?.classList.add(MARK);
        }
    }
}

/** Name of the page of a notebook that shows a field, or undefined. */
function findPage(arch, name) {
    return arch?.querySelector(`page field[name="${name}"]`)?.closest("page").getAttribute("name");
}

/** Let the browser render the page that was opened by a click. */
function nextRendering() {
    return new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve)));
}

/**
 * Show a field of a form and put the cursor into it. Open the page of the notebook first that it is on.
 *
 * @param {HTMLElement} el an element inside of the form
 * @param {Element} arch the form's arch
 * @param {string} name of the field
 */
export async function revealField(el, arch, name) {
    const form = el.closest(".o_form_view");
    const find = () => form.querySelector(`.o_field_widget[name="${name}"]`);
    if (!find()) {
        form.querySelector(`.o_notebook_headers a[name="${findPage(arch, name)}"]`)?.click();
        await nextRendering();
    }
    const field = find();
    field?.scrollIntoView({ block: "center" });
    field?.querySelector("input, textarea, [contenteditable=true], .o_field_x2many_list_row_add a, button")?.focus();
}

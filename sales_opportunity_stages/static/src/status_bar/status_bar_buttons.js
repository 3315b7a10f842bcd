import { patch } from "@web/core/utils/patch";
import { FormCompiler } from "@web/views/form/form_compiler";
import { StatusBarButtons } from "@web/views/form/status_bar_buttons/status_bar_buttons";

const SECONDARY = "o_header_secondary";

/**
 * Buttons of a form's header with the class `o_header_secondary` are behind one button, as Odoo does on a phone with all
 * but the first. Forms without such a button are as they were.
 */
patch(FormCompiler.prototype, {
    /** @override */
    compileHeader() {
        const header = super.compileHeader(...arguments);
        for (const slot of header.querySelectorAll("StatusBarButtons > t")) {
            const className = slot.firstElementChild?.getAttribute("className") || "";
            if (className.includes(SECONDARY)) {
                slot.setAttribute("isSecondary", "true");
            }
        }
        return header;
    },
});

patch(StatusBarButtons.prototype, {
    /** The buttons that are shown; a single secondary one is not worth a menu. */
    get primarySlotNames() {
        const secondary = this.secondarySlotNames;
        return this.visibleSlotNames.filter((name) => !secondary.includes(name));
    },

    get secondarySlotNames() {
        const names = this.visibleSlotNames.filter((name) => this.props.slots[name].isSecondary);
        return names.length > 1 ? names : [];
    },
});

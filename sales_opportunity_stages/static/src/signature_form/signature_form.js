import { patch } from "@web/core/utils/patch";
import { SignatureForm } from "@portal/signature_form/signature_form";

/** Let a customer sign again after an error: Odoo leaves the button disabled, with its wheel turning. */
patch(SignatureForm.prototype, {
    async onClickSubmit() {
        const button = document.querySelector(".o_portal_sign_submit");
        const { className } = button;
        const content = [...button.childNodes];
        try {
            return await super.onClickSubmit();
        } finally {
            if (button.isConnected) {
                button.className = className;
                button.disabled = false;
                button.replaceChildren(...content);
            }
        }
    },
});

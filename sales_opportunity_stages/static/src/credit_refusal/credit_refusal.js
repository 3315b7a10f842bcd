import { RedirectWarningDialog } from "@web/core/errors/error_dialogs";
import { registry } from "@web/core/registry";

/**
 * A refusal of the credit check, which offers to request credit.
 *
 * The quotation behind it is read again afterwards: it is on hold now, and credit may be requested.
 */
export class CreditRefusalDialog extends RedirectWarningDialog {
    async onClick() {
        const reload = () => this.actionService.doAction({ type: "ir.actions.client", tag: "soft_reload" });
        this.props.close();
        await this.actionService.doAction(this.actionId, {
            additionalContext: this.additionalContext,
            onClose: reload,
        });
    }
}

registry
    .category("error_dialogs")
    .add("odoo.addons.sales_opportunity_stages.tools.credit_refusal.CreditRefusal", CreditRefusalDialog);

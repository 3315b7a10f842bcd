import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { FileInput } from "@web/core/file_input/file_input";
import { useAutofocus } from "@web/core/utils/hooks";
import { _t } from "@web/core/l10n/translation";

/** Ask for a text, and for documents, before a rule of the checklist is met. */
export class RuleDialog extends Component {
    static template = "sales_opportunity_stages.RuleDialog";
    static components = { Dialog, FileInput };
    static props = {
        close: Function,
        title: String,
        label: String,
        confirmLabel: { type: String, optional: true },
        isTextRequired: { type: Boolean, optional: true },
        isDocumentRequired: { type: Boolean, optional: true },
        confirm: Function,
    };
    static defaultProps = { confirmLabel: _t("Mark Done") };

    setup() {
        this.state = useState({ text: "", files: [], isBusy: false });
        useAutofocus();
    }

    get isIncomplete() {
        const { isTextRequired, isDocumentRequired } = this.props;
        const { text, files, isBusy } = this.state;
        return isBusy || (isTextRequired && !text.trim()) || (isDocumentRequired && !files.length);
    }

    onUpload(files) {
        this.state.files.push(...files.filter((file) => !file.error));
    }

    async onConfirm() {
        this.state.isBusy = true;
        try {
            await this.props.confirm(
                this.state.text.trim(),
                this.state.files.map((file) => file.id)
            );
            this.props.close();
        } finally {
            this.state.isBusy = false;
        }
    }
}

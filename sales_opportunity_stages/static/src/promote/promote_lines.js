import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { Record } from "@web/model/record";
import { useBus, useService } from "@web/core/utils/hooks";
import { DateTimeField } from "@web/views/fields/datetime/datetime_field";
import { Field } from "@web/views/fields/field";
import { Many2ManyBinaryField } from "@web/views/fields/many2many_binary/many2many_binary_field";
import { TextField } from "@web/views/fields/text/text_field";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const ICONS = {
    action: "fa-clock-o",
    condition: "fa-sliders",
    field: "fa-pencil",
    document: "fa-paperclip",
    signoff: "fa-certificate",
};
const WIDGETS = { many2many: "many2many_tags", text: "text" };
const TAG = { name: "display_name", type: "char", readonly: true };

/**
 * The missing rules of the promotion dialog, by stage: fields as inputs of the opportunity itself, actions to mark done
 * or to schedule, documents to attach, sign-offs to give or to request, conditions with a link to where they are met.
 */
export class PromoteLines extends Component {
    static template = "sales_opportunity_stages.PromoteLines";
    static components = { DateTimeField, Field, Many2ManyBinaryField, Record, TextField };
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
        this.leadRecord = null;
        this.leadHooks = { onRootLoaded: (record) => (this.leadRecord = record) };
        // what is typed into the opportunity's fields is part of the dialog before that is saved
        useBus(this.props.record.model.bus, "NEED_LOCAL_CHANGES", (ev) => ev.detail.proms.push(this.takeFieldValues()));
        this.leadFields = this.findLeadFields();
    }

    get lines() {
        return this.props.record.data[this.props.name].records.filter((line) => line.data.info);
    }

    /** The lines by the stage that asks for them, in order. */
    get stages() {
        const stages = new Map();
        for (const line of this.lines) {
            const { stage } = line.data.info;
            stages.set(stage, [...(stages.get(stage) || []), line]);
        }
        return [...stages.entries()].map(([name, lines]) => ({ name, lines }));
    }

    get leadId() {
        return this.props.record.data.lead_id?.id;
    }

    /** The fields of the opportunity that the dialog loads: those to fill in and what they depend on. */
    findLeadFields() {
        const names = new Set();
        for (const { data } of this.lines) {
            if (data.info.is_input) {
                names.add(data.info.field);
                data.info.needed_fields.forEach((name) => names.add(name));
            }
        }
        return [...names];
    }

    get activeFields() {
        const related = { fields: { display_name: TAG }, activeFields: { display_name: {} } };
        return Object.fromEntries(this.leadFields.map((name) => [name, { related }]));
    }

    /** One field is asked for once, though two rules name it. */
    isInput(line) {
        const { info } = line.data;
        return (
            info.is_input && this.lines.find((other) => other.data.info.field === info.field) === line && this.leadId
        );
    }

    widgetOf(leadRecord, name) {
        return WIDGETS[leadRecord.fields[name].type];
    }

    async takeFieldValues() {
        const values = await this.leadRecord?.getChanges();
        if (values && Object.keys(values).length) {
            await this.props.record.update({ field_values: values });
        }
    }

    icon(line) {
        return ICONS[line.data.kind];
    }

    needsDocument(line) {
        return line.data.info.evidence === "attachment" || line.data.info.is_upload;
    }

    feedbackPlaceholder(line) {
        return line.data.info.evidence === "feedback" ? _t("Feedback (required)") : _t("Feedback");
    }

    documentHint({ data: { info } }) {
        if (info.document_name) {
            return _t("The name of the file contains “%s”.", info.document_name);
        }
        return "";
    }

    signersText({ data: { info } }) {
        return info.is_requested ? _t("Requested from %s", info.signers) : info.signers;
    }

    /** A second click on the same button takes the choice back. */
    async choose(line, resolution) {
        await line.update({ resolution: line.data.resolution === resolution ? false : resolution });
    }

    isChosen(line, resolution) {
        return line.data.resolution === resolution;
    }

    buttonClass(line, resolution) {
        return this.isChosen(line, resolution) ? "btn-primary active" : "btn-secondary";
    }

    targetText({ data: { info } }) {
        return info.target.method ? info.target.label : _t("Go to %s", info.target.label);
    }

    async goTo({ data: { info } }) {
        if (info.target.method) {
            return this.action.doActionButton({
                type: "object",
                name: info.target.method,
                resId: this.leadId,
                resModel: "crm.lead",
            });
        }
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "crm.lead",
            res_id: this.leadId,
            views: [[false, "form"]],
        });
    }
}

registry.category("fields").add("promote_lines", {
    component: PromoteLines,
    displayName: _t("Missing Rules"),
    supportedTypes: ["one2many"],
    useSubView: true,
});

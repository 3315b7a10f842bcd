import { Component, useEffect, useRef } from "@odoo/owl";
import { FileInput } from "@web/core/file_input/file_input";
import { _t } from "@web/core/l10n/translation";
import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { formatList } from "@web/core/l10n/utils";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { markFields } from "./mark_fields";
import { revealField } from "./reveal_field";
import { RuleDialog } from "./rule_dialog";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * What the stage of an opportunity asks for: each rule with its state, who did it and when, and what to do next:
 * schedule an action, mark it done, or go to where a condition is met.
 */
export class StageChecklist extends Component {
    static template = "sales_opportunity_stages.StageChecklist";
    static components = { FileInput };
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.orm = useService("orm");
        this.root = useRef("root");
        useEffect(() => markFields(this.root.el, this.missingFields));
    }

    /** The fields of the form that a required rule of the stage still asks for. */
    get missingFields() {
        return this.items
            .filter((item) => item.required && item.state !== "done" && item.field)
            .map((item) => item.field);
    }

    get checklist() {
        return this.props.record.data[this.props.name];
    }

    get items() {
        return this.checklist?.items || [];
    }

    get requiredCount() {
        return this.items.filter((item) => item.required).length;
    }

    get doneCount() {
        return this.items.filter((item) => item.required && item.state === "done").length;
    }

    get title() {
        return _t("To do in %s", this.checklist.stage);
    }

    /** What keeps it from the next stage, or that nothing does. */
    get outlook() {
        const { can_promote, missing, next_stage: stage } = this.checklist;
        if (!stage || (!can_promote && !missing.length)) {
            return "";
        }
        return can_promote
            ? _t("Ready for %s", stage)
            : _t("Still missing for %(stage)s: %(rules)s", { stage, rules: formatList(missing) });
    }

    get unsavedText() {
        return _t("Save to see what %s requires.", this.checklist.unsaved_stage);
    }

    stateIcon(item) {
        return {
            done: "fa-check-circle text-success",
            scheduled: "fa-clock-o text-warning",
            todo: item.required ? "fa-circle-o text-danger" : "fa-circle-o text-muted",
        }[item.state];
    }

    stateLabel(item) {
        return { done: _t("Done"), scheduled: _t("Scheduled"), todo: _t("To do") }[item.state];
    }

    details(item) {
        const date = item.date ? formatDate(deserializeDate(item.date)) : "";
        return [item.user, date, item.comment].filter(Boolean).join(" · ");
    }

    canSchedule(item) {
        return item.kind === "action" && item.state !== "scheduled" && this.checklist.is_open;
    }

    canMarkDone(item) {
        return (
            item.kind === "action" &&
            item.state !== "done" &&
            (!item.is_upload || item.state !== "scheduled") &&
            this.checklist.is_open
        );
    }

    canAttach(item) {
        return item.kind === "document" && item.state !== "done" && this.checklist.is_open;
    }

    canSign(item) {
        return item.kind === "signoff" && item.can_sign && this.checklist.is_open;
    }

    canRequest(item) {
        return item.kind === "signoff" && item.state === "todo" && !item.can_sign && this.checklist.is_open;
    }

    /** Where a condition is met: in the form itself, if the field is there, or by a button of the form. */
    targetOf(item) {
        const { target } = item;
        const isThere = target && (target.method || target.field in this.props.record.activeFields);
        return isThere && this.checklist.is_open ? target : false;
    }

    targetTitle({ field, label }) {
        return field ? _t("Go to %s", label) : label;
    }

    async reload() {
        await this.props.record.load();
    }

    /** Saves first: an unsaved stage or type would have another checklist. */
    async schedule(item) {
        if (!(await this.props.record.save())) {
            return;
        }
        await this.action.doAction(
            {
                type: "ir.actions.act_window",
                name: _t("Schedule Activity"),
                res_model: "mail.activity.schedule",
                views: [[false, "form"]],
                target: "new",
                context: {
                    active_id: this.props.record.resId,
                    active_ids: [this.props.record.resId],
                    active_model: this.props.record.resModel,
                    default_activity_type_id: item.activity_type_id,
                },
            },
            { onClose: () => this.reload() }
        );
    }

    /** One click. Where the rule requires evidence, a dialog asks for it first. */
    async markDone(item) {
        if (!(await this.props.record.save())) {
            return;
        }
        const isDocumentRequired = item.evidence === "attachment" || item.is_upload;
        const isTextRequired = item.evidence === "feedback";
        if (!isDocumentRequired && !isTextRequired) {
            return this.complete(item);
        }
        this.dialog.add(RuleDialog, {
            title: item.label,
            label: _t("Feedback"),
            isTextRequired,
            isDocumentRequired: Boolean(isDocumentRequired),
            confirm: (feedback, attachmentIds) => this.complete(item, feedback, attachmentIds),
        });
    }

    async complete(item, feedback = "", attachmentIds = []) {
        const { resId } = this.props.record;
        try {
            if (item.activity_id && !feedback && !attachmentIds.length) {
                await this.orm.call("mail.activity", "action_feedback", [[item.activity_id]]);
            } else {
                await this.orm.call("crm.lead", "action_complete_rule", [[resId], item.id], {
                    feedback,
                    attachment_ids: attachmentIds,
                });
            }
        } finally {
            await this.reload();
        }
    }

    /** Uploaded documents get the tag of the rule. */
    async onAttached(item, files) {
        const ids = files.filter((file) => !file.error).map((file) => file.id);
        if (item.document_tag && ids.length) {
            await this.orm.write("ir.attachment", ids, { description: item.document_tag });
        }
        await this.reload();
    }

    signOff(item) {
        this.dialog.add(RuleDialog, {
            title: item.label,
            label: _t("Comment"),
            confirmLabel: _t("Sign Off"),
            isTextRequired: true,
            confirm: async (comment) => {
                await this.orm.call("crm.lead", "action_sign_off", [[this.props.record.resId], item.id, comment]);
                await this.reload();
            },
        });
    }

    async requestSignOff(item) {
        if (await this.props.record.save()) {
            await this.orm.call("crm.lead", "action_request_signoff", [[this.props.record.resId], item.id]);
            await this.reload();
        }
    }

    async goTo({ field, method }) {
        if (field) {
            await revealField(this.root.el, this.env.config.viewArch, field);
        } else if (await this.props.record.save()) {
            const { resId, resModel } = this.props.record;
            this.action.doActionButton({
                type: "object",
                name: method,
                resId,
                resModel,
                onClose: () => this.reload(),
            });
        }
    }

    async open(item) {
        await this.action.doAction(
            {
                type: "ir.actions.act_window",
                name: item.label,
                res_model: "mail.activity",
                res_id: item.activity_id,
                views: [[false, "form"]],
                target: "new",
            },
            { onClose: () => this.reload() }
        );
    }
}

export const stageChecklist = {
    component: StageChecklist,
    displayName: _t("Stage Checklist"),
    supportedTypes: ["json"],
};

registry.category("fields").add("stage_checklist", stageChecklist);

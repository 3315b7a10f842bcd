import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const openPipeline = [
    stepUtils.showAppsMenuItem(),
    { trigger: ".o_app[data-menu-xmlid='crm.crm_menu_root']", run: "click" },
    { trigger: "[data-menu-xmlid='crm.crm_menu_sales']", run: "click" },
    { trigger: "[data-menu-xmlid='sales_opportunity_stages.crm_opportunity_type_menu_pipelines']", run: "click" },
    { trigger: ".o_kanban_record:contains(Plant)", run: "click" },
    { trigger: ".o_kanban_group:eq(4):contains(Done Deal)" },
];

const markDone = (label) => ({
    trigger: `.modal .o_promote_line[data-rule='${label}'] .o_promote_done`,
    run: "click",
});

registry.category("web_tour.tours").add("sales_opportunity_stages_drop", {
    steps: () => [
        ...openPipeline,
        {
            content: "drop a card two stages on",
            trigger: ".o_kanban_record:contains(Tour Opportunity)",
            run: "drag_and_drop (.o_opportunity_kanban .o_kanban_group:has(.o_column_title:contains(Solution)))",
        },
        { trigger: ".modal:contains(Move from Contact to Solution) .o_promote_stage:contains(Contact)" },
        markDone("Call A"),
        { content: "not everything is given", trigger: ".modal button[name=action_promote]", run: "click" },
        { trigger: ".modal:contains(Still to do — Needs: Visit A)" },
        { trigger: ".o_error_dialog .btn-primary, .o_error_dialog .btn-close", run: "click" },
        markDone("Visit A"),
        markDone("Signature A"),
        {
            trigger: ".modal .o_promote_line[data-rule='Revenue set'] .o_field_widget[name=expected_revenue] input",
            run: "edit 700 && press Tab",
        },
        { trigger: ".modal button[name=action_promote]", run: "click" },
        {
            trigger:
                "body:not(:has(.modal)) .o_kanban_group:has(.o_column_title:contains(Solution)) .o_kanban_record:contains(Tour Opportunity)",
        },
    ],
});

registry.category("web_tour.tours").add("sales_opportunity_stages_signoff", {
    steps: () => [
        {
            content: "request a sign-off from the checklist",
            trigger: ".o_stage_checklist_item[data-rule='Scope confirmed'] .o_stage_checklist_request",
            run: "click",
        },
        { trigger: ".o_stage_checklist_item[data-rule='Scope confirmed'][data-state=scheduled]" },
    ],
});

registry.category("web_tour.tours").add("sales_opportunity_stages_signoff_given", {
    steps: () => [
        {
            trigger: ".o_stage_checklist_item[data-rule='Scope confirmed'] .o_stage_checklist_sign",
            run: "click",
        },
        { trigger: ".modal .btn-primary:disabled" },
        { trigger: ".modal .o_rule_dialog_text", run: "edit Checked with the customer" },
        { trigger: ".modal .btn-primary:not(:disabled)", run: "click" },
        {
            trigger:
                "body:not(:has(.modal)) .o_stage_checklist_item[data-rule='Scope confirmed'][data-state=done]:contains(Checked with the customer)",
        },
    ],
});

registry.category("web_tour.tours").add("sales_opportunity_stages_snooze", {
    steps: () => [
        { trigger: "button:contains(Snooze)", run: "click" },
        { trigger: ".modal .o_field_widget[name=snooze_until] input", run: "edit 01/01/2999" },
        { trigger: ".modal .o_field_widget[name=reason] input", run: "edit They decide in April" },
        { trigger: ".modal button[name=action_snooze]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_form_view:contains(Snoozed until):contains(They decide in April)" },
    ],
});

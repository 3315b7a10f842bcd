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
        { trigger: ".modal:contains(From Contact to Solution) .o_promote_stage:contains(Contact)" },
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

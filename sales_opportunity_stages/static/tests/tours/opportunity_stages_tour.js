import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const openCrm = [
    stepUtils.showAppsMenuItem(),
    { trigger: ".o_app[data-menu-xmlid='crm.crm_menu_root']", run: "click" },
];

registry.category("web_tour.tours").add("sales_opportunity_stages_promote", {
    steps: () => [
        ...openCrm,
        { trigger: "[data-menu-xmlid='crm.crm_menu_sales']", run: "click" },
        {
            trigger: "[data-menu-xmlid='sales_opportunity_stages.crm_opportunity_type_menu_pipelines']",
            run: "click",
        },
        { trigger: ".o_kanban_record:contains(Plant)", run: "click" },
        {
            content: "the pipeline shows the columns of this type, empty ones too, and no others",
            trigger: ".o_kanban_group:eq(4):contains(Done Deal)",
        },
        { trigger: ".o_kanban_renderer:not(:contains(Asked))" },
        {
            content: "the card shows progress",
            trigger: ".o_kanban_record:contains(Tour Opportunity) .o_stage_progress:contains(0/1)",
        },
        { content: "quick create", trigger: ".o_kanban_group:first .o_kanban_quick_add", run: "click" },
        { trigger: ".o_kanban_quick_create .o_field_widget[name=name] input", run: "edit Quick one" },
        { trigger: ".o_kanban_quick_create .o_kanban_add", run: "click" },
        { trigger: ".o_kanban_group:first .o_kanban_record:contains(Quick one)" },
        { trigger: ".o_kanban_quick_create .o_kanban_cancel", run: "click" },
        {
            content: "dragging forward asks for what is missing",
            trigger: ".o_kanban_renderer:not(:has(.o_kanban_quick_create)) .o_kanban_record:contains(Tour Opportunity)",
            run: "drag_and_drop (.o_opportunity_kanban .o_kanban_group:has(.o_column_title:contains(Solution)))",
        },
        {
            trigger: ".modal:contains(from Contact to Solution):contains(Still to do)",
        },
        { trigger: ".modal .o_form_button_cancel", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_kanban_group:first .o_kanban_record:contains(Tour Opportunity)", run: "click" },
        { trigger: ".o_stage_checklist:contains(Still missing for Needs):contains(Call A)" },
        { content: "the button asks too", trigger: "button[name=action_promote]", run: "click" },
        { trigger: ".modal:contains(Still to do)" },
        { trigger: ".modal .o_form_button_cancel", run: "click" },
        {
            content: "schedule from the checklist",
            trigger: "body:not(:has(.modal)) .o_stage_checklist_item[data-rule='Call A'] button:contains(Schedule)",
            run: "click",
        },
        {
            content: "only the allowed actions are offered",
            trigger: ".modal .o_field_widget[name=activity_type_id]:contains(Call A):contains(Email A):not(:contains(Visit A))",
        },
        { trigger: ".modal button[name=action_schedule_activities]", run: "click" },
        {
            content: "the checklist shows what is planned; open it",
            trigger: ".o_stage_checklist_item[data-rule='Call A'][data-state=scheduled] button:contains(View)",
            run: "click",
        },
        { content: "done", trigger: ".modal button[name=action_done]", run: "click" },
        {
            content: "promoted by itself",
            trigger: ".o_stage_checklist:contains(To do in Needs)",
        },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Needs)" },
    ],
});

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");

function openMenu(content, ...xmlids) {
    return xmlids.map((xmlid, index) => ({
        trigger: `[data-menu-xmlid='${xmlid}']`,
        content,
        tooltipPosition: index ? "right" : "bottom", // below an entry of a list is the next one
        run: "click",
    }));
}

function openApp(xmlid, content) {
    return [
        // Odoo's step is for automatic runs alone: a person would look for a pointer in vain
        {
            ...stepUtils.showAppsMenuItem(),
            isActive: ["community", "desktop"],
            content: _t("The applications are behind this button."),
        },
        { trigger: `.o_app[data-menu-xmlid='${xmlid}']`, content, tooltipPosition: "right", run: "click" },
    ];
}

tours.add("sales_opportunity_stages_salesperson_onboarding", {
    url: "/odoo",
    steps: () => [
        ...openApp("crm.crm_menu_root", _t("Let's see how a sale is worked on, stage by stage.")),
        ...openMenu(
            _t("Each type of sale has a pipeline of its own."),
            "crm.crm_menu_sales",
            "sales_opportunity_stages.crm_opportunity_type_menu_pipelines"
        ),
        {
            trigger: ".o_opportunity_type_kanban .o_kanban_record:not(.o_kanban_ghost):last",
            content: _t("Open a type. Its stages are the columns."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_opportunity_kanban .o_kanban_group:first .o_kanban_quick_add",
            content: _t("An opportunity starts in the first stage. Enter one."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_kanban_quick_create .o_field_widget[name=name] input",
            content: _t("What is it about?"),
            run: "edit My first opportunity",
        },
        {
            trigger: ".o_kanban_quick_create .o_kanban_add",
            content: _t("Click Add."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_opportunity_kanban .o_kanban_group:first .o_kanban_record",
            content: _t("Open it."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_stage_checklist_item[data-state=todo] button.o_stage_checklist_schedule",
            content: _t("The checklist shows what the stage asks for. A star means required. Click Schedule."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_schedule_activities]",
            content: _t("Only the actions of this stage are offered. Click Save."),
            run: "click",
        },
        {
            trigger: ".o_stage_checklist_item[data-state=scheduled]",
            content: _t("The opportunity can move on when everything required is done: automatically or with Promote."),
            tooltipPosition: "top",
            run: "click",
        },
    ],
});

tours.add("sales_opportunity_stages_manager_onboarding", {
    url: "/odoo",
    steps: () => [
        ...openApp("crm.crm_menu_root", _t("Let's set up how your department sells.")),
        ...openMenu(
            _t("Types of sale, their stages and the rules."),
            "crm.crm_menu_config",
            "sales_opportunity_stages.crm_opportunity_type_menu"
        ),
        {
            trigger: ".o_list_view .o_data_row:last .o_data_cell[name=name]",
            content: _t("Open a type. With New you create your own later."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=stage_ids] .o_data_row:first .o_data_cell[name=name]",
            content: _t("The stages in their order, with their rules. A star means required. Open a stage to see its rules."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: ".modal .o_form_button_save",
            content: _t("Rules are edited here, row by row. Click Save to go back to the type."),
            tooltipPosition: "bottom",
            run: "click",
        },
        ...openMenu(
            _t("The reports show the result."),
            "crm.crm_menu_report",
            "sales_opportunity_stages.crm_funnel_report_menu"
        ),
        {
            trigger: ".o_opportunity_funnel_compare",
            content: _t("The funnel: compare salespeople, teams or periods."),
            tooltipPosition: "bottom",
            run: "click",
        },
    ],
});

tours.add("sales_opportunity_stages_administrator_onboarding", {
    url: "/odoo",
    steps: () => [
        ...openApp("crm.crm_menu_root", _t("Let's see what can be set up.")),
        ...openMenu(_t("The settings are here."), "crm.crm_menu_config", "crm.crm_config_settings_menu"),
        {
            trigger: "#opportunity_types",
            content: _t("Types, stages, rules, teams and competitors are set up from here."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: "#opportunity_control button:first",
            content: _t("Approval and credit are set up in the settings of Sales. Click Sales Settings."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: "#quotation_approval",
            content: _t("Which quotations must be approved, from which total, and by whom."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: "#credit_policy",
            content: _t("What happens when an order exceeds the credit limit. Approvers and credit managers are set in the form of each user."),
            tooltipPosition: "top",
            run: "click",
        },
    ],
});

tours.add("sales_opportunity_stages_credit_onboarding", {
    url: "/odoo",
    steps: () => [
        ...openApp("sale.sale_menu_root", _t("Let's see how much credit customers use and how much is available.")),
        ...openMenu(
            _t("Credit has its own menu."),
            "sales_opportunity_stages.sale_credit_menu",
            "sales_opportunity_stages.res_partner_menu_credit"
        ),
        {
            trigger: ".o_list_view th[data-name=credit_available]",
            content: _t("Customers with a limit or a term. Open one to change its limit on the Credit tab."),
            tooltipPosition: "bottom",
            run: "click",
        },
        ...openMenu(
            _t("Every credit decision is logged."),
            "sales_opportunity_stages.sale_credit_menu",
            "sales_opportunity_stages.sale_credit_check_menu"
        ),
        {
            trigger: ".o_searchview_facet .o_facet_remove",
            content: _t("These orders were blocked this week. Remove a filter to see more."),
            tooltipPosition: "bottom",
            run: "click",
        },
    ],
});

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
            content: _t("Open a type: its stages, and no others, are the columns."),
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
            content: _t("Add it."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_opportunity_kanban .o_kanban_group:first .o_kanban_record",
            content: _t("Go on in its form."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_stage_checklist_item[data-state=todo] button.o_stage_checklist_schedule",
            content: _t("The checklist says what the stage asks for. What is required has a star. Schedule an action."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_schedule_activities]",
            content: _t("Only what the stage allows is offered. Plan it."),
            run: "click",
        },
        {
            trigger: ".o_stage_checklist_item[data-state=scheduled]",
            content: _t("Once all that is required is done, the opportunity may move on: by itself, or by Promote."),
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
            content: _t("Open a type, or make one of your own later."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=stage_ids] .o_data_row:first .o_data_cell[name=name]",
            content: _t("The stages in their order, with the actions that may be scheduled there and the conditions. What has a star is required of everybody. Open one to see its rules, and close it again."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: ".modal .o_form_button_save, .modal .o_form_button_cancel, .modal .btn-close",
            content: _t("Back to the type."),
            tooltipPosition: "bottom",
            run: "click",
        },
        ...openMenu(
            _t("And here is what comes of it."),
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
            content: _t("Whatever types, stages, rules, teams and competitors need is linked from here."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: "#opportunity_control button:first",
            content: _t("Approval and credit are set up in the settings of Sales. Go there."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: "#quotation_approval",
            content: _t("From which total a quotation has to be approved, and whether by somebody else."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: "#credit_policy",
            content: _t("What an order meets that goes over the credit of its customer. Who approves and who keeps the credit is set in the form of each user."),
            tooltipPosition: "top",
            run: "click",
        },
    ],
});

tours.add("sales_opportunity_stages_credit_onboarding", {
    url: "/odoo",
    steps: () => [
        ...openApp("sale.sale_menu_root", _t("Let's see who owes what, and who may order more.")),
        ...openMenu(
            _t("All about credit is here."),
            "sales_opportunity_stages.sale_credit_menu",
            "sales_opportunity_stages.res_partner_menu_credit"
        ),
        {
            trigger: ".o_list_view th[data-name=credit_available]",
            content: _t("Customers with a limit or a term, what they use of it, and who shares it. Give a customer a limit in its form, under Credit."),
            tooltipPosition: "bottom",
            run: "click",
        },
        ...openMenu(
            _t("Every decision is kept."),
            "sales_opportunity_stages.sale_credit_menu",
            "sales_opportunity_stages.sale_credit_check_menu"
        ),
        {
            trigger: ".o_searchview_facet .o_facet_remove",
            content: _t("Here is what was blocked this week. Take a filter off to see more."),
            tooltipPosition: "bottom",
            run: "click",
        },
    ],
});

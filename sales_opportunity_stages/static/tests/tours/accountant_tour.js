import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");

tours.add("sales_opportunity_stages_credit_blocks", {
    steps: () => [
        {
            content: "the banner is one line",
            trigger: ".alert:contains(the credit limit of Holding is exceeded by):not(:contains(Credit limit:))",
        },
        { trigger: ".o_text_details button:contains(Details)", run: "click" },
        { trigger: ".o_text_details_more:contains(Credit limit):contains(This document)" },
        { trigger: ".o_statusbar_buttons button[name=action_confirm]", run: "click" },
        { trigger: ".modal:contains(Holding)" },
        { trigger: ".modal .btn-primary, .modal .btn-close", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_statusbar_status .o_arrow_button_current:contains(Quotation)" },
    ],
});

const openCredit = [
    stepUtils.showAppsMenuItem(),
    { trigger: ".o_app[data-menu-xmlid='sale.sale_menu_root']", run: "click" },
];

function openMenu(menu) {
    return [
        { trigger: "[data-menu-xmlid='sales_opportunity_stages.sale_credit_menu']", run: "click" },
        { trigger: `[data-menu-xmlid='sales_opportunity_stages.${menu}']`, run: "click" },
    ];
}

tours.add("sales_opportunity_stages_credit_decision", {
    steps: () => [
        ...openCredit,
        ...openMenu("sale_credit_check_menu"),
        { content: "what was blocked this week", trigger: ".o_data_row:contains(Holding):contains(Blocked)" },
        { trigger: ".o_data_row:contains(Holding) .o_data_cell[name=unit_id]", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=excess]:contains(700)" },
        { trigger: ".o_field_widget[name=exposure]:contains(1,700)" },
        ...openMenu("res_partner_menu_credit"),
        { trigger: ".o_data_row:contains(Holding) .o_data_cell[name=display_name]", run: "click" },
        { trigger: ".o_notebook_headers a[name=sale_credit]", run: "click" },
        { trigger: ".o_field_widget[name=credit_exposure]:contains(800)" },
        { content: "the orders behind an amount", trigger: "button[name=action_view_credit_uninvoiced]", run: "click" },
        { trigger: ".o_action_manager > .o_list_view .o_data_row:contains(500)" },
        { trigger: ".o_action_manager > .o_list_view .breadcrumb-item a:contains(Holding)", run: "click" },
        { trigger: ".o_notebook_headers a[name=sale_credit]", run: "click" },
        { content: "the invoices too", trigger: "button[name=action_view_credit_receivable]", run: "click" },
        { trigger: ".o_action_manager > .o_list_view .o_data_row:contains(300)" },
        { trigger: ".o_action_manager > .o_list_view .breadcrumb-item a:contains(Holding)", run: "click" },
        { trigger: ".o_notebook_headers a[name=sale_credit]", run: "click" },
        { content: "what another limit would stop", trigger: "button:has(.fa-flask)", run: "click" },
        { trigger: ".modal .o_field_widget[name=blocked_count]:contains(1)" },
        { trigger: ".modal .o_field_widget[name=credit_limit] input", run: "edit 2000 && press Tab" },
        { trigger: ".modal .o_field_widget[name=blocked_count]:contains(0)" },
        { trigger: ".modal footer button:first", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_field_widget[name=credit_limit] input", run: "edit 2000 && press Tab" },
        ...stepUtils.saveForm(),
    ],
});

tours.add("sales_opportunity_stages_credit_raised", {
    steps: () => [
        { trigger: ".o_notebook_headers a[name=sale_credit]", run: "click" },
        { trigger: ".o_field_widget[name=credit_limit] input:value(2,000.00)" },
        { trigger: ".o_field_widget[name=credit_available]:contains(1,200)" },
    ],
});

tours.add("sales_opportunity_stages_credit_passes", {
    steps: () => [
        { trigger: ".o_form_view:not(:contains(is exceeded by))" },
        { trigger: ".o_statusbar_buttons button[name=action_confirm]", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Sales Order)" },
    ],
});

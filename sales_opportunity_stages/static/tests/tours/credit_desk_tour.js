import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");

tours.add("sales_opportunity_stages_credit_request", {
    steps: () => [
        { trigger: ".o_statusbar_buttons button[name=action_confirm]", run: "click" },
        { content: "the refusal says who can help", trigger: ".modal:contains(is exceeded by)" },
        { trigger: ".modal footer .btn-primary:contains(Request Credit)", run: "click" },
        { trigger: ".modal .o_field_widget[name=reason] textarea", run: "edit Paid next week && press Tab" },
        { trigger: ".modal footer button[name=action_request]", run: "click" },
        { content: "it is on hold", trigger: "body:not(:has(.modal)) .alert:contains(On credit hold)" },
        { trigger: "button[name=action_view_credit_requests]:contains(1)" },
    ],
});

tours.add("sales_opportunity_stages_credit_release", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        { trigger: ".o_app[data-menu-xmlid='sale.sale_menu_root']", run: "click" },
        { trigger: "[data-menu-xmlid='sales_opportunity_stages.sale_credit_menu']", run: "click" },
        { trigger: "[data-menu-xmlid='sales_opportunity_stages.sale_credit_request_menu']", run: "click" },
        { trigger: ".o_data_row:contains(Holding) .o_data_cell[name=unit_id]", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=reason]:contains(Paid next week)" },
        { trigger: ".o_field_widget[name=excess]:contains(200)" },
        { trigger: ".o_statusbar_buttons button[name=action_decide]", run: "click" },
        { trigger: ".modal .o_field_widget[name=reason] textarea", run: "edit Known customer && press Tab" },
        { trigger: ".modal footer button[name=action_decide]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_statusbar_status .o_arrow_button_current:contains(Granted)" },
    ],
});

tours.add("sales_opportunity_stages_credit_used", {
    steps: () => [
        { trigger: ".alert:contains(Credit is requested or released)" },
        { trigger: ".o_statusbar_buttons button[name=action_confirm]", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Sales Order)" },
    ],
});

import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

registry.category("web_tour.tours").add("sales_opportunity_stages_contract", {
    steps: () => [
        { trigger: ".o_statusbar_buttons button[title=More]", run: "click" },
        { content: "make a contract", trigger: ".o-dropdown--menu button[name=action_create_contract]", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=quotation_id]" },
        { trigger: ".o_field_widget[name=payment_term_id] input", run: "edit Tour 45 Days" },
        { trigger: ".ui-autocomplete .dropdown-item:contains(Tour 45 Days)", run: "click" },
        ...stepUtils.saveForm(),
        { trigger: "button[name=action_confirm]", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Open)" },
        {
            content: "load the page again",
            trigger: ".o_form_saved, .o_form_readonly",
            run: () => location.reload(),
            expectUnloadPage: true,
        },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Open)" },
        { trigger: ".o_field_widget[name=payment_term_id]:has(input:value(Tour 45 Days)), .o_field_widget[name=payment_term_id]:contains(Tour 45 Days)" },
        { trigger: ".o_field_widget[name=line_ids] .o_data_row:contains(Pump)" },
        { content: "the quotation knows", trigger: ".breadcrumb-item.o_back_button a, .o_back_button", run: "click" },
        { trigger: ".alert:contains(became a contract)" },
    ],
});

import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

registry.category("web_tour.tours").add("sales_opportunity_stages_expense", {
    steps: () => [
        { content: "what was spent", trigger: "button[name=action_view_expenses]", run: "click" },
        { trigger: ".o_breadcrumb .active:contains(Expenses)" },
        { trigger: ".o_list_button_add", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=name] input", run: "edit Tour dinner" },
        { trigger: ".o_field_widget[name=product_id] input", run: "edit Meals" },
        { trigger: ".ui-autocomplete .dropdown-item:contains(Meals)", run: "click" },
        { trigger: ".o_field_widget[name=total_amount_currency] input", run: "edit 88" },
        ...stepUtils.saveForm(),
        {
            content: "load the page again",
            trigger: ".o_form_saved",
            expectUnloadPage: true,
            async run() {
                while (location.pathname.endsWith("/new")) {
                    await new Promise((resolve) => setTimeout(resolve, 50));
                }
                location.reload();
            },
        },
        { trigger: ".o_field_widget[name=name] input:value(Tour dinner)" },
        { trigger: ".o_field_widget[name=total_amount_currency] input:value(88.00)" },
        { trigger: ".o_field_widget[name=opportunity_id]:has(input:value(Tour Deal))" },
        { trigger: ".o_field_widget[name=customer_id]:has(input:value(Tour Customer))" },
    ],
});

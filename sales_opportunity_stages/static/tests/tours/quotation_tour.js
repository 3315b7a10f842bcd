import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("sales_opportunity_stages_quote", {
    steps: () => [
        { content: "make a quotation", trigger: "button[name=action_sale_quotations_new]", run: "click" },
        { trigger: ".modal .o_data_row:contains(Pump)" },
        { content: "leave the valves out", trigger: ".modal .o_data_row:contains(Valve) .o_list_record_remove", run: "click" },
        {
            content: "more than the opportunity asks for",
            trigger: ".modal:not(:contains(Valve)) .o_data_row:contains(Pump) td[name=product_uom_qty]",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name=product_uom_qty] input", run: "edit 20" },
        { trigger: ".modal button:contains(Create Quotation)", run: "click" },
        {
            content: "the quoted price",
            trigger: ".o_sale_order .o_data_row:contains(Pump):contains(80.00):contains(1,600.00)",
        },
        { content: "it takes effect by being approved", trigger: ".alert:contains(takes effect by being approved)" },
        { trigger: ".o_statusbar_buttons:not(:contains(Confirm)):not(:contains(Approve))" },
        { trigger: "button[name=action_request_approval]", run: "click" },
        { trigger: ".alert:contains(Waiting for approval)" },
    ],
});

registry.category("web_tour.tours").add("sales_opportunity_stages_approve", {
    steps: () => [
        { trigger: ".alert:contains(Waiting for approval)" },
        { trigger: "button[name=action_approve]", run: "click" },
        { trigger: ".ribbon:contains(Approved)" },
    ],
});

registry.category("web_tour.tours").add("sales_opportunity_stages_confirm", {
    steps: () => [
        { trigger: ".ribbon:contains(Approved)" },
        { content: "nothing to edit", trigger: ".o_field_widget[name=order_line]:not(:contains(Add a product))" },
        { trigger: ".o_statusbar_buttons button[name=action_confirm]", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Sales Order)" },
    ],
});

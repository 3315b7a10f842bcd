import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");

const openSteps = { trigger: ".o_notebook_headers .nav-link:contains(Approval)", run: "click" };

function step(level, state) {
    return { content: `level ${level}: ${state}`, trigger: `.o_field_widget[name=approval_step_ids] .o_data_row:contains(${level}):contains(${state})` };
}

function row(customer) {
    return `.o_list_view .o_data_row:contains(${customer})`;
}

function giveReason(text, button) {
    return [
        { trigger: ".modal .o_field_widget[name=reason] textarea, .modal .o_field_widget[name=reason] input", run: `edit ${text}` },
        { trigger: `.modal button[name=action_decide]:contains(${button})`, run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ];
}

tours.add("sales_opportunity_stages_approval_request", {
    steps: () => [
        { trigger: ".o_statusbar_buttons button[name=action_request_approval]", run: "click" },
        { trigger: ".alert:contains(Waiting for approval by sos_leader)" },
        { content: "nothing for the salesperson to press", trigger: ".o_statusbar_buttons:not(:contains(Approve)):not(:contains(Refuse))" },
        openSteps,
        step(1, "Requested"),
        step(2, "Not Asked Yet"),
        step(3, "Not Asked Yet"),
    ],
});

tours.add("sales_opportunity_stages_approval_from_the_list", {
    steps: () => [
        { trigger: ".o_searchview_facet:contains(For Me)" },
        { content: "the lines before deciding", trigger: `${row("Acme")} button[name=action_preview_approval]`, run: "click" },
        { trigger: ".modal .o_field_widget[name=order_line] .o_data_row:contains(Pump)" },
        { trigger: ".modal footer button[name=action_approve]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_view_nocontent, body:not(:has(.modal)) .o_list_view:not(:contains(Acme))" },
    ],
});

tours.add("sales_opportunity_stages_approval_refuse", {
    steps: () => [
        { trigger: `${row("Acme")} button[name=action_refuse_approval]`, run: "click" },
        ...giveReason("Too cheap", "Refuse"),
        { trigger: ".o_view_nocontent, .o_list_view:not(:contains(Acme))" },
    ],
});

tours.add("sales_opportunity_stages_approval_change", {
    steps: () => [
        { trigger: ".alert:contains(Refused by sos_director)" },
        openSteps,
        { trigger: ".o_field_widget[name=approval_step_ids] .o_data_row:contains(Refused):contains(Too cheap)" },
        { trigger: ".o_notebook_headers .nav-link[name=order_lines]", run: "click" },
        { trigger: ".o_field_widget[name=order_line] .o_data_row td[name=price_unit]", run: "click" },
        { trigger: ".o_field_widget[name=order_line] .o_field_widget[name=price_unit] input", run: "edit 650" },
        ...stepUtils.saveForm(),
        { trigger: ".o_statusbar_buttons button[name=action_request_approval]", run: "click" },
        { trigger: ".alert:contains(Waiting for approval)" },
    ],
});

tours.add("sales_opportunity_stages_approval_approve", {
    steps: () => [
        { trigger: ".alert:contains(Waiting for approval)" },
        { trigger: ".o_statusbar_buttons button[name=action_approve]", run: "click" },
        { trigger: ".o_statusbar_buttons:not(:has(button[name=action_approve]))" },
        openSteps,
        { trigger: ".o_field_widget[name=approval_step_ids] .o_data_row:contains(Approved)" },
    ],
});

tours.add("sales_opportunity_stages_approval_on_a_phone", {
    steps: () => [
        { trigger: ".o_kanban_record:contains(Acme) button[name=action_approve]", run: "click" },
        { trigger: ".o_view_nocontent, .o_kanban_view:not(:contains(Acme))" },
    ],
});

tours.add("sales_opportunity_stages_approval_deputy", {
    steps: () => [
        { trigger: ".o_notebook_headers .nav-link[name=preferences_page]", run: "click" },
        { trigger: ".o_field_widget[name=approval_deputy_id] input", run: "edit sos_deputy" },
        { trigger: ".ui-autocomplete .dropdown-item:contains(sos_deputy)", run: "click" },
        { trigger: ".o_field_widget[name=approval_deputy_from]" },
        { content: "saving loads the page again", trigger: "button[name=preference_save]", run: "click", expectUnloadPage: true },
        { trigger: ".o_main_navbar" },
    ],
});

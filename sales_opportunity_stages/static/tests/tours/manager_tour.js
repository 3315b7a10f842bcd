import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");

// ------------------------------------------------------------
// Assigning
// ------------------------------------------------------------

function select(...names) {
    return names.map((name) => ({
        content: `select ${name}`,
        trigger: `.o_data_row:contains(${name}) .o_list_record_selector input`,
        run: "click",
    }));
}

function openAssign() {
    return [
        { trigger: ".o_control_panel_actions .o_cp_action_menus button:has(.fa-cog)", run: "click" },
        { trigger: ".o-dropdown--menu .o_menu_item:text(Assign)", run: "click" },
        { trigger: ".modal .o_field_widget[name=mode]" },
    ];
}

function choose(field, name) {
    return [
        { trigger: `.modal .o_field_widget[name=${field}] input`, run: `edit ${name}` },
        { trigger: `.ui-autocomplete .dropdown-item:contains(${name})`, run: "click" },
    ];
}

function confirmAssign() {
    return [
        { trigger: ".modal button[name=action_assign]", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ];
}

tours.add("sales_opportunity_stages_assign", {
    steps: () => [
        { content: "all opportunities", trigger: ".o_searchview_facet .o_facet_remove", run: "click" },
        { trigger: ".o_switch_view.o_list", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains(Tour One)" },
        ...select("Tour One"),
        ...openAssign(),
        ...choose("user_id", "sos_colleague"),
        ...confirmAssign(),
        { content: "the list shows it", trigger: ".o_data_row:contains(Tour One):contains(sos_colleague)" },
        { content: "nothing is selected any more", trigger: ".o_data_row:contains(Tour Two)" },
        ...select("Tour Two", "Tour Three"),
        ...openAssign(),
        { trigger: ".modal label:contains(Distribute evenly)", run: "click" },
        ...choose("user_ids", "sos_colleague"),
        ...choose("user_ids", "sos_salesman"),
        ...confirmAssign(),
    ],
});

tours.add("sales_opportunity_stages_assigned", {
    steps: () => [
        { content: "all opportunities", trigger: ".o_searchview_facet .o_facet_remove", run: "click" },
        { trigger: ".o_switch_view.o_list", run: "click" },
        { trigger: ".o_data_row:contains(Tour One):contains(sos_colleague)" },
    ],
});

// ------------------------------------------------------------
// Overriding
// ------------------------------------------------------------

tours.add("sales_opportunity_stages_override", {
    steps: () => [
        { content: "more buttons", trigger: ".o_statusbar_buttons button[title=More]", run: "click" },
        { trigger: ".o-dropdown--menu button:contains(Override)", run: "click" },
        { trigger: ".modal .o_field_widget[name=target_stage_id] input", run: "edit Solution" },
        { trigger: ".ui-autocomplete .dropdown-item:contains(Solution)", run: "click" },
        { content: "it names what it bypasses", trigger: ".modal .o_field_widget[name=missing_summary]:contains(Call A)" },
        { trigger: ".modal .o_field_widget[name=reason] textarea, .modal .o_field_widget[name=reason] input", run: "edit Signed last year" },
        { trigger: ".modal button[name=action_force]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_statusbar_status .o_arrow_button_current:contains(Solution)" },
    ],
});

tours.add("sales_opportunity_stages_overridden", {
    steps: () => [
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Solution)" },
        { trigger: ".o_notebook_headers a[name=stage_history]", run: "click" },
        {
            content: "who and why",
            trigger: ".o_field_widget[name=stage_visit_ids] .o_data_row:contains(Signed last year)",
        },
    ],
});

// ------------------------------------------------------------
// Quotations
// ------------------------------------------------------------

/** A button of the header that is behind *More*: on a phone all but the first are. */
function pressBehindMore(name) {
    return [
        { trigger: ".o_statusbar_buttons button[title=More]", run: "click" },
        { trigger: `.o-dropdown--menu button[name=${name}]`, run: "click" },
    ];
}

function press(name) {
    return [{ trigger: `.o_statusbar_buttons button[name=${name}]`, run: "click" }];
}

const CLOSE = [
    { trigger: ".modal .o_field_widget[name=reason] textarea, .modal .o_field_widget[name=reason] input", run: "edit The budget is gone" },
    { trigger: ".modal button[name=action_close]", run: "click" },
    { trigger: "body:not(:has(.modal)) .alert:contains(The budget is gone)" },
];

tours.add("sales_opportunity_stages_approve_and_withdraw", {
    steps: () => [
        { trigger: ".alert:contains(Waiting for approval)" },
        { content: "what matters first, the rest behind one button", trigger: ".o_statusbar_buttons > button:first:contains(Approve)" },
        { trigger: ".o_statusbar_buttons:not(:contains(Close Quotation))" },
        ...press("action_approve"),
        { trigger: ".ribbon:contains(Approved)" },
        ...pressBehindMore("action_unapprove"),
        { trigger: "body:not(:has(.ribbon)) .o_statusbar_buttons button[name=action_approve]" },
    ],
});

tours.add("sales_opportunity_stages_close", {
    steps: () => [...pressBehindMore("action_close_quotation"), ...CLOSE],
});

tours.add("sales_opportunity_stages_reopen", {
    steps: () => [
        { content: "closed, as it was left", trigger: ".alert:contains(The budget is gone)" },
        ...press("action_reopen_quotation"),
        { trigger: "body:not(:has(.ribbon)) .o_statusbar_buttons button[name=action_approve]" },
    ],
});

tours.add("sales_opportunity_stages_approve_on_a_phone", {
    steps: () => [
        { trigger: ".alert:contains(Waiting for approval)" },
        ...press("action_approve"),
        { trigger: ".ribbon:contains(Approved)" },
        ...pressBehindMore("action_unapprove"),
        { trigger: "body:not(:has(.ribbon)) .o_statusbar_buttons button[name=action_approve]" },
        ...pressBehindMore("action_close_quotation"),
        ...CLOSE,
        ...press("action_reopen_quotation"),
        { trigger: "body:not(:has(.ribbon)) .o_statusbar_buttons button[name=action_approve]" },
    ],
});

// ------------------------------------------------------------
// Reports
// ------------------------------------------------------------

function filterBy(name) {
    return [
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        { trigger: `.o_filter_menu .o_menu_item:text(${name})`, run: "click" },
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        { trigger: `.o_searchview_facet:contains(${name})` },
    ];
}

tours.add("sales_opportunity_stages_compare_funnels", {
    steps: () => [
        { trigger: ".o_opportunity_funnel_segment" },
        {
            content: "what is left out is said",
            trigger: ".o_undated_notice:contains(not included)",
        },
        ...filterBy("Lost"),
        ...filterBy("Won"),
        { content: "both found", trigger: "[data-summary=reached]:contains(5)" },
        { trigger: ".o_opportunity_funnel_compare", run: "click" },
        { trigger: "[data-compare=user_id]", run: "click" },
        { trigger: ".o_opportunity_funnel_pair" },
        { trigger: ".o_opportunity_funnel_label:contains(sos_colleague)" },
        { trigger: ".o_opportunity_funnel_label:contains(sos_salesman)" },
        { content: "the difference of both", trigger: ".o_opportunity_funnel_table:contains(Difference)" },
        { trigger: ".o_opportunity_funnel_compare", run: "click" },
        { trigger: "[data-compare='previous']", run: "click" },
        { trigger: ".o_opportunity_funnel_chart:eq(1)" },
        { trigger: ".o_searchview_facet:contains(Expected Closing) .o_facet_remove", run: "click" },
        { trigger: ".o_opportunity_funnel_compare", run: "click" },
        {
            content: "it says why there is nothing to compare with",
            trigger: "[data-compare=previous].disabled:contains(Filter by a period first)",
        },
    ],
});

const REPORTS = {
    crm_funnel_report_menu: ["Funnel", ".o_opportunity_funnel"],
    crm_pipeline_report_menu_user: ["Opportunity Analysis", ".o_pivot"],
    crm_pipeline_report_menu_forecast: ["Weighted Forecast", "canvas"],
    crm_pipeline_report_menu_velocity: ["Velocity", ".o_pivot"],
    crm_competition_report_menu: ["Win/Loss by Competitor", ".o_pivot"],
    crm_deadline_report_menu: ["Expected Closings", ".o_pivot"],
    crm_stage_visit_report_menu_time: ["Time in Stage", ".o_pivot"],
    crm_stage_visit_report_menu_moves: ["Stage Moves", ".o_pivot"],
    crm_stage_visit_menu: ["Stage History", ".o_list_renderer"],
    crm_calibration_report_menu: ["Forecast Calibration", ".o_pivot"],
};

function openReport(menu) {
    return [
        { trigger: "[data-menu-xmlid='crm.crm_menu_report']", run: "click" },
        { trigger: `[data-menu-xmlid='sales_opportunity_stages.${menu}']`, run: "click" },
    ];
}

tours.add("sales_opportunity_stages_each_report", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        { trigger: ".o_app[data-menu-xmlid='crm.crm_menu_root']", run: "click" },
        { trigger: "[data-menu-xmlid='crm.crm_menu_report']", run: "click" },
        {
            content: "the whole menu is in sight",
            trigger: ".o-dropdown--menu",
            run() {
                if (this.anchor.scrollHeight > this.anchor.clientHeight) {
                    throw new Error("The menu is cut off");
                }
            },
        },
        { trigger: "[data-menu-xmlid='crm.crm_menu_report']", run: "click" },
        ...Object.entries(REPORTS).flatMap(([menu, [name, content]]) => [
            ...openReport(menu),
            { trigger: `.o_breadcrumb:contains(${name})` },
            { trigger: `.o_action_manager ${content}` },
        ]),
        ...openReport("crm_snapshot_report_menu"),
        { trigger: ".modal button[name=action_show]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_breadcrumb:contains(Pipeline on)" },
        { trigger: ".o_pivot" },
        ...openReport("crm_snapshot_report_menu"),
        { trigger: ".modal .o_radio_item label:contains(Between Two Days)", run: "click" },
        { trigger: ".modal button[name=action_show]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_breadcrumb:contains(Flow from)" },
        { trigger: ".o_pivot" },
    ],
});

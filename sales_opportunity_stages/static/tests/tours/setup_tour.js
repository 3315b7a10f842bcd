import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

/** Set-up as a guide describes it: fill the screens, save, load the page again and read the values back. */
const tours = registry.category("web_tour.tours");

/** Load the page again, once the address names the record. */
const reload = {
    content: "load the page again",
    trigger: ".o_form_saved, .o_form_readonly, .o_list_view, .o_settings_container, .o_kanban_view",
    expectUnloadPage: true,
    async run() {
        while (location.pathname.endsWith("/new")) {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        location.reload();
    },
};

/** Choose a record in a many2one field. */
function choose(field, value) {
    return [
        { trigger: `${field} input`, run: `edit ${value}` },
        { trigger: `.ui-autocomplete .dropdown-item:contains(${value})`, run: "click" },
    ];
}

/** Choose an option of a selection field. */
function select(field, option) {
    return [
        { trigger: `${field} .o_select_menu_toggler`, run: "click" },
        { trigger: `.o_select_menu_item:contains(${option})`, run: "click" },
        { content: "the options are gone", trigger: "body:not(:has(.o_select_menu_item, .o_bottom_sheet))" },
    ];
}

const ROW = ".modal .o_field_widget[name=rule_ids] .o_selected_row";
const RULE = ".modal .o_field_widget[name=rule_ids] .o_data_row";
const STAGE = ".o_field_widget[name=stage_ids] .o_data_row";

const addRule = {
    content: "add a rule",
    trigger: ".modal .o_field_widget[name=rule_ids] .o_field_x2many_list_row_add a",
    run: "click",
};

function addAction(name) {
    return [addRule, ...choose(`${ROW} [name=activity_type_id]`, name)];
}

function openStage(name) {
    return [
        { content: `open ${name}`, trigger: `${STAGE} .o_data_cell[name=name]:contains(${name})`, run: "click" },
        { trigger: `.modal .o_field_widget[name=name] input:value(${name})` },
    ];
}

const closeStage = [
    { content: "save the stage", trigger: ".modal .o_form_button_save", run: "click" },
    { trigger: "body:not(:has(.modal))" },
];

function createStage(name) {
    return [
        { trigger: ".o_field_widget[name=stage_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".modal .o_create_button", run: "click" },
        { trigger: ".modal:has(.o_form_view) .o_field_widget[name=name] input", run: `edit ${name}` },
        { trigger: ".modal:has(.o_form_view) .o_form_button_save", run: "click" },
        { trigger: `${STAGE}:contains(${name})` },
    ];
}

tours.add("sales_opportunity_stages_setup_type", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        { trigger: ".o_app[data-menu-xmlid='crm.crm_menu_root']", run: "click" },
        { trigger: "[data-menu-xmlid='crm.crm_menu_config']", run: "click" },
        { trigger: "[data-menu-xmlid='sales_opportunity_stages.crm_opportunity_type_menu']", run: "click" },
        { trigger: ".o_list_view:contains(Plant)" },
        { trigger: ".o_list_button_add", run: "click" },
        { trigger: ".o_field_widget[name=name] input", run: "edit Tour Sale" },
        { trigger: ".o_field_widget[name=probability_mode] input[data-value=learned]", run: "click" },
        { trigger: ".o_field_widget[name=reminder_days] input", run: "edit 5" },
        { trigger: ".o_field_widget[name=description] textarea", run: "edit What the tour sells" },
        ...createStage("Tour Zero"),
        ...createStage("Tour First"),
        ...createStage("Tour Second"),
        ...stepUtils.saveForm(),
        ...openStage("Tour Zero"),
        { trigger: ".modal .o_field_widget[name=probability] input", run: "edit 15" },
        ...addAction("Call A"),
        { trigger: `${ROW} [name=required] input`, run: "click" },
        { trigger: `${ROW} [name=promotes] input`, run: "click" },
        ...addAction("Email A"),
        ...addAction("Visit A"),
        { trigger: `${ROW} [name=promotes] input`, run: "click" },
        { trigger: ".modal .o_field_widget[name=rule_ids] .o_optional_columns_dropdown button", run: "click" },
        { trigger: ".o-dropdown-item input[name=target_stage_id]", run: "click" },
        ...choose(`${ROW} [name=target_stage_id]`, "Tour Second"),
        addRule,
        ...select(`${ROW} [name=kind]`, "Condition"),
        { trigger: `${ROW} [name=name] input`, run: "edit Revenue known" },
        { trigger: `${ROW} [name=domain] .o_domain_add_first_node_button`, run: "click" },
        { trigger: `${ROW} [name=domain] .o_field_domain_dialog_button`, run: "click" },
        { trigger: ".modal:has(.o_domain_selector) .o_model_field_selector", run: "click" },
        { trigger: ".o_model_field_selector_popover_search input", run: "edit Expected Revenue" },
        {
            trigger: ".o_model_field_selector_popover_item[data-name=expected_revenue] button",
            run: "click",
        },
        { trigger: ".modal .modal-footer .btn-primary:contains(Confirm)", run: "click" },
        { trigger: `${ROW} [name=required] input`, run: "click" },
        ...closeStage,
        { trigger: `${STAGE}:contains(Tour Zero):contains(Call A* →):contains(Revenue known*)` },
        reload,
        { trigger: ".o_field_widget[name=probability_mode] input[data-value=learned]:checked" },
        { trigger: ".o_field_widget[name=reminder_days] input:value(5)" },
        { trigger: ".o_field_widget[name=description] textarea:value(What the tour sells)" },
        ...openStage("Tour Zero"),
        { trigger: ".modal .o_field_widget[name=probability] input:value(15.00)" },
        { trigger: `${RULE}:contains(Call A):has([name=required] input:checked):has([name=promotes] input:checked)` },
        { trigger: `${RULE}:contains(Email A):not(:has(input:checked))` },
        { trigger: `${RULE}:contains(Visit A):has([name=promotes] input:checked):contains(Tour Second)` },
        { trigger: `${RULE}:contains(Condition):contains(Revenue known):has([name=required] input:checked)` },
        { content: "a rule is removed in its row", trigger: `${RULE}:contains(Email A) .o_list_record_remove`, run: "click" },
        { content: "and what it asks for", trigger: `${RULE}:contains(Visit A) [name=required] input`, run: "click" },
        ...closeStage,
        {
            content: "the new stages stand in the order in which they were made",
            trigger: `${STAGE}:eq(2):contains(Tour Second)`,
        },
        reload,
        { trigger: `${STAGE}:eq(0):contains(Tour Zero):contains(Visit A* →):not(:contains(Email A))` },
        { trigger: `${STAGE}:eq(1):contains(Tour First)` },
        { trigger: `${STAGE}:eq(2):contains(Tour Second)` },
        {
            content: "copy a stage with its rules",
            trigger: `${STAGE}:contains(Tour Zero) button[name=action_duplicate]`,
            run: "click",
        },
        { trigger: `${STAGE}:contains(Tour Zero (copy)):contains(Call A* →)` },
    ],
});

tours.add("sales_opportunity_stages_setup_team", {
    steps: () => [
        { trigger: ".o_data_row:contains(Field Sales) .o_data_cell", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=name] input:value(Field Sales)" },
        ...choose(".o_field_widget[name=opportunity_type_id]", "Spare Parts"),
        ...stepUtils.saveForm(),
        reload,
        { trigger: ".o_field_widget[name=opportunity_type_id] input:value(Spare Parts)" },
    ],
});

tours.add("sales_opportunity_stages_setup_competition", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        { trigger: ".o_app[data-menu-xmlid='crm.crm_menu_root']", run: "click" },
        { trigger: "[data-menu-xmlid='crm.crm_menu_sales']", run: "click" },
        { trigger: "[data-menu-xmlid='sales_opportunity_stages.res_partner_menu_competitors']", run: "click" },
        { trigger: ".o_breadcrumb:contains(Competitors)" },
        { trigger: ".o-kanban-button-new", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=name] textarea, .o_form_view .o_field_widget[name=name] input", run: "edit Tour Rival" },
        { trigger: ".nav-link[name=competing_products]", run: "click" },
        { trigger: ".o_field_widget[name=competing_product_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".o_field_widget[name=competing_product_ids] .o_selected_row [name=name] input", run: "edit Rival Pump" },
        { trigger: ".o_field_widget[name=competing_product_ids] .o_selected_row [name=price] input", run: "edit 70" },
        ...stepUtils.saveForm(),
        reload,
        { trigger: ".o_field_widget[name=is_competitor] input:checked" },
        { trigger: ".nav-link[name=competing_products]", run: "click" },
        { trigger: ".o_field_widget[name=competing_product_ids] .o_data_row:contains(Rival Pump):contains(70.00)" },
        { trigger: "[data-menu-xmlid='crm.crm_menu_sales']", run: "click" },
        { trigger: "[data-menu-xmlid='sales_opportunity_stages.crm_competing_product_menu']", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains(Rival Pump)" },
        { trigger: ".o_list_button_add", run: "click" },
        { trigger: ".o_list_view .o_selected_row [name=name] input", run: "edit Rival Valve" },
        ...choose(".o_list_view .o_selected_row [name=partner_id]", "Tour Rival"),
        { trigger: ".o_list_view .o_selected_row [name=price] input", run: "edit 30" },
        { trigger: ".o_list_button_save", run: "click" },
        { trigger: ".o_list_view:not(:has(.o_selected_row)) .o_data_row:contains(Rival Valve)" },
        reload,
        { trigger: ".o_list_view .o_data_row:contains(Rival Valve):contains(Tour Rival):contains(30.00)" },
    ],
});

tours.add("sales_opportunity_stages_setup_settings", {
    steps: () => [
        { trigger: "#quotation_approval .o_field_widget[name=quotation_approval] input[data-value=required]", run: "click" },
        { trigger: ".o_field_widget[name=quotation_approval_min_amount] input", run: "edit 7500" },
        { trigger: ".o_field_widget[name=quotation_approval_four_eyes] input", run: "click" },
        { trigger: "#credit_policy .o_field_widget[name=credit_policy] input[data-value=warn]", run: "click" },
        { trigger: ".o_field_widget[name=credit_check_keep_days] input", run: "edit 45" },
        { content: "saving loads the page again", trigger: ".o_form_button_save", run: "click", expectUnloadPage: true },
        {
            trigger: "#quotation_approval .o_field_widget[name=quotation_approval] input[data-value=required]:checked",
        },
        { trigger: ".o_field_widget[name=quotation_approval_min_amount] input:value(7,500.00)" },
        { trigger: ".o_field_widget[name=quotation_approval_four_eyes] input:checked" },
        { trigger: "#credit_policy .o_field_widget[name=credit_policy] input[data-value=warn]:checked" },
        { trigger: ".o_field_widget[name=credit_check_keep_days] input:value(45)" },
    ],
});

function privilege(name) {
    return `.o_cell.o_wrap_label:contains(${name}) + .o_wrap_input`;
}

tours.add("sales_opportunity_stages_setup_user", {
    steps: () => [
        ...select(privilege("Quotation Approval"), "Quotation Approver"),
        ...select(privilege("Customer Credit"), "Credit Manager"),
        { content: "both at once", trigger: `${privilege("Quotation Approval")} input:value(Quotation Approver)` },
        ...stepUtils.saveForm(),
        reload,
        { trigger: `${privilege("Quotation Approval")} input:value(Quotation Approver)` },
        { trigger: `${privilege("Customer Credit")} input:value(Credit Manager)` },
    ],
});

const creditTab = { trigger: ".nav-link[name=sale_credit]", run: "click" };

tours.add("sales_opportunity_stages_setup_credit", {
    steps: () => [
        { trigger: ".o_list_view .o_searchview_facet:contains(With a Limit)" },
        { trigger: ".o_searchview_facet .o_facet_remove", run: "click" },
        { trigger: ".o_searchview:not(:has(.o_searchview_facet))" },
        { trigger: ".o_searchview_input", run: "edit Tour Unit" },
        { trigger: ".o_searchview_autocomplete .dropdown-item:first", run: "click" },
        {
            content: "nothing is available where there is no limit",
            trigger: ".o_list_view .o_data_row:contains(Tour Unit) td[name=credit_available]:not(:contains(0.00))",
        },
        { trigger: ".o_list_view .o_data_row:contains(Tour Unit) td[name=display_name]", run: "click" },
        { content: "on its credit", trigger: ".nav-link.active[name=sale_credit]" },
        { trigger: ".o_field_widget[name=credit_limit] input", run: "edit 5000 && press Tab" },
        { trigger: ".o_field_widget[name=credit_term_days] input", run: "edit 30 && press Tab" },
        ...stepUtils.saveForm(),
        reload,
        { trigger: ".o_field_widget[name=credit_limit] input:value(5,000.00)" },
        { trigger: ".o_field_widget[name=credit_term_days] input:value(30)" },
        { trigger: ".o_field_widget[name=credit_available]:contains(5,000.00)" },
        { content: "simulate", trigger: "button:contains(Try another limit)", run: "click" },
        { trigger: ".modal .o_field_widget[name=credit_limit] input:value(5,000.00)" },
        { content: "nothing to apply yet", trigger: ".modal .modal-footer:not(:has(button[name=action_apply]))" },
        { trigger: ".modal .o_field_widget[name=credit_limit] input", run: "edit 9000 && press Tab" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_field_widget[name=credit_limit] input:value(9,000.00)" },
        reload,
        { trigger: ".o_field_widget[name=credit_limit] input:value(9,000.00)" },
    ],
});

tours.add("sales_opportunity_stages_setup_credit_member", {
    steps: () => [
        creditTab,
        ...choose(".o_field_widget[name=credit_unit_id]", "Tour Unit"),
        { content: "the unit has the limit", trigger: ".tab-pane:not(:has(.o_field_widget[name=credit_limit]))" },
        ...stepUtils.saveForm(),
        reload,
        creditTab,
        { trigger: ".o_field_widget[name=credit_unit_id] input:value(Tour Unit)" },
        {
            content: "go to the unit",
            trigger: ".o_field_widget[name=credit_unit_id] input",
            run: "hover && click .o_field_widget[name=credit_unit_id] .o_external_button",
        },
        { trigger: ".o_breadcrumb .active:contains(Tour Unit)" },
        creditTab,
        { trigger: ".o_field_widget[name=credit_member_ids] .o_data_row:contains(Tour Member)" },
    ],
});

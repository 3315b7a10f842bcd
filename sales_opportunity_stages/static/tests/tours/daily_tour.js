import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

/** Read the page again, so that what follows is what was saved. */
const reload = {
    content: "read it again",
    trigger: ".o_view_controller",
    run: () => browser.location.reload(),
    expectUnloadPage: true,
};

const closeDialog = [
    { trigger: ".modal .o_form_button_cancel", run: "click" },
    { trigger: "body:not(:has(.modal))" },
];

function openPage(name) {
    return { trigger: `.o_notebook_headers a[name=${name}]`, run: "click" };
}

function isInStage(stage) {
    return { trigger: `.o_statusbar_status .o_arrow_button_current:contains(${stage})` };
}

/** The buttons that are needed less often. */
const more = { trigger: ".o_statusbar_buttons button[title=More]", run: "click" };

/** Schedule an action from the checklist and mark it done there. */
function perform(rule) {
    const item = `.o_stage_checklist_item[data-rule='${rule}']`;
    return [
        { trigger: `${item} .o_stage_checklist_schedule`, run: "click" },
        { trigger: `.modal .o_field_widget[name=activity_type_id]:contains(${rule})` },
        { trigger: ".modal button[name=action_schedule_activities]", run: "click" },
        { content: "one click", trigger: `${item}[data-state=scheduled] .o_stage_checklist_done`, run: "click" },
    ];
}

function addLine(product, quantity) {
    const lines = ".o_field_widget[name=opportunity_line_ids]";
    return [
        { trigger: `${lines} .o_field_x2many_list_row_add a`, run: "click" },
        { trigger: `${lines} .o_selected_row [name=product_id] input`, run: `edit ${product}` },
        { trigger: `.ui-autocomplete .dropdown-item:contains(${product})`, run: "click" },
        { trigger: `${lines} .o_selected_row [name=product_uom_qty] input`, run: `edit ${quantity}` },
    ];
}

const tours = registry.category("web_tour.tours");

tours.add("sales_opportunity_stages_daily_promote", {
    steps: () => [
        {
            content: "the type with most of the own opportunities is chosen, and its columns are shown",
            trigger: ".o_search_panel_category_value:has(.active):contains(Plant)",
        },
        { trigger: ".o_kanban_group:eq(4):contains(Done Deal)" },
        { content: "no columns of other types", trigger: ".o_kanban_renderer:not(:contains(Asked))" },
        { content: "the other type", trigger: ".o_search_panel_category_value:contains(Spare Parts) header", run: "click" },
        { trigger: ".o_kanban_renderer:contains(Other Deal):contains(Sold):not(:contains(Needs))" },
        { trigger: ".o_search_panel_category_value:contains(Plant) header", run: "click" },
        { trigger: ".o_kanban_group:contains(Needs)" },
        { content: "create", trigger: ".o_kanban_group:first .o_kanban_quick_add", run: "click" },
        { trigger: ".o_kanban_quick_create .o_field_widget[name=commercial_partner_id] input", run: "edit Acme" },
        { trigger: ".ui-autocomplete .o-autocomplete--dropdown-item:not(:contains(Create)):contains(Acme)", run: "click" },
        { trigger: ".o_kanban_quick_create .o_field_widget[name=name] input", run: "edit Tour Deal" },
        { trigger: ".o_kanban_quick_create .o_kanban_edit", run: "click" },
        { trigger: ".o_form_view .o_stage_checklist:contains(Still missing for Needs):contains(Call A)" },
        { content: "lines", ...openPage("opportunity_lines") },
        ...addLine("Pump", 10),
        { trigger: ".o_form_view .o_field_widget[name=name] textarea", run: "click" },
        { trigger: ".o_field_widget[name=opportunity_line_ids]:not(:has(.o_selected_row)) .o_data_row:contains(Pump)" },
        ...addLine("Valve", 1),
        ...stepUtils.saveForm(),
        { trigger: ".o_data_row:contains(Pump) [name=price_unit]:contains(Not quoted)" },
        { trigger: "button[name=action_take_reference_prices]:contains(Fill missing prices)", run: "click" },
        { trigger: ".o_data_row:contains(Pump) [name=price_unit]:contains(100.00)" },
        {
            content: "nothing is left to fill",
            trigger: ".o_form_view:not(:has(button[name=action_take_reference_prices])) .o_data_row:contains(Valve):contains(40.00)",
        },
        { content: "contacts of the customer come first", ...openPage("lead") },
        { trigger: ".o_field_widget[name=opportunity_contact_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".o_selected_row [name=partner_id] input", run: "click" },
        { trigger: ".ui-autocomplete .o-autocomplete--dropdown-item:eq(1):contains(Zoe Buyer)", run: "click" },
        ...stepUtils.saveForm(),
        ...perform("Call A"),
        { content: "promoted by itself", ...isInStage("Needs") },
        reload,
        isInStage("Needs"),
        { trigger: ".o_stage_checklist_item[data-rule='Revenue set'][data-state=done]" },
        ...perform("Visit A"),
        { trigger: ".o_stage_checklist_item[data-rule='Visit A'][data-state=done]" },
        ...perform("Signature A"),
        isInStage("Solution"),
    ],
});

tours.add("sales_opportunity_stages_daily_refused", {
    steps: () => [
        {
            content: "the card says what is missing",
            trigger: ".o_kanban_record:contains(Refused Deal) .o_stage_progress[data-tooltip='Still required: Call A']",
        },
        {
            content: "a card goes back where it was",
            trigger: ".o_kanban_record:contains(Refused Deal)",
            run: "drag_and_drop (.o_kanban_group:has(.o_column_title:contains(Needs)))",
        },
        { trigger: ".modal:contains(Still to do)" },
        ...closeDialog,
        { trigger: ".o_kanban_group:first .o_kanban_record:contains(Refused Deal)", run: "click" },
        { trigger: ".o_form_view .o_stage_checklist" },
        { content: "so does the form", trigger: ".o_statusbar_status button:contains(Solution)", run: "click" },
        { trigger: ".modal:contains(from Contact to Solution)" },
        ...closeDialog,
        isInStage("Contact"),
        { trigger: ".o_form_view:has(.o_form_status_indicator_buttons.invisible)" },
        { content: "what is typed stays", trigger: ".o_field_widget[name=name] textarea", run: "edit Refused Deal, renamed" },
        { trigger: ".o_statusbar_status button:contains(Needs)", run: "click" },
        { trigger: ".modal:contains(from Contact to Needs)" },
        ...closeDialog,
        isInStage("Contact"),
        { content: "one click changes the priority and saves the rest", trigger: ".o_priority_star:first", run: "click" },
        { trigger: ".o_form_view:has(.o_form_status_indicator_buttons.invisible)" },
        { content: "and the form can be left", trigger: ".o_breadcrumb a:contains(Pipeline)", run: "click" },
        { trigger: ".o_kanban_group:first .o_kanban_record:contains(Refused Deal, renamed)" },
    ],
});

tours.add("sales_opportunity_stages_daily_lose", {
    steps: () => [
        isInStage("Needs"),
        more,
        { trigger: ".o-dropdown--menu button:contains(Lost)", run: "click" },
        {
            content: "the competitor named in the opportunity is proposed",
            trigger: ".modal .o_field_widget[name=lost_to_id] input:value(Rival Works)",
        },
        { trigger: ".modal button[name=action_lost_reason_apply]", run: "click" },
        { trigger: ".ribbon:contains(Lost)" },
        reload,
        { trigger: ".o_field_widget[name=lost_to_id] input:value(Rival Works)" },
        {
            content: "the reason is asked for once",
            trigger: ".o_field_widget[name=lost_reason_id]",
            run() {
                if (document.querySelectorAll(".o_field_widget[name=lost_reason_id]").length !== 1) {
                    throw new Error("The lost reason is shown more than once.");
                }
            },
        },
        { trigger: "button[name=action_restore]", run: "click" },
        { content: "it is open again", trigger: ".o_form_view:not(:has(button[name=action_restore])) .o_stage_checklist" },
        isInStage("Needs"),
        reload,
        isInStage("Needs"),
        { trigger: ".o_form_view:not(:has(.ribbon:contains(Lost))) .o_stage_checklist" },
    ],
});

function setQuantity(product, quantity) {
    return [
        { trigger: `.modal .o_data_row:contains(${product}) td[name=product_uom_qty]`, run: "click" },
        { trigger: ".modal .o_selected_row [name=product_uom_qty] input", run: `edit ${quantity}` },
    ];
}

tours.add("sales_opportunity_stages_daily_quote_and_order", {
    steps: () => [
        { content: "a part of it", trigger: "button[name=action_sale_quotations_new]", run: "click" },
        { trigger: ".modal .o_data_row:contains(Valve):contains(Not quoted)" },
        { trigger: ".modal .o_data_row:contains(Valve) .o_list_record_remove", run: "click" },
        { trigger: ".modal:not(:contains(Valve))" },
        ...setQuantity("Pump", 2),
        { trigger: ".modal button:contains(Create Quotation)", run: "click" },
        { trigger: ".o_sale_order .o_data_row:contains(Pump):contains(160.00)" },
        { content: "back", trigger: ".o_breadcrumb a:contains(Acme line 3)", run: "click" },
        { trigger: ".o_data_row:contains(Pump) [name=quoted_qty]:contains(2.00)" },
        { content: "the rest", ...more },
        { trigger: ".o-dropdown--menu button[name=action_new_order]", run: "click" },
        { trigger: ".modal .o_data_row:contains(Pump)" },
        ...setQuantity("Pump", 3),
        { trigger: ".modal button:contains(Create and Confirm Order)", run: "click" },
        { trigger: ".o_sale_order .o_statusbar_status .o_arrow_button_current:contains(Sales Order)" },
        reload,
        { trigger: ".o_sale_order .o_statusbar_status .o_arrow_button_current:contains(Sales Order)" },
        { trigger: ".o_data_row:contains(Pump):contains(240.00)" },
    ],
});

tours.add("sales_opportunity_stages_daily_add_from_opportunity", {
    steps: () => [
        { trigger: ".o_list_button_add", run: "click" },
        { trigger: ".o_field_widget[name=partner_id] input", run: "edit Acme" },
        { trigger: ".ui-autocomplete .dropdown-item:contains(Acme)", run: "click" },
        { content: "not saved yet", trigger: "button[name=action_add_from_opportunity]", run: "click" },
        { trigger: ".modal .o_field_widget[name=lead_ids]:contains(Source Deal)" },
        { trigger: ".modal .o_data_row:contains(Pump)" },
        { trigger: ".modal button:contains(Add)", run: "click" },
        { trigger: ".o_sale_order .o_data_row:contains(Pump):contains(400.00)" },
    ],
});

tours.add("sales_opportunity_stages_daily_change_type", {
    steps: () => [
        { trigger: ".o_field_widget[name=opportunity_type_id] input", run: "edit Spare Parts" },
        { trigger: ".ui-autocomplete .dropdown-item:contains(Spare Parts)", run: "click" },
        {
            content: "no checklist of the stage that it leaves",
            trigger: ".o_stage_checklist:contains(Save to see what Asked requires):not(:contains(Call A))",
        },
        ...stepUtils.saveForm(),
        isInStage("Asked"),
    ],
});

tours.add("sales_opportunity_stages_daily_type_is_locked", {
    steps: () => [
        isInStage("Needs"),
        {
            content: "who may not change the type sees it before, and who may",
            trigger: "[name=opportunity_type]:contains(Plant):contains(Sales Administrator):not(:has(input))",
        },
    ],
});

tours.add("sales_opportunity_stages_daily_phone", {
    steps: () => [
        {
            trigger: ".o_stage_checklist_item[data-rule='Call A'] .o_stage_checklist_schedule",
            run: "click",
        },
        { trigger: ".modal button[name=action_schedule_activities]", run: "click" },
        { content: "refused", trigger: ".o_statusbar_status .dropdown-toggle:contains(Contact)", run: "click" },
        { trigger: ".o-dropdown--menu .dropdown-item:contains(Needs)", run: "click" },
        { trigger: ".modal:contains(Still to do)" },
        ...closeDialog,
        { trigger: ".o_statusbar_status .dropdown-toggle:contains(Contact)" },
        openPage("opportunity_lines"),
        { trigger: "button[name=action_take_reference_prices]", run: "click" },
        { trigger: ".o_form_view:not(:has(button[name=action_take_reference_prices]))" },
        {
            content: "done",
            trigger: ".o_stage_checklist_item[data-rule='Call A'][data-state=scheduled] .o_stage_checklist_done",
            run: "click",
        },
        { trigger: ".o_statusbar_status .dropdown-toggle:contains(Needs)" },
        {
            content: "nothing is wider than the screen",
            trigger: ".o_stage_checklist",
            run() {
                const { scrollWidth, clientWidth } = document.querySelector(".o_stage_checklist");
                if (scrollWidth > clientWidth || document.documentElement.scrollWidth > window.innerWidth) {
                    throw new Error("The checklist is wider than the screen.");
                }
            },
        },
    ],
});

tours.add("sales_opportunity_stages_choose_type", {
    steps: () => [
        { trigger: ".o_search_panel_category_value:contains(Spare Parts) header", run: "click" },
        { trigger: ".o_kanban_renderer:contains(For all):contains(Sold):not(:contains(Needs))" },
        { trigger: ".o_kanban_group:first .o_kanban_quick_add", run: "click" },
        { trigger: ".o_kanban_quick_create .o_field_widget[name=name] input", run: "edit Of the chosen type" },
        { trigger: ".o_kanban_quick_create .o_kanban_add", run: "click" },
        { trigger: ".o_kanban_record:contains(Of the chosen type)" },
    ],
});

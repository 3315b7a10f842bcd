import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

/** The order of a type's stages holds, whatever is done before and between the moves. */
const STAGE = ".o_field_widget[name=stage_ids] .o_data_row";

/** Drop a stage on a row, whose place it takes. */
function drag(name, row) {
    return {
        content: `drag ${name} to row ${row + 1}`,
        trigger: `${STAGE}:contains(${name}) .o_row_handle`,
        run: `drag_and_drop(${STAGE}:eq(${row}))`,
    };
}

function checkOrder(...names) {
    return names.map((name, index) => ({ trigger: `${STAGE}:eq(${index}):contains(${name})` }));
}

/** Open a stage in its dialog, give it a probability there, and close it. */
function setProbability(name, value) {
    return [
        { trigger: `${STAGE} .o_data_cell[name=name]:contains(${name})`, run: "click" },
        { trigger: `.modal .o_field_widget[name=name] input:value(${name})` },
        { trigger: ".modal .o_field_widget[name=probability] input", run: `edit ${value}` },
        { trigger: ".modal .o_form_button_save", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: `${STAGE}:contains(${name}):contains(${value}.00)` },
    ];
}

function createStage(name) {
    return [
        { trigger: ".o_field_widget[name=stage_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".modal .o_create_button", run: "click" },
        { trigger: ".modal:has(.o_form_view) .o_field_widget[name=name] input", run: `edit ${name}` },
        { trigger: ".modal:has(.o_form_view) .o_form_button_save", run: "click" },
        { trigger: `${STAGE}:contains(${name})` },
    ];
}

const reload = {
    content: "load the page again",
    trigger: ".o_form_saved",
    expectUnloadPage: true,
    run: () => location.reload(),
};

registry.category("web_tour.tours").add("sales_opportunity_stages_stage_order", {
    steps: () => [
        ...checkOrder("Alpha", "Beta", "Gamma", "Delta"),
        { content: "first move, then open a stage", trigger: STAGE },
        drag("Delta", 0),
        ...checkOrder("Delta", "Alpha", "Beta", "Gamma"),
        ...setProbability("Beta", 25),
        ...checkOrder("Delta", "Alpha", "Beta", "Gamma"),
        drag("Gamma", 1),
        ...checkOrder("Delta", "Gamma", "Alpha", "Beta"),
        ...stepUtils.saveForm(),
        reload,
        ...checkOrder("Delta", "Gamma", "Alpha", "Beta"),
        { content: "first open a stage, then move", trigger: STAGE },
        ...setProbability("Alpha", 15),
        drag("Beta", 0),
        ...checkOrder("Beta", "Delta", "Gamma", "Alpha"),
        ...setProbability("Delta", 35),
        drag("Alpha", 2),
        ...checkOrder("Beta", "Delta", "Alpha", "Gamma"),
        ...stepUtils.saveForm(),
        reload,
        ...checkOrder("Beta", "Delta", "Alpha", "Gamma"),
        { content: "first add a stage, then move", trigger: STAGE },
        ...createStage("Omega"),
        drag("Omega", 1),
        ...checkOrder("Beta", "Omega", "Delta", "Alpha", "Gamma"),
        ...setProbability("Omega", 5),
        drag("Gamma", 3),
        ...checkOrder("Beta", "Omega", "Delta", "Gamma", "Alpha"),
        ...stepUtils.saveForm(),
        reload,
        ...checkOrder("Beta", "Omega", "Delta", "Gamma", "Alpha"),
    ],
});

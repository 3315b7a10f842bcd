import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const BAR = ".o_pipeline_changes_bars";
const ROW = ".o_pipeline_changes_tables tr";

function readRow(name) {
    const cells = [...document.querySelectorAll(`${ROW}[data-name=${name}] td`)];
    return cells.map((cell) => cell.textContent.trim().replaceAll("\u00a0", " ")).join(" | ");
}

function checkRows(expected) {
    for (const [name, text] of Object.entries(expected)) {
        if (readRow(name) !== text) {
            throw new Error(`${name} shows ${readRow(name)}, not ${text}`);
        }
    }
}

const openMenu = (menu) => [
    { trigger: "[data-menu-xmlid='crm.crm_menu_report']", run: "click" },
    { trigger: `[data-menu-xmlid='sales_opportunity_stages.${menu}']`, run: "click" },
];

registry.category("web_tour.tours").add("sales_opportunity_stages_changes", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        { trigger: ".o_app[data-menu-xmlid='crm.crm_menu_root']", run: "click" },
        ...openMenu("crm_snapshot_report_menu"),
        {
            content: "the last seven days are offered",
            trigger: ".modal .o_radio_item label:contains(What Changed)",
            run: "click",
        },
        { trigger: ".modal button[name=action_show]", run: "click" },
        {
            content: "the waterfall beside the table",
            trigger: `${ROW}[data-name=start] td:contains(2)`,
            run() {
                checkRows({
                    start: "2 | $ 230.00",
                    new: "1 | $ 60.00",
                    bigger: "1 | $ 50.00",
                    lost: "1 | $ 80.00",
                    end: "2 | $ 260.00",
                });
            },
        },
        {
            content: "counts instead of amounts",
            trigger: ".o_pipeline_changes_chart .btn-group button:contains(Opportunities)",
            run: "click",
        },
        { trigger: `${BAR} [data-name=end] .o_pipeline_changes_text:contains(2)` },
        { trigger: `${BAR} [data-name=lost]`, run: "click" },
        {
            content: "what was lost",
            trigger: ".o_list_view .o_data_row:contains(D)",
            run() {
                const rows = document.querySelectorAll(".o_list_view .o_data_row");
                if (rows.length !== 1) {
                    throw new Error(`${rows.length} opportunities`);
                }
            },
        },
        { trigger: ".o_data_row:contains(D) td[name=lead_id]", run: "click" },
        { content: "the opportunity itself", trigger: ".o_form_view .o_field_widget[name=expected_revenue]" },
        { trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item.o_back_button a", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains(D)" },
    ],
});

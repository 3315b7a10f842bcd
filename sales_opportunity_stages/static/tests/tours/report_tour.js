import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

/** The cells of a row of a table, or of the funnel, by the name that it begins with. */
function readRow(selector, name) {
    const rows = [...document.querySelectorAll(selector)];
    const row = rows.find((candidate) => candidate.firstElementChild.textContent.trim() === name);
    return [...row.children].slice(1).map((cell) => cell.textContent.trim());
}

function checkRow(selector, name, expected) {
    const found = readRow(selector, name).join(" | ").replaceAll("\u00a0", " ");
    if (found !== expected) {
        throw new Error(`${name} shows ${found}, not ${expected}`);
    }
}

/** Let the page tell what the server sends as a file. */
function watchDownloads() {
    const { send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.send = function () {
        this.addEventListener("load", () => {
            document.body.dataset.downloaded = `${this.status} ${this.response.type}`;
        });
        return send.apply(this, arguments);
    };
}

const FUNNEL = ".o_opportunity_funnel_rows > *";
const TABLE = ".o_opportunity_funnel_table tbody tr";
const PIVOT = ".o_pivot tbody tr";

registry.category("web_tour.tours").add("sales_opportunity_stages_funnel", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        { trigger: ".o_app[data-menu-xmlid='crm.crm_menu_root']", run: "click" },
        { trigger: "[data-menu-xmlid='crm.crm_menu_report']", run: "click" },
        {
            trigger: "[data-menu-xmlid='sales_opportunity_stages.crm_funnel_report_menu']",
            run: "click",
        },
        {
            content: "the funnel comes first",
            trigger: ".o_opportunity_funnel_name:contains(S4)",
            run() {
                checkRow(FUNNEL, "S1", "8 | $ 1,060.00 | 87.5% | – | 1");
                checkRow(FUNNEL, "S3", "6 | $ 950.00 | 66.7% | 1 | 1");
                checkRow(FUNNEL, "W", "3 | $ 420.00 |  | – | –");
                checkRow(
                    TABLE,
                    "S2",
                    "7 | $ 1,000.00 | 6 | 1 | 0 | 85.7% | 85.7% | 60.0% | 12.5 | 10.0",
                );
                checkRow(TABLE, "W", "3 | $ 420.00 |  | 0 | 0 |  |  | 100.0% |  | ");
                watchDownloads();
            },
        },
        { trigger: ".o_opportunity_funnel_xlsx", run: "click" },
        {
            content: "the table as a spreadsheet",
            trigger:
                "body[data-downloaded='200 application/vnd.openxmlformats-officedocument.spreadsheetml.sheet']",
        },
        { content: "by amount", trigger: "[data-measure=expected_revenue]", run: "click" },
        { trigger: ".o_opportunity_funnel_lost_here:contains(80.00)", run: "click" },
        {
            content: "what was lost in S3, which is archived",
            trigger: ".o_list_view .o_data_row:contains(D)",
            run() {
                const rows = document.querySelectorAll(".o_list_view .o_data_row");
                if (rows.length !== 1) {
                    throw new Error(`${rows.length} opportunities are behind the loss`);
                }
            },
        },
        { trigger: ".o_back_button, .breadcrumb-item a:contains(Funnel)", run: "click" },
        {
            content: "as it was left",
            trigger: "[data-measure=expected_revenue].active",
            run() {
                checkRow(FUNNEL, "S3", "$ 950.00 | 6 | 66.7% | $ 80.00 | $ 150.00");
            },
        },
        { content: "Odoo's own graph", trigger: ".o_graph_button[data-mode=bar]", run: "click" },
        { trigger: ".o_graph_canvas_container canvas" },
        { trigger: ".o_switch_view.o_pivot", run: "click" },
        {
            content: "rates in percent, and empty where there is none",
            trigger: `${PIVOT}:contains(S4)`,
            run() {
                checkRow(PIVOT, "S1", "8 | $ 1,060.00 | 1 | 0 | 87.5% | 100.0% | 60.0% | 7.5");
                checkRow(PIVOT, "S4", "4 | $ 720.00 | 1 | 0 | 75.0% | 100.0% | 100.0% | 6.7");
                checkRow(PIVOT, "W", "3 | $ 420.00 | 0 | 0 |  |  | 100.0% | 0.0");
            },
        },
        {
            content: "each opportunity counts once in the total",
            trigger: `${PIVOT}:contains(Funnel) td:contains(60.0%)`,
        },
    ],
});

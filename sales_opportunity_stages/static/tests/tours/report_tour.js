import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

/** The cells of a row of the pivot, by the name that it begins with. */
function readRow(name) {
    const rows = [...document.querySelectorAll(".o_pivot tbody tr")];
    const row = rows.find((candidate) => candidate.querySelector("th").textContent.trim() === name);
    return [...row.querySelectorAll("td")].map((cell) => cell.textContent.trim());
}

function checkRow(name, expected) {
    const found = readRow(name).join(" | ").replaceAll("\u00a0", " ");
    if (found !== expected) {
        throw new Error(`${name} shows ${found}, not ${expected}`);
    }
}

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
            content: "rates in percent, and empty where there is none",
            trigger: ".o_pivot tbody tr:contains(S4)",
            run() {
                checkRow("S1", "8 | $ 1,060.00 | 1 | 0 | 87.5% | 100.0% | 60.0% | 7.5");
                checkRow("S4", "4 | $ 720.00 | 1 | 0 | 75.0% | 100.0% | 100.0% | 6.7");
                checkRow("W", "3 | $ 420.00 | 0 | 0 |  |  | 100.0% | 0.0");
            },
        },
        { content: "each opportunity counts once in the total", trigger: ".o_pivot tbody tr:contains(Funnel) td:contains(60.0%)" },
    ],
});

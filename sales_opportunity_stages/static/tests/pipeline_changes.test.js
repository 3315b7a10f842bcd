import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { describe, expect, test } from "@odoo/hoot";
import { queryAll, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import {
    ChangeFigures,
    FIGURES,
    NAMES,
} from "@sales_opportunity_stages/views/pipeline_changes/change_figures";

const COUNTS = { start: 3, new: 1, reopened: 1, won: 1, lost: 1, bigger: 1, end: 3, moved_back: 1 };
const REVENUES = {
    start: 530,
    new: 60,
    reopened: 120,
    won: 120,
    lost: 80,
    bigger: 20,
    end: 530,
    moved_back: 300,
};
const NOTICE = "Figures are exact from 3/10/26 on.";

class CrmPipelineChangeReport extends models.Model {
    _name = "crm.pipeline.change.report";

    lead_id = fields.Many2one({ relation: "crm.lead" });
    visit_user_id = fields.Many2one({ string: "Salesperson Then", relation: "res.users" });
    currency_id = fields.Many2one({ relation: "res.currency" });
    end_count = fields.Integer({ string: "At End", aggregator: "sum" });

    _views = {
        graph: `<graph js_class="pipeline_changes"><field name="visit_user_id"/></graph>`,
        search: `
            <search>
                <filter name="mine" string="Mine" domain="[('visit_user_id', '=', 7)]"/>
                <filter name="by_user" string="Salesperson" context="{'group_by': 'visit_user_id'}"/>
            </search>`,
    };
}

class CrmLead extends models.Model {
    _name = "crm.lead";
}

defineMailModels();
defineModels([CrmPipelineChangeReport, CrmLead]);
describe.current.tags("desktop");

function makeValues(share = 1) {
    return Object.fromEntries(
        NAMES.flatMap((name) => [
            [`${name}_count:sum`, (COUNTS[name] || 0) * share],
            [`${name}_revenue:sum`, (REVENUES[name] || 0) * share],
        ]),
    );
}

function answer({ notice = false } = {}) {
    onRpc("crm.pipeline.change.report", "get_history_notice", () => notice);
    onRpc("crm.pipeline.change.report", "formatted_read_group", ({ kwargs }) => {
        const { domain, groupby } = kwargs;
        expect.step(`read ${JSON.stringify(domain)} ${groupby.join()}`);
        const currencies = { "currency_id:array_agg_distinct": [1] };
        if (!groupby.length) {
            return [{ ...makeValues(2), ...currencies }];
        }
        return [7, 8].map((id) => ({
            visit_user_id: [id, `User ${id}`],
            __extra_domain: [["visit_user_id", "=", id]],
            ...makeValues(),
            "moved_count:sum": id === 7 ? -1 : 1,
            "moved_revenue:sum": id === 7 ? -50 : 50,
            ...currencies,
        }));
    });
}

const mount = (params = {}) =>
    mountView({ type: "graph", resModel: "crm.pipeline.change.report", ...params });

const readRow = (name) =>
    queryAllTexts(`tr[data-name=${name}] td`).map((text) => text.replaceAll("\u00a0", " "));

describe("figures", () => {
    const figures = new ChangeFigures({
        title: "Total",
        domain: [],
        values: { start_revenue: 530, new_revenue: 60, won_revenue: 120, end_revenue: 470 },
    });

    test("each bar begins where the one before it ends", () => {
        const bars = figures.getBars("revenue", FIGURES);
        for (const [index, bar] of bars.entries()) {
            if (!bar.isEnd) {
                expect(bar.from).toBe(bars[index - 1].to);
            }
        }
        expect(bars.at(-2).to).toBe(bars.at(-1).to);
        expect(bars.at(-1).from).toBe(0);
    });

    test("counts have no bars of what grew or shrank", () => {
        const names = figures.getBars("count", FIGURES).map(({ name }) => name);
        expect(names).not.toInclude("bigger");
        expect(names).toInclude("won");
    });
});

test("a waterfall beside a table", async () => {
    answer();
    await mount();
    expect.verifySteps(["read [] "]);
    expect(readRow("start")).toEqual(["6", "$ 1,060.00"]);
    expect(readRow("won")).toEqual(["2", "$ 240.00"]);
    expect(".o_pipeline_changes_bars button").toHaveCount(8);
    expect("tr[data-name=moved]").toHaveCount(0);
    expect("[data-name=won] .o_pipeline_changes_minus").toHaveCount(1);
    expect(".o_history_notice").toHaveCount(0);
    const heights = queryAll(".o_pipeline_changes_end").map((bar) => bar.style.height);
    expect(heights[0]).toBe(heights[1]);
});

test("the chart shows opportunities instead of revenue", async () => {
    answer();
    await mount();
    expect.verifySteps(["read [] "]);
    await contains(".o_pipeline_changes_chart .btn-group button:last").click();
    expect(".o_pipeline_changes_bars button").toHaveCount(6);
    expect(queryOne("[data-name=start] .o_pipeline_changes_text").textContent).toBe("6");
});

test("groups, with what moved from one to the other", async () => {
    answer();
    await mount({ groupBy: ["visit_user_id"] });
    expect.verifySteps(["read [] ", "read [] visit_user_id"]);
    expect(queryAllTexts("thead th").slice(1)).toEqual(["Total", "User 7", "User 8"]);
    expect(readRow("moved")).toEqual(["0", "$ 0.00", "-1", "$ -50.00", "1", "$ 50.00"]);
});

test("each figure opens its opportunities", async () => {
    answer();
    mockService("action", {
        doAction(action) {
            expect.step(JSON.stringify([action.res_model, action.name, action.domain]));
        },
    });
    await mount({ groupBy: ["visit_user_id"], domain: [["lead_id", "!=", false]] });
    expect.verifySteps([
        'read [["lead_id","!=",false]] ',
        'read [["lead_id","!=",false]] visit_user_id',
    ]);
    await contains("tr[data-name=won] button:eq(1)").click();
    expect.verifySteps([
        JSON.stringify([
            "crm.pipeline.change.report",
            "Won: User 7",
            ["&", ["lead_id", "!=", false], ["visit_user_id", "=", 7], ["won_count", "!=", 0]],
        ]),
    ]);
    await contains(".o_pipeline_changes_bars [data-name=lost]").click();
    expect.verifySteps([
        JSON.stringify([
            "crm.pipeline.change.report",
            "Lost: Total",
            [["lead_id", "!=", false], ["lost_count", "!=", 0]],
        ]),
    ]);
});

test("from when figures are exact", async () => {
    answer({ notice: NOTICE });
    await mount();
    await animationFrame();
    expect.verifySteps(["read [] "]);
    expect(".o_history_notice").toHaveText(NOTICE);
});

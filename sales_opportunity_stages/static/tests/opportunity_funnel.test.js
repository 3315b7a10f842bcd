import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { describe, expect, test } from "@odoo/hoot";
import { keyDown, press, queryAll, queryAllTexts, queryFirst, queryOne } from "@odoo/hoot-dom";
import { animationFrame, mockDate, mockTimeZone } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    defineParams,
    editFavoriteName,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
    saveFavorite,
    toggleMenuItem,
    toggleSaveFavorite,
    toggleSearchBarMenu,
} from "@web/../tests/web_test_helpers";
import { formatFigure } from "@sales_opportunity_stages/views/opportunity_funnel/funnel_format";
import { ReportPeriod } from "@sales_opportunity_stages/views/opportunity_report/report_period";
import { getResultColors } from "@sales_opportunity_stages/views/opportunity_report/result_colors";
import { localization } from "@web/core/l10n/localization";
import { download, downloadFile } from "@web/core/network/download";

const WON_STATUS = [
    ["pending", "Open"],
    ["won", "Won"],
    ["lost", "Lost"],
];
const STAGES = ["S1", "S2", "S3", "S4", "W"];
/** The worked example: reached, amount, weighted, advanced, lost here, lost amount, pending, pending amount. */
const EXAMPLE = [
    [8, 1060, 620, 7, 0, 0, 1, 60],
    [7, 1000, 614, 6, 1, 50, 0, 0],
    [6, 950, 614, 4, 1, 80, 1, 150],
    [4, 720, 480, 3, 0, 0, 1, 300],
    [3, 420, 420, 0, 0, 0, 0, 0],
];
const RATES = [
    [7 / 8, 1, 3 / 5, 7.5, 8],
    [6 / 7, 6 / 7, 3 / 5, 12.5, 10],
    [4 / 6, 4 / 5, 3 / 4, 70 / 6, 10],
    [3 / 4, 1, 1, 20 / 3, 5],
    [null, null, 1, 0, 0],
];

class CrmFunnelReport extends models.Model {
    _name = "crm.funnel.report";

    lead_id = fields.Many2one({ relation: "crm.lead" });
    opportunity_type_id = fields.Many2one({ relation: "crm.opportunity.type" });
    stage_id = fields.Many2one({ relation: "crm.stage" });
    user_id = fields.Many2one({ string: "Salesperson", relation: "res.users" });
    won_status = fields.Selection({ selection: WON_STATUS });
    date_deadline = fields.Date();
    create_date = fields.Datetime();
    opportunity_count = fields.Integer({ string: "Opportunities", aggregator: "sum" });
    reached = fields.Integer({
        string: "Reached",
        aggregator: "sum",
        help: "Came here or further.",
    });
    advanced = fields.Integer({ string: "Advanced", aggregator: "sum" });
    lost_here = fields.Integer({ string: "Lost Here", aggregator: "sum" });
    pending = fields.Integer({ string: "Pending", aggregator: "sum" });
    won = fields.Integer({ string: "Won", aggregator: "sum" });
    expected_revenue = fields.Float({ string: "Expected Revenue", aggregator: "sum" });
    step_rate = fields.Float({ string: "Step Rate", aggregator: "avg" });
    resolved_rate = fields.Float({ string: "Resolved Rate", aggregator: "avg" });
    win_rate = fields.Float({ string: "Win Rate", aggregator: "avg" });
    days_in_stage = fields.Float({ string: "Days in Stage", aggregator: "avg" });
    median_days = fields.Float({ string: "Median Days in Stage", aggregator: "avg" });

    _views = {
        graph: `
            <graph js_class="opportunity_funnel" string="Funnel" sample="1">
                <field name="stage_id"/>
                <field name="reached" type="measure"/>
            </graph>`,
        search: `
            <search>
                <filter name="mine" string="Mine" domain="[('user_id', '=', 7)]"/>
                <separator/>
                <filter name="closing" string="Closing" date="date_deadline" default_period="month"/>
                <filter name="undated" string="No Closing" domain="[('date_deadline', '=', False)]"/>
                <filter name="by_type" string="Type" context="{'group_by': 'opportunity_type_id'}"/>
                <filter name="by_stage" string="Stage" context="{'group_by': 'stage_id'}"/>
                <filter name="by_user" string="Salesperson" context="{'group_by': 'user_id'}"/>
                <filter name="by_result" string="Result" context="{'group_by': 'won_status'}"/>
                <filter name="by_month" string="Month" context="{'group_by': 'date_deadline:month'}"/>
            </search>`,
    };
}

class CrmOpportunityType extends models.Model {
    _name = "crm.opportunity.type";
}

class CrmStage extends models.Model {
    _name = "crm.stage";
}

class CrmLead extends models.Model {
    _name = "crm.lead";
}

defineMailModels();
defineModels([CrmFunnelReport, CrmOpportunityType, CrmStage, CrmLead]);
describe.current.tags("desktop");

function makeRow(index, group = {}, type = [1, "Funnel"], share = 1) {
    const [reached, amount, weighted, advanced, lost, lostAmount, pending, pendingAmount] =
        EXAMPLE[index];
    const [step, resolved, win, days, median] = RATES[index];
    return {
        opportunity_type_id: type,
        stage_id: [10 * type[0] + index, STAGES[index]],
        ...group,
        __extra_domain: [["stage_id", "=", 10 * type[0] + index]],
        "reached:sum": reached * share,
        "expected_revenue:sum": amount * share,
        "prorated_revenue:sum": weighted * share,
        "advanced:sum": advanced * share,
        "lost_here:sum": lost * share,
        "lost_revenue:sum": lostAmount * share,
        "pending:sum": pending * share,
        "pending_revenue:sum": pendingAmount * share,
        "pending_prorated_revenue:sum": pendingAmount * share * 0.3,
        "won:sum": 3 * share,
        "step_rate:avg": step,
        "resolved_rate:avg": resolved,
        "win_rate:avg": win,
        "days_in_stage:avg": days,
        "median_days:avg": median,
    };
}

/** What the server answers: the stages of each type in their order, whatever the order of the rows. */
function makeAnswer(rows, { isComplete = true } = {}) {
    const types = new Map(rows.map((row) => row.opportunity_type_id));
    return {
        rows,
        types: [...types].map(([id, name]) => ({
            id,
            name,
            stages: STAGES.map((stage, index) => ({
                id: 10 * id + index,
                name: stage,
                is_won: stage === "W",
            })),
        })),
        is_complete: isComplete,
        currency_id: 1,
    };
}

const EVERY = [...EXAMPLE.keys()];

/** Answer each call with what `getRows` makes of its domain and groupings, and report the call as a step. */
function answerWith(getRows, options) {
    onRpc("crm.funnel.report", "get_funnels", ({ args: [domain, groupBy] }) => {
        expect.step(`get_funnels ${JSON.stringify(domain)} ${groupBy.join()}`);
        return makeAnswer(getRows(domain, groupBy), options);
    });
}

function mountFunnel(params = {}) {
    return mountView({ type: "graph", resModel: "crm.funnel.report", ...params });
}

/** The texts of the rows of a funnel: stage, value, figure beside it, step rate, lost and pending. */
function readFunnel(index = 0) {
    const chart = queryAll(".o_opportunity_funnel_chart")[index];
    return [
        ...chart.querySelectorAll(".o_opportunity_funnel_row:not(.o_opportunity_funnel_head)"),
    ].map((row) =>
        [...row.children]
            .map((cell) => cell.textContent.trim().replaceAll("\u00a0", " "))
            .join(" | "),
    );
}

function readTable() {
    return queryAll(".o_opportunity_funnel_table tbody tr").map((row) =>
        [...row.children]
            .map((cell) => cell.textContent.trim().replaceAll("\u00a0", " "))
            .join(" | "),
    );
}

function readShape(index) {
    return queryAll(".o_opportunity_funnel_shape")[index].style.clipPath;
}

const BY_USER = [{ user_id: [7, "Anna"] }, { user_id: [8, "Ben"] }, { user_id: false }];

function rowsByUser() {
    return BY_USER.flatMap((group, place) =>
        EVERY.map((index) => makeRow(index, group, [1, "Funnel"], 3 - place)),
    );
}

// ------------------------------------------------------------
// The funnel
// ------------------------------------------------------------

test("shows each stage in the server's order, with its figures", async () => {
    answerWith(() => EVERY.toReversed().map((index) => makeRow(index)));
    await mountFunnel();
    expect.verifySteps(["get_funnels [] "]);
    expect(readFunnel()).toEqual([
        "S1 | 8 | $ 1,060.00 | 87.5% | – | 1",
        "S2 | 7 | $ 1,000.00 | 85.7% | 1 | –",
        "S3 | 6 | $ 950.00 | 66.7% | 1 | 1",
        "S4 | 4 | $ 720.00 | 75.0% | – | 1",
        "W | 3 | $ 420.00 |  | – | –",
    ]);
    expect(queryAllTexts("[data-summary] b")).toEqual(["8", "3", "2", "3", "60.0%", "37.5%"]);
});

test("a segment narrows from its own width to that of the next one", async () => {
    answerWith(() => EVERY.map((index) => makeRow(index)));
    await mountFunnel();
    expect(readShape(0)).toBe("polygon(0% 0%, 100% 0%, 93.75% 100%, 6.25% 100%)");
    expect(readShape(3)).toBe("polygon(25% 0%, 75% 0%, 68.75% 100%, 31.25% 100%)");
    expect(readShape(4)).toBe("polygon(31.25% 0%, 68.75% 0%, 68.75% 100%, 31.25% 100%)");
    expect.verifySteps(["get_funnels [] "]);
});

test("counts, amounts and weighted amounts, without asking the server again", async () => {
    answerWith(() => EVERY.map((index) => makeRow(index)));
    await mountFunnel();
    await contains("[data-measure=expected_revenue]").click();
    expect(readFunnel()[2]).toBe("S3 | $ 950.00 | 6 | 66.7% | $ 80.00 | $ 150.00");
    expect(readShape(4)).toBe("polygon(30.19% 0%, 69.81% 0%, 69.81% 100%, 30.19% 100%)");
    await contains("[data-measure=prorated_revenue]").click();
    expect(readFunnel()[2]).toBe("S3 | $ 614.00 | 6 | 66.7% | $ 80.00 | $ 45.00");
    expect("[data-measure=prorated_revenue]").toHaveAttribute("aria-pressed", "true");
    expect.verifySteps(["get_funnels [] "]);
});

test("stages that nobody reached are there, and lead nowhere", async () => {
    answerWith(() => [makeRow(0)]);
    mockService("action", { doAction: () => expect.step("doAction") });
    await mountFunnel();
    expect(readFunnel().length).toBe(5);
    expect(readFunnel()[3]).toBe("S4 | 0 | $ 0.00 |  | – | –");
    await contains(".o_opportunity_funnel_segment:eq(3)").click();
    expect.verifySteps(["get_funnels [] "]);
});

test("of a search for some stages only those are shown", async () => {
    answerWith(() => [makeRow(2), makeRow(3)], { isComplete: false });
    await mountFunnel();
    expect(readFunnel().map((row) => row.split(" | ")[0])).toEqual(["S3", "S4"]);
    expect.verifySteps(["get_funnels [] "]);
});

test("one type at a time, never mixed", async () => {
    answerWith(() => [...EVERY.map((index) => makeRow(index)), makeRow(0, {}, [2, "Other"], 2)]);
    await mountFunnel();
    expect(queryAllTexts(".o_opportunity_funnel_type")).toEqual(["Funnel 8", "Other 16"]);
    expect(".o_opportunity_funnel_chart").toHaveCount(1);
    expect(readFunnel()[0]).toBe("S1 | 16 | $ 2,120.00 | 87.5% | – | 2"); // the largest
    expect(readTable().length).toBe(5);
    await contains(".o_opportunity_funnel_type:eq(0)").click();
    expect(readFunnel()[0]).toBe("S1 | 8 | $ 1,060.00 | 87.5% | – | 1");
    await toggleSearchBarMenu();
    await toggleMenuItem("Type");
    expect(queryAllTexts("h3")).toEqual(["Funnel", "Other"]);
    expect(".o_opportunity_funnel_type").toHaveCount(0);
    expect.verifySteps(["get_funnels [] ", "get_funnels [] "]);
});

// ------------------------------------------------------------
// The table
// ------------------------------------------------------------

test("the stage-promotion table, empty where a rate has nothing to divide by", async () => {
    answerWith(() => EVERY.map((index) => makeRow(index)));
    await mountFunnel();
    expect(readTable()).toEqual([
        "S1 | 8 | $ 1,060.00 | 7 | 0 | 1 | 87.5% | 100.0% | 60.0% | 7.5 | 8.0",
        "S2 | 7 | $ 1,000.00 | 6 | 1 | 0 | 85.7% | 85.7% | 60.0% | 12.5 | 10.0",
        "S3 | 6 | $ 950.00 | 4 | 1 | 1 | 66.7% | 80.0% | 75.0% | 11.7 | 10.0",
        "S4 | 4 | $ 720.00 | 3 | 0 | 1 | 75.0% | 100.0% | 100.0% | 6.7 | 5.0",
        "W | 3 | $ 420.00 |  | 0 | 0 |  |  | 100.0% |  | ",
    ]);
    expect.verifySteps(["get_funnels [] "]);
});

// ------------------------------------------------------------
// What is behind it
// ------------------------------------------------------------

test("a segment, a loss, what is pending and a cell open their opportunities", async () => {
    answerWith(() => EVERY.map((index) => makeRow(index)));
    onRpc("crm.funnel.report", "get_opportunities_action", ({ args: [domain] }) => {
        expect.step(JSON.stringify(domain));
        return { type: "ir.actions.act_window", res_model: "crm.lead" };
    });
    mockService("action", {
        doAction: (action, { newWindow }) =>
            expect.step(`${action.name} ${action.res_model} ${newWindow}`),
    });
    await mountFunnel({ domain: [["user_id", "=", 7]] });
    expect.verifySteps([`get_funnels [["user_id","=",7]] `]);
    const behind = (count) => `["&",["user_id","=",7],"&",["stage_id","=",12],["${count}","=",1]]`;
    await contains(".o_opportunity_funnel_segment:eq(2)").click();
    expect.verifySteps([behind("reached"), "S3: Reached crm.lead false"]);
    await contains(".o_opportunity_funnel_lost_here:eq(1)").click();
    expect.verifySteps([behind("lost_here"), "S3: Lost Here crm.lead false"]);
    await contains(".o_opportunity_funnel_pending:eq(1)").click({ ctrlKey: true });
    expect.verifySteps([behind("pending"), "S3: Pending crm.lead true"]);
    await contains("tbody tr:eq(2) td[data-name=advanced] button").click();
    expect.verifySteps([behind("advanced"), "S3: Advanced crm.lead false"]);
    expect("tbody td[data-name=step_rate] button").toHaveCount(0);
});

test("the keyboard reaches every segment and every loss", async () => {
    answerWith(() => EVERY.map((index) => makeRow(index)));
    onRpc("crm.funnel.report", "get_opportunities_action", () => ({
        type: "ir.actions.act_window",
    }));
    mockService("action", { doAction: ({ name }) => expect.step(name) });
    await mountFunnel();
    expect(".o_opportunity_funnel_chart button[tabindex='0']").toHaveCount(1);
    const focused = () => document.activeElement.getAttribute("aria-label");
    queryFirst(".o_opportunity_funnel_segment").focus();
    expect(focused()).toMatch(
        /^S1: Reached 8, Expected Revenue \$.1,060.00, Step Rate 87.5%, Lost Here 0, Pending 1$/,
    );
    for (const [key, label] of [
        ["ArrowDown", /^S2: Reached 7/],
        ["ArrowRight", /^S2, Lost Here: 1/],
        ["ArrowDown", /^S3, Lost Here: 1/],
        ["ArrowRight", /^S3, Pending: 1/],
        ["ArrowUp", /^S2, Lost Here: 1/],
        ["ArrowLeft", /^S2: Reached 7/],
        ["End", /^W: Reached 3/],
        ["ArrowDown", /^W: Reached 3/],
        ["Home", /^S1: Reached 8/],
    ]) {
        await keyDown(key);
        await animationFrame();
        expect(focused()).toMatch(label);
        expect(document.activeElement).toHaveAttribute("tabindex", "0");
    }
    expect(".o_opportunity_funnel_chart button[tabindex='0']").toHaveCount(1);
    await press("Enter");
    await animationFrame();
    expect.verifySteps(["get_funnels [] ", "S1: Reached"]);
});

test("from right to left the arrow keys follow the page", async () => {
    defineParams({ lang_parameters: { direction: "rtl" } });
    answerWith(() => EVERY.map((index) => makeRow(index)));
    await mountFunnel();
    queryAll(".o_opportunity_funnel_segment")[1].focus();
    await keyDown("ArrowLeft");
    expect(document.activeElement.getAttribute("aria-label")).toBe("S2, Lost Here: 1");
    await keyDown("ArrowRight");
    expect(document.activeElement.getAttribute("aria-label")).toMatch(/^S2: /);
    expect.verifySteps(["get_funnels [] "]);
});

// ------------------------------------------------------------
// Search
// ------------------------------------------------------------

test("filters narrow it, and a grouping gives a funnel to each group", async () => {
    answerWith((domain, groupBy) =>
        groupBy.length ? rowsByUser() : EVERY.map((index) => makeRow(index)),
    );
    await mountFunnel();
    await toggleSearchBarMenu();
    await toggleMenuItem("Mine");
    await toggleMenuItem("Salesperson");
    expect.verifySteps([
        "get_funnels [] ",
        `get_funnels [["user_id","=",7]] `,
        `get_funnels [["user_id","=",7]] user_id`,
    ]);
    expect(queryAllTexts("h4")).toEqual(["Anna", "Ben", "None"]);
    expect(readFunnel(2)[0]).toBe("S1 | 8 | $ 1,060.00 | 87.5% | – | 1");
    expect(readShape(10)).toBe("polygon(33.33% 0%, 66.67% 0%, 64.58% 100%, 35.42% 100%)", {
        message: "all to one scale",
    });
    expect(readTable().slice(0, 4)).toEqual([
        "S1 |  |  |  |  |  |  |  |  |  | ",
        "Anna | 24 | $ 3,180.00 | 21 | 0 | 3 | 87.5% | 100.0% | 60.0% | 7.5 | 8.0",
        "Ben | 16 | $ 2,120.00 | 14 | 0 | 2 | 87.5% | 100.0% | 60.0% | 7.5 | 8.0",
        "None | 8 | $ 1,060.00 | 7 | 0 | 1 | 87.5% | 100.0% | 60.0% | 7.5 | 8.0",
    ]);
});

test("groups of selections and dates have their names; stage is no grouping of its own", async () => {
    answerWith((domain, groupBy) =>
        EVERY.map((index) =>
            makeRow(index, {
                won_status: "won",
                "date_deadline:month": ["2026-04-01", "April 2026"],
            }),
        ),
    );
    await mountFunnel({ groupBy: ["stage_id", "won_status", "date_deadline:month"] });
    expect(queryAllTexts("h4")).toEqual(["Won / April 2026"]);
    expect.verifySteps(["get_funnels [] won_status,date_deadline:month"]);
});

test("of many groups the largest are shown, and all of them on demand", async () => {
    answerWith(() =>
        [...Array(14).keys()].map((place) =>
            makeRow(0, { user_id: [place + 1, `User ${place}`] }, [1, "Funnel"], place + 1),
        ),
    );
    await mountFunnel({ groupBy: ["user_id"] });
    expect(".o_opportunity_funnel_chart").toHaveCount(12);
    expect(queryAllTexts("h4")[0]).toBe("User 2");
    await contains(".o_graph_load_all_btn").click();
    expect(".o_opportunity_funnel_chart").toHaveCount(14);
    expect(".o_graph_load_all_btn").toHaveCount(0);
    expect.verifySteps(["get_funnels [] user_id"]);
});

// ------------------------------------------------------------
// Comparisons
// ------------------------------------------------------------

async function compareWith(name) {
    await contains(".o_opportunity_funnel_compare").click();
    await contains(`.o_menu_item[data-compare='${name}']`).click();
}

test("compares two salespeople, the largest first, or those that are chosen", async () => {
    answerWith((domain, groupBy) =>
        groupBy.length ? rowsByUser() : EVERY.map((index) => makeRow(index)),
    );
    await mountFunnel();
    await compareWith("user_id");
    expect(queryAllTexts("h4")).toEqual(["Anna", "Ben"]);
    expect(readTable().slice(0, 4)).toEqual([
        "S1 |  |  |  |  |  |  |  |  |  | ",
        "Anna | 24 | $ 3,180.00 | 21 | 0 | 3 | 87.5% | 100.0% | 60.0% | 7.5 | 8.0",
        "Ben | 16 | $ 2,120.00 | 14 | 0 | 2 | 87.5% | 100.0% | 60.0% | 7.5 | 8.0",
        "Difference | +8 | +$ 1,060.00 | +7 | 0 | +1 | 0.0 pp | 0.0 pp | 0.0 pp | 0.0 | 0.0",
    ]);
    await contains(".o_opportunity_funnel_pair[data-place='0']").select("[false]");
    expect(queryAllTexts("h4")).toEqual(["None", "Ben"]);
    expect(readTable()[3]).toMatch(/^Difference \| −8 \| −\$ 1,060.00 \| −7/);
    await contains(".o_opportunity_funnel_pair[data-place='0']").select("[8]");
    expect(queryAllTexts("h4")).toEqual(["Ben", "None"], { message: "they change places" });
    expect.verifySteps(["get_funnels [] ", "get_funnels [] user_id"]);
    await compareWith("");
    expect(".o_opportunity_funnel_chart").toHaveCount(1);
    expect.verifySteps(["get_funnels [] "]);
});

test("compares with the period before and with last year's", async () => {
    mockDate("2026-03-20 12:00:00");
    const share = (domain) => (JSON.stringify(domain).includes("2026-03-01") ? 2 : 1);
    answerWith((domain) => EVERY.map((index) => makeRow(index, {}, [1, "Funnel"], share(domain))));
    await mountFunnel({ context: { search_default_closing: 1 } });
    const within = (start, end) =>
        `get_funnels ["&",["date_deadline",">=","${start}"],["date_deadline","<=","${end}"]] `;
    expect.verifySteps([within("2026-03-01", "2026-03-31")]);
    await compareWith("previous");
    expect.verifySteps([within("2026-03-01", "2026-03-31"), within("2026-02-01", "2026-02-28")]);
    expect(queryAllTexts("h4")).toEqual(["March 2026", "February 2026"]);
    expect(readFunnel(0)[0]).toBe("S1 | 16 | $ 2,120.00 | 87.5% | – | 2");
    expect(readFunnel(1)[0]).toBe("S1 | 8 | $ 1,060.00 | 87.5% | – | 1");
    await compareWith("year");
    expect.verifySteps([within("2026-03-01", "2026-03-31"), within("2025-03-01", "2025-03-31")]);
});

test("a period is moved by its own length, in months where it consists of months", () => {
    mockTimeZone(+1);
    const typed = { date_deadline: { type: "date" }, create_date: { type: "datetime" } };
    const within = (name, ...bounds) => [
        "&",
        ...bounds.map(([operator, value]) => [name, operator, value]),
    ];
    const move = (domain, duration) => {
        const period = ReportPeriod.find(domain, typed);
        const other = period.shift(duration || period.length);
        const values = other.domain
            .filter(Array.isArray)
            .map(([, operator, value]) => operator + value);
        return [period.label, other.label, ...values];
    };
    const closing = (first, last) => within("date_deadline", [">=", first], ["<=", last]);
    expect(move(closing("2026-01-01", "2026-03-31"))).toEqual([
        "Q1 2026",
        "Q4 2025",
        ">=2025-10-01",
        "<=2025-12-31",
    ]);
    expect(move(closing("2026-01-01", "2026-12-31"))).toEqual([
        "2026",
        "2025",
        ">=2025-01-01",
        "<=2025-12-31",
    ]);
    expect(move(closing("2026-03-11", "2026-03-20"))).toEqual([
        "03/11/2026 – 03/20/2026",
        "03/01/2026 – 03/10/2026",
        ">=2026-03-01",
        "<=2026-03-10",
    ]);
    expect(move(closing("2024-02-01", "2024-02-29"), { years: 1 })).toEqual([
        "February 2024",
        "February 2023",
        ">=2023-02-01",
        "<=2023-02-28",
    ]);
    expect(move(within("date_deadline", [">", "2026-02-28"], ["<", "2026-04-01"]))).toEqual([
        "March 2026",
        "February 2026",
        ">2026-01-31",
        "<2026-03-01",
    ]);
    const created = within(
        "create_date",
        [">=", "2026-02-28 23:00:00"],
        ["<=", "2026-03-31 22:59:59"],
    );
    expect(move(created)).toEqual([
        "March 2026",
        "February 2026",
        ">=2026-01-31 23:00:00",
        "<=2026-02-28 22:59:59",
    ]);
    const both = ["&", ...created, ...closing("2026-01-01", "2026-12-31")];
    expect(move(both).slice(0, 4)).toEqual([
        "2026",
        "2025",
        ">=2026-02-28 23:00:00",
        "<=2026-03-31 22:59:59",
    ]);
    const years = [
        "|",
        ...closing("2026-01-01", "2026-12-31"),
        ...closing("2025-01-01", "2025-12-31"),
    ];
    expect(move(years).slice(2)).toEqual([
        ">=2024-01-01",
        "<=2024-12-31",
        ">=2023-01-01",
        "<=2023-12-31",
    ]);
    for (const endless of [
        [],
        [["date_deadline", ">=", "2026-01-01"]],
        [["date_deadline", "=", "2026-01-01"]],
        closing("today", "today +1m"),
        closing("2026-02-01", "2026-01-01"),
    ]) {
        expect(ReportPeriod.find(endless, typed)).toBe(null);
    }
});

test("without a period there is none to compare with", async () => {
    answerWith(() => EVERY.map((index) => makeRow(index)));
    await mountFunnel();
    await contains(".o_opportunity_funnel_compare").click();
    expect(".o_menu_item[data-compare=previous]").toHaveClass("disabled");
    expect(".o_menu_item[data-compare=previous]").toHaveText(/Filter by a period first/);
    expect(".o_menu_item[data-compare=user_id]").not.toHaveClass("disabled");
    expect(".o_menu_item[data-compare=stage_id]").toHaveCount(0);
    expect.verifySteps(["get_funnels [] "]);
});

test("a favorite keeps what is measured and compared", async () => {
    answerWith((domain, groupBy) =>
        groupBy.length ? rowsByUser() : EVERY.map((index) => makeRow(index)),
    );
    onRpc("create_filter", ({ args: [values] }) => {
        expect.step(JSON.stringify(values.context));
        return [1];
    });
    await mountFunnel();
    await contains("[data-measure=expected_revenue]").click();
    await compareWith("user_id");
    await toggleSearchBarMenu();
    await toggleSaveFavorite();
    await editFavoriteName("A and B");
    await saveFavorite();
    const context = {
        group_by: [],
        graph_mode: "funnel",
        funnel_measure: "expected_revenue",
        funnel_compare: "user_id",
        funnel_pair: [],
        funnel_type: false,
        funnel_won: "expected",
    };
    const [first, second, saved] = [
        "get_funnels [] ",
        "get_funnels [] user_id",
        JSON.stringify(context),
    ];
    expect.verifySteps([first, second, saved, second]);
});

test("opens as a favorite was saved", async () => {
    answerWith(rowsByUser);
    await mountFunnel({
        context: {
            funnel_measure: "expected_revenue",
            funnel_compare: "user_id",
            funnel_pair: ["[8]", "[false]"],
        },
    });
    expect(queryAllTexts("h4")).toEqual(["Ben", "None"]);
    expect("[data-measure=expected_revenue]").toHaveClass("active");
    expect.verifySteps(["get_funnels [] user_id"]);
});

// ------------------------------------------------------------
// Opportunities without an expected closing
// ------------------------------------------------------------

async function mountForMarch(count) {
    mockDate("2026-03-20 12:00:00");
    answerWith(() => EVERY.map((index) => makeRow(index)));
    onRpc("crm.funnel.report", "formatted_read_group", ({ kwargs }) => {
        expect.step(`${JSON.stringify(kwargs.domain)} ${kwargs.aggregates}`);
        return [{ "lead_id:count_distinct": count }];
    });
    await mountFunnel({ context: { search_default_closing: 1 } });
    await animationFrame();
}

const IN_MARCH = `"&",["date_deadline",">=","2026-03-01"],["date_deadline","<=","2026-03-31"]`;
const UNDATED = `"&",["date_deadline","=",false],["date_deadline","=",false]`;

test("says how many are left out without an expected closing, and shows them", async () => {
    onRpc("crm.funnel.report", "get_opportunities_action", ({ args: [domain] }) => {
        expect.step(`opens ${JSON.stringify(domain)}`);
        return { type: "ir.actions.act_window" };
    });
    mockService("action", { doAction: ({ name }) => expect.step(name) });
    await mountForMarch(3);
    expect(".o_undated_notice").toHaveText(/not included: 3/);
    await contains(".o_undated_open").click();
    expect.verifySteps([
        `get_funnels [${IN_MARCH}] `,
        `[${UNDATED}] lead_id:count_distinct`,
        `opens [${UNDATED}]`,
        "No Expected Closing",
    ]);
});

test("includes what has no expected closing", async () => {
    await mountForMarch(1);
    await contains(".o_undated_include").click();
    await animationFrame();
    expect(".o_undated_notice").toHaveCount(0);
    expect.verifySteps([
        `get_funnels [${IN_MARCH}] `,
        `[${UNDATED}] lead_id:count_distinct`,
        `get_funnels ["|",${IN_MARCH},["date_deadline","=",false]] `,
    ]);
});

test("says nothing where nothing is left out", async () => {
    await mountForMarch(0);
    expect(".o_undated_notice").toHaveCount(0);
    expect.verifySteps([`get_funnels [${IN_MARCH}] `, `[${UNDATED}] lead_id:count_distinct`]);
});

// ------------------------------------------------------------
// Odoo's graph, nothing to show, and export
// ------------------------------------------------------------

test("a group without an opportunity of the type comes last", async () => {
    const [anna, ben] = BY_USER;
    answerWith(() => [
        makeRow(0, anna, [2, "Other"]),
        ...EVERY.map((index) => makeRow(index, ben, [1, "Funnel"], 3)),
    ]);
    await mountFunnel({ groupBy: ["user_id"] });
    expect(queryAllTexts("h4")).toEqual(["Ben", "Anna"]);
    expect.verifySteps(["get_funnels [] user_id"]);
});

test("a pair is chosen among those with opportunities of the type", async () => {
    const [anna, ben, none] = BY_USER;
    answerWith(() => [
        makeRow(0, anna, [2, "Other"], 2),
        ...EVERY.map((index) => makeRow(index, ben, [1, "Funnel"], 3)),
        ...EVERY.map((index) => makeRow(index, none)),
    ]);
    await mountFunnel({ context: { funnel_compare: "user_id" } });
    expect(queryAllTexts("h4")).toEqual(["Ben", "None"]);
    expect.verifySteps(["get_funnels [] user_id"]);
});

test("the pivot has no total of what is counted in each stage", async () => {
    onRpc("crm.funnel.report", "formatted_read_grouping_sets", ({ kwargs }) =>
        kwargs.grouping_sets.map((groupBy) => [
            {
                ...(groupBy.includes("opportunity_type_id") && { opportunity_type_id: [1, "Funnel"] }),
                ...(groupBy.includes("stage_id") && { stage_id: [10, "S1"] }),
                "reached:sum": 28,
                "pending:sum": 3,
                __count: 28,
                __extra_domain: [],
            },
        ]),
    );
    await mountView({
        type: "pivot",
        resModel: "crm.funnel.report",
        arch: `
            <pivot js_class="opportunity_funnel_pivot">
                <field name="opportunity_type_id" type="row"/>
                <field name="stage_id" type="row"/>
                <field name="reached" type="measure"/>
                <field name="pending" type="measure"/>
            </pivot>`,
    });
    const rows = queryAllTexts(".o_pivot tbody tr").map((text) => text.split(/\s+/).join(" "));
    expect(rows).toEqual(["Total 3", "Funnel 3", "S1 28 3"]);
});

test("a graph of what is counted in each stage shows the stages apart", async () => {
    onRpc("formatted_read_group", ({ kwargs }) => {
        expect.step(`${kwargs.groupby}`);
        return [];
    });
    await mountFunnel({ context: { graph_mode: "bar" }, groupBy: ["user_id"] });
    expect.verifySteps(["user_id,stage_id"]);
});

test("won is green and lost is red", () => {
    const fields = { won_status: { selection: WON_STATUS } };
    const groupBy = [{ fieldName: "won_status" }];
    const colors = getResultColors({ texts: ["Open", "Won", "Lost"], groupBy, fields });
    expect(colors.slice(1)).toEqual(["#3fa66b", "#e0526a"]);
    expect(["#3fa66b", "#e0526a"]).not.toInclude(colors[0]);
    const twice = { texts: ["Anna / Won"], groupBy: [{ fieldName: "user_id" }, ...groupBy], fields };
    expect(getResultColors(twice)).toEqual(["#3fa66b"]);
    expect(getResultColors({ texts: ["Anna"], groupBy: [{ fieldName: "user_id" }], fields })).toBe(null);
});

test("Odoo's own graph is one click away", async () => {
    answerWith(() => EVERY.map((index) => makeRow(index)));
    onRpc("formatted_read_group", ({ kwargs }) => {
        expect.step(`${kwargs.groupby} ${kwargs.aggregates}`);
        return [{ stage_id: [1, "S1"], "reached:sum": 8, __count: 8, __extra_domain: [] }];
    });
    await mountFunnel();
    await contains(".o_graph_button[data-mode=bar]").click();
    expect("canvas").toHaveCount(1);
    expect(".o_opportunity_funnel").toHaveCount(0);
    expect(".o_graph_button[data-mode=bar]").toHaveClass("active");
    await contains(".o_graph_button[data-mode=funnel]").click();
    expect("canvas").toHaveCount(0);
    expect(readFunnel().length).toBe(5);
    expect.verifySteps(["get_funnels [] ", "stage_id __count,reached:sum", "get_funnels [] "]);
});

test("without opportunities a faded sample says what it would look like", async () => {
    answerWith(() => []);
    mockService("action", { doAction: () => expect.step("doAction") });
    await mountFunnel({ noContentHelp: "<p>Nothing yet</p>" });
    expect(".o_view_sample_data .o_opportunity_funnel_chart").toHaveCount(1);
    expect(".o_view_nocontent").toHaveText(/Nothing yet/);
    expect(readFunnel().length).toBe(5);
    expect(".o_opportunity_funnel_png").toHaveCount(0);
    queryFirst(".o_opportunity_funnel_segment").click();
    await animationFrame();
    expect.verifySteps(["get_funnels [] "]);
    await toggleSearchBarMenu();
    await toggleMenuItem("Mine");
    expect(".o_opportunity_funnel_chart").toHaveCount(0);
    expect(".o_view_nocontent").toHaveCount(1);
    expect.verifySteps([`get_funnels [["user_id","=",7]] `]);
});

test("the spreadsheet holds the table's figures", async () => {
    mockDate("2026-03-20 12:00:00");
    answerWith(() => EVERY.map((index) => makeRow(index)));
    let sent;
    patchWithCleanup(download, {
        async _download({ url, data }) {
            expect.step(url);
            sent = JSON.parse(await data.data.text());
        },
    });
    await mountFunnel();
    await contains(".o_opportunity_funnel_xlsx").click();
    await expect.waitForSteps(["get_funnels [] ", "/opportunity_funnel/export_xlsx"]);
    expect(sent.title).toBe("Funnel of Funnel, 2026-03-20");
    expect(sent.subtitle).toBe("All opportunities");
    expect(sent.columns.map(({ kind }) => kind).join()).toBe(
        "integer,monetary,integer,integer,integer,rate,rate,rate,days,days",
    );
    expect(sent.columns.map(({ title }) => title)).toEqual([
        ...[
            "Reached",
            "Expected Revenue",
            "Advanced",
            "Lost Here",
            "Pending",
            "Step Rate",
            "Resolved Rate",
            "Win Rate",
        ],
        ...["Days in Stage", "Median Days in Stage"],
    ]);
    expect(sent.rows.map(({ title, indent }) => [title, indent])).toEqual([
        ["Funnel", 0],
        ...STAGES.map((name) => [name, 1]),
    ]);
    expect(sent.rows[4].values).toEqual([
        4,
        720,
        3,
        0,
        1,
        0.75,
        1,
        1,
        20 / 3,
        5,
    ]);
    expect(sent.rows[5].values).toEqual([
        3,
        420,
        null,
        0,
        0,
        null,
        null,
        1,
        null,
        null,
    ]);
});

test("the picture shows the segments in their colors", async () => {
    answerWith(() => EVERY.map((index) => makeRow(index)));
    let picture;
    patchWithCleanup(downloadFile, {
        _download(blob, name, type) {
            expect.step(`${name} ${type}`);
            picture = blob;
        },
    });
    mockDate("2026-03-20 12:00:00");
    await mountFunnel();
    await contains(".o_opportunity_funnel_png").click();
    await expect.waitForSteps([
        "get_funnels [] ",
        "Funnel of Funnel, 2026-03-20.png image/png",
    ]);
    const image = await createImageBitmap(picture);
    expect(image.width).toBe(2176);
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: image.width, height: image.height });
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const getRun = (y) => {
        const style = getComputedStyle(queryOne(".o_opportunity_funnel"));
        context.fillStyle = style.getPropertyValue("--o-funnel-series-0").trim();
        const color = context.fillStyle;
        const { data } = context.getImageData(0, y, image.width, 1);
        const hex = (at) =>
            `#${[...data.slice(at, at + 3)].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
        return [...Array(image.width).keys()].filter((x) => hex(4 * x) === color).length;
    };
    const runs = [...Array(image.height).keys()].map(getRun).filter(Boolean);
    expect(runs[0]).toBeWithin(780, 800);
    expect(runs.at(-1)).toBeWithin(280, 310);
});

test("large amounts are short, in Chinese by 万 and 亿", async () => {
    answerWith(() => EVERY.map((index) => makeRow(index)));
    await mountFunnel();
    await expect.waitForSteps(["get_funnels [] "]);
    const options = { currencyId: 1, longest: 1000 };
    const format = (value) => formatFigure("expected_revenue", value, options).replace("\u00a0", " ");
    expect([900, 276000, 1876000, -2500000].map(format)).toEqual(["$ 900.00", "$ 276k", "$ 1.88M", "$ -2.50M"]);
    patchWithCleanup(localization, { code: "zh_CN" });
    expect([900, 276000, 1876000, 345000000].map(format)).toEqual(["$ 900.00", "$ 27.6万", "$ 187.6万", "$ 3.5亿"]);
});

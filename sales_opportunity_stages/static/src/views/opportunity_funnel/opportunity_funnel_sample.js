import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

const REACHED = [48, 36, 25, 15, 9];
const WON = 9;

/** What the funnel of a team could look like: shown, faded, where there is no opportunity yet. */
function getSampleFunnels() {
    const stages = REACHED.map((_count, index) => ({
        id: index + 1,
        name: index === REACHED.length - 1 ? _t("Won") : _t("Stage %s", index + 1),
        is_won: index === REACHED.length - 1,
    }));
    const rows = REACHED.map((reached, index) =>
        getSampleRow(reached, REACHED[index + 1], stages[index]),
    );
    return { rows, types: [{ id: 1, name: _t("Opportunity Type"), stages }], currency_id: false };
}

function getSampleRow(reached, advanced = 0, stage) {
    const [lost, pending] = stage.is_won
        ? [0, 0]
        : [Math.ceil((reached - advanced) / 2), Math.floor((reached - advanced) / 2)];
    const lostLater = Math.ceil((reached - WON) / 2);
    return {
        opportunity_type_id: [1, ""],
        stage_id: [stage.id, stage.name],
        __extra_domain: [],
        "reached:sum": reached,
        "advanced:sum": advanced,
        "lost_here:sum": lost,
        "pending:sum": pending,
        "won:sum": WON,
        "expected_revenue:sum": reached * 9000,
        "prorated_revenue:sum": WON * 9000 + (reached - WON) * 2500,
        "lost_revenue:sum": lost * 9000,
        "pending_revenue:sum": pending * 9000,
        "pending_prorated_revenue:sum": pending * 2500,
        "step_rate:avg": advanced / reached,
        "resolved_rate:avg": advanced / (advanced + lost || 1),
        "win_rate:avg": WON / (WON + lostLater),
        "days_in_stage:avg": 6 + 2 * stage.id,
        "median_days:avg": 5 + 2 * stage.id,
    };
}

registry.category("sample_server").add("crm.funnel.report/get_funnels", getSampleFunnels);

import { _t } from "@web/core/l10n/translation";
import { formatDifference, formatFigure } from "./funnel_format";

/** The columns of the stage-promotion table: what of the report it shows, and what opens the rows behind it. */
export const TABLE_COLUMNS = [
    "reached",
    "expected_revenue",
    "advanced",
    "lost_here",
    "pending",
    "step_rate",
    "resolved_rate",
    "win_rate",
    "days_in_stage",
    "median_days",
];
const OPENING = ["reached", "advanced", "lost_here", "pending"];

/**
 * The stage-promotion table (阶段升迁统计表) of one type: a row for each stage, or, of several funnels, for each
 * stage and funnel, so that what is compared stands below one another; of two, their difference too.
 */
export class FunnelTable {
    /**
     * @param {{ stages: Object[], funnels: Funnel[] }} type
     */
    constructor({ stages, funnels }) {
        this.stages = stages;
        this.funnels = funnels;
    }

    /** @returns {{ key: string, title: string, indent: number, cells: Object[] }[]} */
    get rows() {
        return this.stages.flatMap((stage, index) =>
            this.funnels.length === 1
                ? [this.makeRow(this.funnels[0], index, stage.name, 0)]
                : this.makeRows(stage, index),
        );
    }

    makeRows(stage, index) {
        const rows = this.funnels.map((funnel) => this.makeRow(funnel, index, funnel.label, 1));
        if (rows.length === 2) {
            rows.push(this.makeDifference(index));
        }
        const cells = TABLE_COLUMNS.map((name) => ({ name, value: false, text: "" }));
        return [{ key: `${stage.id}`, title: stage.name, indent: 0, cells, isHead: true }, ...rows];
    }

    makeRow(funnel, index, title, indent) {
        const stage = funnel.stages[index];
        const cells = TABLE_COLUMNS.map((name) => {
            const value = stage.get(name);
            const text = formatFigure(name, value, funnel);
            return { name, value, text, opens: value && OPENING.includes(name) ? name : false };
        });
        return { key: `${stage.id} ${funnel.key}`, title, indent, cells, funnel, stage };
    }

    /** What the first has more than the second; nothing where one of them has no figure. */
    makeDifference(index) {
        const [first, second] = this.funnels.map((funnel) => funnel.stages[index]);
        const cells = TABLE_COLUMNS.map((name) => {
            const values = [first.get(name), second.get(name)];
            const isKnown = values.every((value) => value !== false && value !== null);
            const value = isKnown ? values[0] - values[1] : false;
            return {
                name,
                value,
                text: isKnown ? formatDifference(name, value, this.funnels[0]) : "",
            };
        });
        return {
            key: `${first.id} difference`,
            title: _t("Difference"),
            indent: 1,
            cells,
            isDifference: true,
        };
    }
}

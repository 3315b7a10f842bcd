import { FunnelStage } from "./funnel_stage";

/**
 * The funnel of one type: of all its opportunities that were searched for, or of a group of them, or in another period.
 */
export class Funnel {
    /**
     * @param {Object} params
     * @param {string} params.key tells it from the others of the type
     * @param {string} params.label of the group or period; empty where there is only one
     * @param {Object[]} params.stages of the type, in order
     * @param {Object[]} params.rows what the server reports, by stage
     * @param {Array} params.domain that the rows were searched by
     * @param {number} params.currencyId
     */
    constructor({ key, label, stages, rows, domain, currencyId }) {
        Object.assign(this, { key, label, domain, currencyId });
        const byStage = Object.fromEntries(rows.map((row) => [row.stage_id[0], row]));
        this.stages = stages.map((stage) => new FunnelStage(stage, byStage[stage.id]));
    }

    /** How many opportunities are in it. */
    get size() {
        return this.stages[0]?.get("reached") || 0;
    }

    /** What became of them. */
    get summary() {
        const [first, last] = [this.stages[0], this.stages.at(-1)];
        const won = last?.isWon ? last.get("won") : 0;
        return {
            reached: this.size,
            won,
            lost_here: this.sum("lost_here"),
            pending: this.sum("pending"),
            win_rate: first ? first.get("win_rate") : false,
            cumulative_rate: this.size && last.isWon ? last.get("reached") / this.size : false,
        };
    }

    sum(name) {
        return this.stages.reduce((total, stage) => total + stage.get(name), 0);
    }

    /** The largest value of a stage, that all segments are drawn in proportion to. */
    getMaximum(measure) {
        return Math.max(0, ...this.stages.map((stage) => stage.get(measure)));
    }

    /**
     * @param {string} measure
     * @param {number} maximum the value of a segment that is as wide as there is room
     * @returns {[number, number][]} how wide each segment is above and below, from 0 to 1: it narrows to the next one
     */
    getWidths(measure, maximum) {
        const widths = this.stages.map((stage) =>
            maximum ? Math.max(0, stage.get(measure)) / maximum : 0,
        );
        return widths.map((width, index) => [width, widths[index + 1] ?? width]);
    }
}

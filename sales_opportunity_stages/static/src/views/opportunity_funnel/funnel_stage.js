import { NOT_OF_WON } from "./funnel_measures";

/** One stage of one funnel: its figures, and which rows of the report they count. */
export class FunnelStage {
    /**
     * @param {{ id: number, name: string, is_won: boolean }} stage
     * @param {Object} [row] what the server reports of it; nothing where nobody reached it
     */
    constructor(stage, row) {
        this.id = stage.id;
        this.name = stage.name;
        this.isWon = stage.is_won;
        this.extraDomain = row?.__extra_domain;
        this.figures = {};
        for (const [spec, value] of Object.entries(row || {})) {
            const [name, aggregator] = spec.split(":");
            if (aggregator === "sum" || aggregator === "avg") {
                this.figures[name] = value;
            }
        }
    }

    /**
     * @param {string} name of a count, amount or rate
     * @returns {number | false} false where there is none, as of a rate that would divide by zero
     */
    get(name) {
        if (this.isWon && NOT_OF_WON.includes(name)) {
            return false;
        }
        const isAverage = name.endsWith("_rate") || name.includes("days");
        return isAverage ? this.figures[name] ?? false : this.figures[name] || 0;
    }

    /**
     * @param {"reached" | "advanced" | "lost_here" | "pending"} count
     * @returns {Array} the domain of the rows that it counts
     */
    getDomain(count) {
        return [...(this.extraDomain || []), [count, "=", 1]];
    }
}

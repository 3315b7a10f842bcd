import { _t } from "@web/core/l10n/translation";

/**
 * What a pipeline was at the start, what has changed, what it is at the end: in the order in which they add up.
 *
 * `sign` says how a figure counts: 0 for the two ends. Figures that are `optional` are shown where there are any.
 */
export const FIGURES = [
    { name: "start", label: _t("At Start"), sign: 0 },
    { name: "new", label: _t("New"), sign: 1 },
    { name: "reopened", label: _t("Reopened"), sign: 1, optional: true },
    { name: "moved", label: _t("Moved In or Out"), sign: 1, optional: true },
    { name: "bigger", label: _t("Bigger"), sign: 1, isAmountOnly: true },
    { name: "smaller", label: _t("Smaller"), sign: -1, isAmountOnly: true },
    { name: "won", label: _t("Won"), sign: -1 },
    { name: "lost", label: _t("Lost"), sign: -1 },
    { name: "left", label: _t("Left"), sign: -1, optional: true },
    { name: "end", label: _t("At End"), sign: 0 },
];

/** What else changed of what is there at both ends: no part of the sum. */
export const DETAILS = [
    { name: "pulled_in", label: _t("Pulled In") },
    { name: "pushed_out", label: _t("Pushed Out") },
    { name: "advanced", label: _t("Advanced") },
    { name: "moved_back", label: _t("Moved Back") },
    { name: "handed_over", label: _t("Handed Over") },
];

export const NAMES = [...FIGURES, ...DETAILS].map(({ name }) => name);

/** The figures of one group, or of all. */
export class ChangeFigures {
    /**
     * @param {Object} params
     * @param {string} params.title of the group
     * @param {Array} params.domain of its rows
     * @param {Object} params.values by the names of the fields: `new_count`, `new_revenue`
     */
    constructor({ title, domain, values }) {
        Object.assign(this, { title, domain, values });
    }

    /** @param {"count" | "revenue"} measure */
    get(name, measure) {
        return this.values[`${name}_${measure}`] || 0;
    }

    has(name) {
        return Boolean(this.get(name, "count") || this.get(name, "revenue"));
    }

    /** @returns {Array} the domain of the opportunities that a figure counts */
    getDomain(name) {
        return [...this.domain, [`${name}_count`, "!=", 0]];
    }

    /**
     * The bars of a waterfall: each from where the one before it has ended.
     *
     * @param {"count" | "revenue"} measure
     * @param {Object[]} figures of `FIGURES`
     * @returns {{ name: string, label: string, from: number, to: number, change: number, isEnd: boolean }[]}
     */
    getBars(measure, figures) {
        let level = 0;
        return figures
            .filter(({ isAmountOnly }) => measure === "revenue" || !isAmountOnly)
            .map(({ name, label, sign }) => {
                const value = this.get(name, measure);
                const from = sign ? level : 0;
                level = sign ? level + sign * value : value;
                return { name, label, from, to: level, change: sign ? sign * value : value, isEnd: !sign };
            });
    }
}

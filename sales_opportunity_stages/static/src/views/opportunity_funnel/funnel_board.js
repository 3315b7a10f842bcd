import { _t } from "@web/core/l10n/translation";
import { sortBy } from "@web/core/utils/arrays";
import { SEP } from "@web/views/graph/graph_model";
import { Funnel } from "./funnel";

/**
 * All funnels of one search, by opportunity type: ranks of different types are never mixed.
 */
export class FunnelBoard {
    /**
     * @param {Object} params
     * @param {{ label: string, domain: Array, answer: Object }[]} params.periods what the server reports of each
     * @param {Object[]} params.groupBy what the funnels of a type are told apart by
     * @param {Object} params.fields
     * @param {string[]} [params.pair] the keys of the two groups to compare
     * @param {boolean} [params.isPair] whether two groups are compared, the largest where none were chosen
     * @param {number} params.limit how many groups are shown at most, the largest
     */
    constructor({ periods, groupBy, fields, pair = [], isPair = false, limit }) {
        Object.assign(this, { periods, groupBy, fields });
        this.groups = this.collectGroups();
        const bySize = sortBy(this.groups, (group) => group.size, "desc").map((group) => group.key);
        this.pair = isPair ? this.completePair(pair, bySize) : [];
        const shown = new Set(isPair ? this.pair : bySize.slice(0, limit));
        this.exceeds = !isPair && this.groups.length > shown.size;
        this.shownGroups = isPair
            ? this.pair.map((key) => this.groups.find((group) => group.key === key))
            : this.groups.filter((group) => shown.has(group.key));
        this.types = this.collectTypes();
    }

    completePair(pair, bySize) {
        const chosen = pair.filter((key) => bySize.includes(key));
        return [...new Set([...chosen, ...bySize])].slice(0, 2);
    }

    // ------------------------------------------------------------
    // Groups
    // ------------------------------------------------------------

    collectGroups() {
        const groups = new Map();
        for (const row of this.periods.flatMap(({ answer }) => answer.rows)) {
            const key = this.getKey(row);
            if (!groups.has(key)) {
                groups.set(key, { key, label: this.getLabel(row), sizes: {} });
            }
            const { sizes } = groups.get(key);
            const type = row.opportunity_type_id[0];
            sizes[type] = Math.max(sizes[type] || 0, row["reached:sum"]);
        }
        return [...groups.values()].map(({ key, label, sizes }) => {
            const size = Object.values(sizes).reduce((total, count) => total + count, 0);
            return { key, label, size };
        });
    }

    getKey(row) {
        const values = this.groupBy.map(({ spec }) => row[spec]);
        return JSON.stringify(values.map((value) => (Array.isArray(value) ? value[0] : value)));
    }

    getLabel(row) {
        return this.groupBy.map((groupBy) => this.getValueLabel(groupBy, row)).join(SEP);
    }

    getValueLabel({ fieldName, spec }, row) {
        const [field, value] = [this.fields[fieldName], row[spec]];
        if (value === false && field.type !== "boolean") {
            return field.falsy_value_label || _t("None");
        }
        if (field.type === "selection") {
            return field.selection.find(([key]) => key === value)[1];
        }
        return String(Array.isArray(value) ? value[1] : value);
    }

    // ------------------------------------------------------------
    // Funnels
    // ------------------------------------------------------------

    collectTypes() {
        const types = new Map();
        for (const { answer } of this.periods) {
            for (const type of answer.types) {
                types.set(type.id, { ...type, stages: this.getStages(type, answer) });
            }
        }
        return [...types.values()].map((type) => {
            const funnels = this.makeFunnels(type);
            const present = funnels.filter((_funnel, index) => index % this.periods.length === 0);
            return {
                ...type,
                funnels,
                size: present.reduce((total, funnel) => total + funnel.size, 0),
            };
        });
    }

    /** All stages of the type; of a search for some stages, those that it found. */
    getStages(type, { is_complete }) {
        const rows = this.periods.flatMap(({ answer }) => answer.rows);
        const found = new Set(rows.map((row) => row.stage_id[0]));
        return type.stages.filter((stage) => is_complete || found.has(stage.id));
    }

    makeFunnels(type) {
        return this.shownGroups.flatMap((group) =>
            this.periods.map((period, index) => {
                const rows = period.answer.rows.filter(
                    (row) =>
                        row.opportunity_type_id[0] === type.id && this.getKey(row) === group.key,
                );
                return new Funnel({
                    key: `${group.key}${index}`,
                    label: [group.label, period.label].filter(Boolean).join(", "),
                    stages: type.stages,
                    rows,
                    domain: period.domain,
                    currencyId: period.answer.currency_id,
                });
            }),
        );
    }
}

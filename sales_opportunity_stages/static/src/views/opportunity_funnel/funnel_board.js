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
     * @param {number} [params.typeId] the type that was chosen, where one is shown at a time
     */
    constructor({ periods, groupBy, fields, pair = [], isPair = false, limit, typeId = false }) {
        Object.assign(this, { periods, groupBy, fields });
        this.groups = this.collectGroups();
        this.chosenTypeId = this.chooseType(typeId);
        const bySize = this.sortGroups(isPair).map((group) => group.key);
        this.pair = isPair ? this.completePair(pair, bySize) : [];
        const shown = new Set(isPair ? this.pair : bySize.slice(0, limit));
        this.exceeds = !isPair && this.groups.length > shown.size;
        this.shownGroups = isPair
            ? this.pair.map((key) => this.groups.find((group) => group.key === key))
            : this.groups.filter((group) => shown.has(group.key));
        this.types = this.collectTypes();
    }

    /** @returns {number} the type that was chosen, or the one with the most opportunities */
    chooseType(typeId) {
        const sizes = new Map();
        const present = this.collectSizes([this.periods[0]]);
        for (const group of present.values()) {
            for (const [type, size] of Object.entries(group.sizes)) {
                sizes.set(+type, (sizes.get(+type) || 0) + size);
            }
        }
        const ids = this.periods.flatMap(({ answer }) => answer.types.map(({ id }) => id));
        const largest = sortBy([...new Set(ids)], (id) => sizes.get(id) || 0, "desc")[0];
        return ids.includes(typeId) ? typeId : largest;
    }

    /** The groups from the largest to the smallest; a pair is chosen by the type that it is shown for. */
    sortGroups(isPair) {
        const bySize = sortBy(this.groups, (group) => group.size, "desc");
        const getSize = (group) => group.sizes[this.chosenTypeId] || 0;
        return isPair ? sortBy(bySize, getSize, "desc") : bySize;
    }

    completePair(pair, bySize) {
        const chosen = pair.filter((key) => bySize.includes(key));
        return [...new Set([...chosen, ...bySize])].slice(0, 2);
    }

    // ------------------------------------------------------------
    // Groups
    // ------------------------------------------------------------

    collectGroups() {
        return [...this.collectSizes(this.periods).values()].map(({ key, label, sizes }) => {
            const size = Object.values(sizes).reduce((total, count) => total + count, 0);
            return { key, label, size, sizes };
        });
    }

    /** How many opportunities of each type there are in each group of these periods. */
    collectSizes(periods) {
        const groups = new Map();
        for (const row of periods.flatMap(({ answer }) => answer.rows)) {
            const key = this.getKey(row);
            if (!groups.has(key)) {
                groups.set(key, { key, label: this.getLabel(row), sizes: {} });
            }
            const { sizes } = groups.get(key);
            const type = row.opportunity_type_id[0];
            sizes[type] = Math.max(sizes[type] || 0, row["reached:sum"]);
        }
        return groups;
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

    /** The groups that are shown, those without an opportunity of the type last; a pair stays as it was chosen. */
    getGroupsOf(type) {
        const isEmpty = (group) => (group.sizes[type.id] ? 0 : 1);
        return this.pair.length ? this.shownGroups : sortBy(this.shownGroups, isEmpty);
    }

    makeFunnels(type) {
        return this.getGroupsOf(type).flatMap((group) =>
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

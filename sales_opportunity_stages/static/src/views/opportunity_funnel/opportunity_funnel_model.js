import { GraphModel } from "@web/views/graph/graph_model";
import { ReportPeriod } from "../opportunity_report/report_period";
import { FunnelBoard } from "./funnel_board";
import { PER_STAGE } from "./funnel_measures";

const TYPE = "opportunity_type_id";
const STAGE = "stage_id";
const GROUP_LIMIT = 12;
/** What a favorite keeps of the view: the key of the context, and where the model has it. */
const SAVED = {
    graph_mode: "mode",
    funnel_measure: "funnelMeasure",
    funnel_compare: "compare",
    funnel_pair: "pair",
    funnel_type: "typeId",
    funnel_won: "wonFigure",
};
/** How far away the period is that is compared with. */
const SHIFTS = { previous: (period) => period.length, year: () => ({ years: 1 }) };

/**
 * The funnels of what is searched for, beside Odoo's own graphs of the same rows: `mode` says which is shown.
 *
 * A funnel is of one opportunity type. What is grouped by gives a funnel to each group. `compare` puts a
 * second one beside it: of another period (`previous`, `year`), or of another value of the field that it
 * names; `pair` are the two that were chosen.
 */
export class OpportunityFunnelModel extends GraphModel {
    /** @override */
    setup(params) {
        super.setup({ funnelMeasure: "reached", compare: "", pair: [], typeId: false, wonFigure: "expected", ...params });
    }

    get isFunnel() {
        return this.metaData.mode === "funnel";
    }

    /** @override */
    async load(searchParams) {
        this.readContext(searchParams.context);
        await super.load(searchParams);
    }

    /** @override */
    hasData() {
        return this.isFunnel ? Boolean(this.data?.types.length) : super.hasData();
    }

    /** @override */
    async forceLoadAll() {
        if (!this.isFunnel) {
            return super.forceLoadAll();
        }
        this.groupLimit = Infinity;
        this.prepareFunnels();
        this.notify();
    }

    /**
     * What needs other figures is fetched, what merely shows them in another way is not.
     *
     * @override
     */
    async updateMetaData(params) {
        const metaData = this._buildMetaData(params);
        const willBeFunnel = metaData.mode === "funnel";
        if (!willBeFunnel && !this.isFunnel) {
            return super.updateMetaData(params);
        }
        const isOther = ["compare", "wonFigure"].some(
            (name) => metaData[name] !== this.metaData[name],
        );
        if (willBeFunnel !== this.isFunnel || isOther) {
            await this._fetchDataPoints(metaData);
            this.useSampleModel = false;
        } else {
            await this.race.getCurrentProm();
            Object.assign(this.metaData, params);
            this.prepareFunnels();
        }
        this.notify();
    }

    // ------------------------------------------------------------
    // What is shown
    // ------------------------------------------------------------

    /** What a favorite was saved with is taken over when it is chosen; after that the user's choices hold. */
    readContext(context) {
        const saved = Object.entries(SAVED).filter(([key]) => key in context);
        const found = saved.map(([key, name]) => [name, context[key]]);
        const contextRead = JSON.stringify(found);
        if (contextRead !== this.metaData.contextRead) {
            Object.assign(this.metaData, Object.fromEntries(found), { contextRead });
        }
    }

    /** @returns {Object} for the context of a favorite */
    getFunnelContext() {
        return Object.fromEntries(
            Object.entries(SAVED).map(([key, name]) => [key, this.metaData[name]]),
        );
    }

    /** @override */
    _buildMetaData(params) {
        const metaData = super._buildMetaData(params);
        return Object.assign(metaData, { mode: this.metaData.mode }, params);
    }

    /**
     * A graph of what is counted in each stage shows the stages apart: their sum would count an opportunity several
     * times.
     *
     * @override
     */
    _normalize(metaData) {
        super._normalize(metaData);
        const isByStage = metaData.groupBy.some(({ fieldName }) => fieldName === STAGE);
        if (metaData.mode !== "funnel" && !isByStage && PER_STAGE.includes(metaData.measure)) {
            metaData.groupBy = [...metaData.groupBy, { fieldName: STAGE, spec: STAGE }];
        }
    }

    /** What tells funnels of one type apart: what is grouped by in the search, and what is compared by. */
    getFunnelGroupBy({ compare }) {
        const specs = this.searchParams.groupBy.filter(Boolean);
        const added = compare && !(compare in SHIFTS) ? [compare] : [];
        const metaData = { ...this.metaData, groupBy: added.length ? added : specs };
        this._normalize(metaData);
        return metaData.groupBy.filter(({ fieldName }) => ![TYPE, STAGE].includes(fieldName));
    }

    /** Several types are shown one after the other if they are grouped by, and one at a time if not, first the largest. */
    get visibleTypes() {
        const { types, chosenTypeId } = this.data;
        if (this.searchParams.groupBy.includes(TYPE)) {
            return types;
        }
        return types.filter(({ id }) => id === chosenTypeId);
    }

    // ------------------------------------------------------------
    // Figures
    // ------------------------------------------------------------

    /** @override */
    async _fetchDataPoints(metaData, forceUseAllDataPoints) {
        if (metaData.mode !== "funnel") {
            return super._fetchDataPoints(metaData, forceUseAllDataPoints);
        }
        const groupBy = this.getFunnelGroupBy(metaData);
        const periods = await this.keepLast.add(this.loadPeriods(metaData, groupBy));
        Object.assign(this, { metaData, periods, funnelGroupBy: groupBy, groupLimit: GROUP_LIMIT });
        this.prepareFunnels();
    }

    /** One call for each period, however many funnels there are. */
    async loadPeriods({ resModel, domain, fields, compare, wonFigure }, groupBy) {
        this.period = ReportPeriod.find(domain, fields);
        const periods = [{ label: "", domain }];
        if (compare in SHIFTS && this.period) {
            const other = this.period.shift(SHIFTS[compare](this.period));
            periods[0].label = this.period.label;
            periods.push({ label: other.label, domain: other.domain });
        }
        const specs = groupBy.map(({ spec }) => spec);
        // the funnels of a type name its stages without the type
        const context = { ...this.searchParams.context };
        delete context.stage_with_type;
        if (wonFigure === "ordered") {
            context.funnel_won_figure = wonFigure;
        }
        const answers = await Promise.all(
            periods.map((period) =>
                this.orm.call(resModel, "get_funnels", [period.domain, specs], { context }),
            ),
        );
        return periods.map((period, index) => ({ ...period, answer: answers[index] }));
    }

    prepareFunnels() {
        const { fields, compare, pair } = this.metaData;
        this.data = new FunnelBoard({
            periods: this.periods,
            groupBy: this.funnelGroupBy,
            fields,
            pair,
            isPair: Boolean(compare) && !(compare in SHIFTS),
            limit: this.groupLimit,
            typeId: this.metaData.typeId,
        });
    }
}

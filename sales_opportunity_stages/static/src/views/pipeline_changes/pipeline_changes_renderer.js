import { Component } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";
import { formatDifference, formatFigure } from "../opportunity_funnel/funnel_format";
import { HistoryNotice } from "../pipeline_history/history_notice";
import { DETAILS, FIGURES } from "./change_figures";

const LONGEST = 9999;

/** The waterfall of the total beside a table of all figures, by group. */
export class PipelineChangesRenderer extends Component {
    static template = "sales_opportunity_stages.PipelineChangesRenderer";
    static components = { HistoryNotice };
    static props = { model: Object, buttonTemplate: { type: String, optional: true } };

    setup() {
        this.model = this.props.model;
        this.action = useService("action");
    }

    get columns() {
        const { total, groups } = this.model.data;
        return [total, ...groups];
    }

    /** Optional figures where any column has one: what moved from one group to another is 0 in the total. */
    get figures() {
        return FIGURES.filter(
            ({ name, optional }) => !optional || this.columns.some((column) => column.has(name)),
        );
    }

    get details() {
        return DETAILS;
    }

    get measure() {
        return this.model.metaData.measure;
    }

    // ------------------------------------------------------------
    // Waterfall
    // ------------------------------------------------------------

    /** Positions in percent of the highest level, from the bottom. */
    get bars() {
        const bars = this.model.data.total.getBars(this.measure, this.figures);
        const levels = bars.flatMap(({ from, to }) => [from, to]);
        const low = Math.min(0, ...levels);
        const height = Math.max(...levels, 0) - low || 1;
        return bars.map((bar) => ({
            ...bar,
            bottom: ((Math.min(bar.from, bar.to) - low) / height) * 100,
            height: (Math.abs(bar.to - bar.from) / height) * 100,
            text: this.formatChange(bar),
            kind: bar.isEnd ? "end" : bar.change < 0 ? "minus" : "plus",
        }));
    }

    formatChange({ name, change, isEnd }) {
        const key = `${name}_${this.measure}`;
        const options = { currencyId: this.model.data.currencyId, longest: LONGEST };
        return isEnd ? formatFigure(key, change, options) : formatDifference(key, change, options);
    }

    // ------------------------------------------------------------
    // Table
    // ------------------------------------------------------------

    format(column, name, measure) {
        const { currencyId } = this.model.data;
        return formatFigure(`${name}_${measure}`, column.get(name, measure), { currencyId });
    }

    open(column, { name, label }, isMiddleClick) {
        if (!column.has(name)) {
            return;
        }
        const { resModel } = this.model.metaData;
        return this.action.doAction(
            {
                type: "ir.actions.act_window",
                name: `${label}: ${column.title}`,
                res_model: resModel,
                views: [[false, "list"]],
                domain: column.getDomain(name),
                context: this.model.searchParams.context,
            },
            { newWindow: isMiddleClick },
        );
    }
}

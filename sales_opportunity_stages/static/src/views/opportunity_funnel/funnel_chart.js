import { Component, useRef, useState } from "@odoo/owl";
import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";
import { formatFigure } from "./funnel_format";
import { FUNNEL_MEASURES } from "./funnel_measures";

const PERCENT = 100;
const LONGEST = 999_999;
const LONGEST_COMPACT = 9_999;
/** Below that a segment could not be seen any more. */
const THINNEST = 0.006;

/**
 * One funnel: a row for each stage, with its segment, its figures, and buttons for what was lost there and is pending.
 *
 * There is one stop for the tabulator key in it; from there the arrow keys lead on.
 */
export class FunnelChart extends Component {
    static template = "sales_opportunity_stages.FunnelChart";
    static props = {
        funnel: Object,
        measure: String,
        maximum: Number,
        series: Number,
        fields: Object,
        isCompact: Boolean,
        onOpen: Function,
    };

    setup() {
        this.root = useRef("root");
        this.active = useState({ row: 0, column: 0 });
    }

    // ------------------------------------------------------------
    // What is shown
    // ------------------------------------------------------------

    get measure() {
        return FUNNEL_MEASURES[this.props.measure];
    }

    get rows() {
        const { funnel, measure, maximum } = this.props;
        const widths = funnel.getWidths(measure, maximum);
        return funnel.stages.map((stage, index) => ({
            stage,
            index,
            style: getSegmentStyle(widths[index], stage.isWon ? 0 : index / funnel.stages.length),
            value: this.format(measure, stage),
            beside: this.format(this.measure.beside, stage),
            rate: this.format("step_rate", stage),
            label: this.getLabel(stage),
            parts: ["lost_here", "pending"].map((name, place) =>
                this.getPart(stage, name, place + 1),
            ),
        }));
    }

    /** What of a stage was lost, or is pending: in the unit of the segments, while it is there at all. */
    getPart(stage, name, column) {
        const count = stage.get(name);
        const value = this.format(this.measure[name], stage);
        const title = this.props.fields[name].string;
        const label = _t("%(stage)s, %(part)s: %(count)s", {
            stage: stage.name,
            part: title,
            count,
        });
        return { name, column, title, count, value, label };
    }

    getLabel(stage) {
        const { fields } = this.props;
        const names = ["reached", "expected_revenue", "step_rate", "lost_here", "pending"];
        const figures = names
            .map((name) => ({
                title: fields[name].string,
                text: formatFigure(name, stage.get(name), this.props.funnel),
            }))
            .filter(({ text }) => text)
            .map(({ title, text }) => `${title} ${text}`);
        return `${stage.name}: ${figures.join(", ")}`;
    }

    get summary() {
        const { fields, funnel } = this.props;
        const { summary } = funnel;
        const results = Object.fromEntries(fields.won_status.selection);
        const titles = {
            reached: fields.opportunity_count.string,
            won: results.won,
            lost_here: results.lost,
            pending: results.pending,
            win_rate: fields.win_rate.string,
            cumulative_rate: _t("Conversion"),
        };
        return Object.entries(titles)
            .map(([name, title]) => ({ name, title, text: formatFigure(name, summary[name]) }))
            .filter(({ text }) => text);
    }

    format(name, stage) {
        const { funnel, isCompact } = this.props;
        const longest = isCompact ? LONGEST_COMPACT : LONGEST;
        return formatFigure(name, stage.get(name), { currencyId: funnel.currencyId, longest });
    }

    // ------------------------------------------------------------
    // Keyboard
    // ------------------------------------------------------------

    isActive(row, column) {
        return this.active.row === row && this.active.column === column;
    }

    onFocus(row, column) {
        Object.assign(this.active, { row, column });
    }

    onKeydown(ev) {
        const target = this.getTarget(ev.key);
        if (target) {
            ev.preventDefault();
            ev.stopPropagation();
            target.focus();
        }
    }

    /** @returns {HTMLElement | undefined} the button that a key leads to: a stage on, or on to its loss */
    getTarget(key) {
        const { row, column } = this.active;
        const last = this.props.funnel.stages.length - 1;
        const inward = localization.direction === "rtl" ? "ArrowLeft" : "ArrowRight";
        const outward = localization.direction === "rtl" ? "ArrowRight" : "ArrowLeft";
        switch (key) {
            case "ArrowDown":
                return this.getButton(row + 1, column);
            case "ArrowUp":
                return this.getButton(row - 1, column);
            case "Home":
                return this.getButton(0, 0);
            case "End":
                return this.getButton(last, 0);
            case inward:
                return this.getButtons(row).find((button) => button.dataset.column > column);
            case outward:
                return this.getButtons(row).findLast((button) => button.dataset.column < column);
        }
    }

    getButtons(row) {
        return [...this.root.el.querySelectorAll(`button[data-row="${row}"]`)];
    }

    getButton(row, column) {
        return this.getButtons(row).findLast((button) => button.dataset.column <= column);
    }
}

/**
 * @param {[number, number]} widths above and below, from 0 to 1
 * @param {number} depth how far down it is, from 0 to 1
 * @returns {string} a trapezoid in the middle, paler the further down
 */
function getSegmentStyle(widths, depth) {
    const [above, below] = widths.map((width) => (Math.max(width, THINNEST) * PERCENT) / 2);
    const points = [
        [50 - above, 0],
        [50 + above, 0],
        [50 + below, PERCENT],
        [50 - below, PERCENT],
    ];
    const polygon = points.map(([x, y]) => `${x.toFixed(2)}% ${y}%`).join(", ");
    return `clip-path: polygon(${polygon}); opacity: ${(1 - depth / 2).toFixed(2)};`;
}

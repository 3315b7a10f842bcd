import { localization } from "@web/core/l10n/localization";
import { formatFigure } from "./funnel_format";
import { FUNNEL_MEASURES } from "./funnel_measures";

const SCALE = 2; // of the picture, for it to be sharp on paper
const MARGIN = 24;
const TITLE = 26;
const LINE = 22;
const ROW = 34;
const GAP = 2;
/** Columns: the stage, its segment, the figure beside it, the step rate, what was lost and is pending. */
const COLUMNS = [210, 400, 130, 80, 110, 110];
const WIDTH = COLUMNS.reduce((total, width) => total + width, 0) + 2 * MARGIN;

/** Paints what the view shows, one funnel below the other, in the colors and the direction of the page. */
export class FunnelPainter {
    /**
     * @param {Object} params
     * @param {string} params.title
     * @param {string} params.subtitle what was searched for
     * @param {string} params.measure
     * @param {Object[]} params.types each with its funnels
     * @param {Object} params.fields
     * @param {HTMLElement} params.element whose colors and font are taken
     */
    constructor({ title, subtitle, measure, types, fields, element }) {
        Object.assign(this, { title, subtitle, measure, types, fields });
        this.style = getComputedStyle(element);
        this.isRightToLeft = localization.direction === "rtl";
        this.canvas = document.createElement("canvas");
        this.context = this.canvas.getContext("2d");
    }

    /** @returns {Promise<Blob>} a PNG */
    toBlob() {
        this.paint();
        return new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
    }

    get height() {
        const heights = this.types.flatMap((type) => [
            LINE * 1.5,
            ...type.funnels.map((funnel) => LINE * 2.5 + funnel.stages.length * ROW),
        ]);
        return heights.reduce((total, height) => total + height, 2 * MARGIN + TITLE + LINE);
    }

    paint() {
        this.canvas.width = WIDTH * SCALE;
        this.canvas.height = this.height * SCALE;
        this.context.scale(SCALE, SCALE);
        this.context.direction = this.isRightToLeft ? "rtl" : "ltr";
        this.context.textBaseline = "middle";
        this.fill(this.getColor("background"), 0, 0, WIDTH, this.height);
        this.y = MARGIN;
        this.write(this.title, 0, WIDTH - 2 * MARGIN, { size: 18, isBold: true, height: TITLE });
        this.write(this.subtitle, 0, WIDTH - 2 * MARGIN, { isMuted: true });
        this.types.forEach((type) => this.paintType(type));
    }

    paintType(type) {
        this.y += LINE / 2;
        this.write(type.name, 0, WIDTH - 2 * MARGIN, { size: 15, isBold: true });
        const maximum = Math.max(...type.funnels.map((funnel) => funnel.getMaximum(this.measure)));
        type.funnels.forEach((funnel, index) => this.paintFunnel(funnel, index, maximum));
    }

    paintFunnel(funnel, index, maximum) {
        const measure = FUNNEL_MEASURES[this.measure];
        this.y += LINE / 2;
        this.write(funnel.label, 0, WIDTH - 2 * MARGIN, { isBold: true });
        const names = [measure.beside, "step_rate", "lost_here", "pending"];
        this.writeColumns(
            ["", measure.label, ...names.map((name) => this.fields[name].string)],
            LINE,
            { isMuted: true },
        );
        const widths = funnel.getWidths(this.measure, maximum);
        funnel.stages.forEach((stage, row) => {
            const color = stage.isWon ? "won" : `series-${index % 6}`;
            this.paintSegment(widths[row], this.getColor(color));
            const figures = [
                this.measure,
                measure.beside,
                "step_rate",
                measure.lost_here,
                measure.pending,
            ];
            const texts = figures.map((name) => formatFigure(name, stage.get(name), funnel));
            this.writeColumns([stage.name, ...texts], ROW);
        });
    }

    // ------------------------------------------------------------
    // Shapes and texts
    // ------------------------------------------------------------

    getColor(name) {
        return this.style.getPropertyValue(`--o-funnel-${name}`).trim();
    }

    fill(color, x, y, width, height) {
        this.context.fillStyle = color;
        this.context.fillRect(x, y, width, height);
    }

    paintSegment([above, below], color) {
        const room = COLUMNS[1];
        const middle = this.mirror(COLUMNS[0] + room / 2);
        const bottom = this.y + ROW - GAP;
        const corners = [
            [-above, this.y],
            [above, this.y],
            [below, bottom],
            [-below, bottom],
        ];
        this.context.beginPath();
        corners.forEach(([side, y]) => this.context.lineTo(middle + (side * room) / 2, y));
        this.context.closePath();
        this.context.fillStyle = color;
        this.context.fill();
    }

    /** Where something stands that is so far from the side where lines begin. */
    mirror(x) {
        return this.isRightToLeft ? WIDTH - MARGIN - x : MARGIN + x;
    }

    /** The name of the stage at its beginning, what is on the segment in its middle, figures at their end. */
    writeColumns(texts, height, options = {}) {
        let x = 0;
        texts.forEach((text, column) => {
            const align = column === 0 ? "start" : column === 1 ? "center" : "end";
            this.write(text, x, COLUMNS[column], {
                ...options,
                align,
                height: 0,
                rowHeight: height,
                isBold: column === 1,
            });
            x += COLUMNS[column];
        });
        this.y += height;
    }

    write(
        text,
        x,
        room,
        { size = 13, isBold, isMuted, align = "start", height = LINE, rowHeight = height } = {},
    ) {
        const place = { start: x, center: x + room / 2, end: x + room }[align];
        this.context.font = `${isBold ? "bold" : "normal"} ${size}px ${this.style.fontFamily}`;
        this.context.fillStyle = this.getColor(isMuted ? "muted" : "text");
        this.context.textAlign = align;
        this.context.fillText(
            this.shorten(text, room - 8),
            this.mirror(place),
            this.y + rowHeight / 2,
        );
        this.y += height;
    }

    shorten(text, room) {
        if (this.context.measureText(text).width <= room) {
            return text;
        }
        let letters = [...text];
        while (letters.length && this.context.measureText(`${letters.join("")}…`).width > room) {
            letters = letters.slice(0, -1);
        }
        return `${letters.join("").trimEnd()}…`;
    }
}

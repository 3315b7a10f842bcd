import {
    deserializeDate,
    deserializeDateTime,
    formatDate,
    serializeDate,
    serializeDateTime,
} from "@web/core/l10n/dates";

const LOWER = [">=", ">"];
const UPPER = ["<=", "<"];
/** Of several periods in one search the report's is the first of these. */
const PREFERRED = ["date_deadline", "create_date"];

/**
 * The period that a domain limits a report to, and the same domain in another period.
 *
 * A period is half-open: from the first moment in it to the first after it. So months of unequal length
 * are moved right.
 */
export class ReportPeriod {
    /**
     * @param {Array} domain
     * @param {Object} fields
     * @returns {ReportPeriod | null} null where nothing is limited on both sides
     */
    static find(domain, fields) {
        const names = domain.filter(Array.isArray).map(([name]) => name);
        for (const name of [...PREFERRED, ...names]) {
            if (["date", "datetime"].includes(fields[name]?.type)) {
                const period = new ReportPeriod(domain, name, fields[name].type);
                if (period.start < period.end) {
                    return period;
                }
            }
        }
        return null;
    }

    constructor(domain, fieldName, type) {
        Object.assign(this, { domain, fieldName });
        this.unit = type === "date" ? { days: 1 } : { seconds: 1 };
        this.deserialize = type === "date" ? deserializeDate : deserializeDateTime;
        this.serialize = type === "date" ? serializeDate : serializeDateTime;
        const bounds = domain.filter((leaf) => this.isBound(leaf));
        const read = (operators) =>
            bounds
                .filter((leaf) => operators.includes(leaf[1]))
                .map((leaf) => this.readBound(leaf));
        const [starts, ends] = [read(LOWER), read(UPPER)];
        this.start = starts.length ? luxon.DateTime.min(...starts) : NaN;
        this.end = ends.length ? luxon.DateTime.max(...ends) : NaN;
    }

    isBound(leaf) {
        return (
            Array.isArray(leaf) &&
            leaf[0] === this.fieldName &&
            [...LOWER, ...UPPER].includes(leaf[1]) &&
            /^\d{4}-\d\d-\d\d/.test(leaf[2])
        );
    }

    /** Whether the bound is the last moment inside, or before the first, instead of the half-open one. */
    isOff(operator) {
        return ["<=", ">"].includes(operator);
    }

    readBound([, operator, value]) {
        const moment = this.deserialize(value);
        return this.isOff(operator) ? moment.plus(this.unit) : moment;
    }

    /** In whole months where it consists of months: what was before August is July, with its 31 days. */
    get length() {
        const months = this.end.diff(this.start, "months").months;
        const isWhole = this.start.day === 1 && this.end.day === 1 && Number.isInteger(months);
        return isWhole ? { months } : { days: Math.round(this.end.diff(this.start, "days").days) };
    }

    /**
     * @param {Object} duration as luxon takes it
     * @returns {ReportPeriod} earlier by that
     */
    shift(duration) {
        const domain = this.domain.map((leaf) => {
            if (!this.isBound(leaf)) {
                return leaf;
            }
            const moved = this.readBound(leaf).minus(duration);
            const value = this.isOff(leaf[1]) ? moved.minus(this.unit) : moved;
            return [leaf[0], leaf[1], this.serialize(value)];
        });
        return new ReportPeriod(domain, this.fieldName, this.unit.days ? "date" : "datetime");
    }

    /**
     * @returns {Array | null} the domain of what is left out for want of a date; null where it is searched for anyway
     */
    getUndatedDomain() {
        const isAsked = this.domain.some(
            (leaf) => Array.isArray(leaf) && leaf[0] === this.fieldName && !this.isBound(leaf),
        );
        const undated = [this.fieldName, "=", false];
        return isAsked ? null : this.domain.map((leaf) => (this.isBound(leaf) ? undated : leaf));
    }

    get label() {
        const { months } = this.length;
        if (months === 12 && this.start.month === 1) {
            return this.start.toFormat("yyyy");
        }
        if (months === 3 && this.start.month % 3 === 1) {
            return this.start.toFormat("'Q'q yyyy");
        }
        if (months === 1) {
            return this.start.toFormat("LLLL yyyy");
        }
        return `${formatDate(this.start)} – ${formatDate(this.end.minus(this.unit))}`;
    }
}

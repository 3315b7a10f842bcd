import { formatFloat, formatInteger, formatMonetary } from "@web/views/fields/formatters";
import { formatRate } from "@sales_opportunity_stages/rate/rate_formatter";
import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";

const ONE_DIGIT = [16, 1];
const TEN_THOUSAND = 1e4;
const MILLION = 1e6;
const HUNDRED_MILLION = 1e8;

/** @returns {"integer" | "monetary" | "rate" | "days"} how a figure of the funnel reads */
export function getKind(name) {
    if (name.endsWith("_rate")) {
        return "rate";
    }
    if (name.includes("days")) {
        return "days";
    }
    return name.endsWith("_revenue") ? "monetary" : "integer";
}

/**
 * @param {string} name of a figure
 * @param {number | false | null} value
 * @param {Object} [options]
 * @param {number} [options.currencyId]
 * @param {number} [options.longest] the largest amount that is written out, where there is little room
 * @returns {string} empty where there is none: a division by zero is not 0%
 */
export function formatFigure(name, value, { currencyId, longest = Infinity } = {}) {
    if (value === false || value === null || value === undefined) {
        return "";
    }
    switch (getKind(name)) {
        case "rate":
            return formatRate(value, { trailingZeros: true });
        case "days":
            return formatFloat(value, { digits: ONE_DIGIT });
        case "monetary":
            return Math.abs(value) > longest ? formatShort(value, currencyId) : formatMonetary(value, { currencyId });
    }
    return formatInteger(value);
}

/** 276k, 1.88M; in Chinese 27.6万, 1.2亿. */
function formatShort(value, currencyId) {
    if (localization.code !== "zh_CN") {
        const digits = [16, Math.abs(value) < MILLION ? 0 : 2];
        return formatMonetary(value, { currencyId, humanReadable: true, digits });
    }
    const [unit, name] = Math.abs(value) < HUNDRED_MILLION ? [TEN_THOUSAND, "万"] : [HUNDRED_MILLION, "亿"];
    const text = formatMonetary(value / unit, { currencyId, digits: ONE_DIGIT });
    return text.replace(/\d(?=\D*$)/, `$&${name}`); // the currency may follow the number
}

/**
 * @param {string} name
 * @param {number} difference between two values of it; rates differ by percentage points
 * @param {Object} [options] as above
 * @returns {string} with its sign
 */
export function formatDifference(name, difference, options) {
    const size = Math.abs(difference);
    const text =
        getKind(name) === "rate"
            ? _t("%s pp", formatFloat(size * 100, { digits: ONE_DIGIT }))
            : formatFigure(name, size, options);
    return difference ? `${difference > 0 ? "+" : "−"}${text}` : text;
}

import { registry } from "@web/core/registry";
import { formatPercentage } from "@web/views/fields/formatters";

/**
 * A rate in percent that is empty where there is none: Odoo's own percentage says 0% of a division by zero.
 *
 * For measures of pivots and graphs: `widget="rate"`.
 *
 * @param {number | false | null} value
 * @param {Object} [options]
 * @returns {string}
 */
export function formatRate(value, options = {}) {
    return value === false || value === null || value === undefined
        ? ""
        : formatPercentage(value, { ...options, digits: [16, 1] });
}
formatRate.extractOptions = formatPercentage.extractOptions;

registry.category("formatters").add("rate", formatRate);

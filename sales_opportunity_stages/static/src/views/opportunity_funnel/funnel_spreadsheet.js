import { getKind } from "./funnel_format";
import { FunnelTable, TABLE_COLUMNS } from "./funnel_table";

const SHEET_NAME_LENGTH = 31;

/**
 * The stage-promotion tables for `/opportunity_funnel/export_xlsx`: figures, not texts, so that they can be calculated
 * with, and how each reads.
 *
 * @param {Object} params
 * @param {string} params.title also the name of the file
 * @param {string} params.subtitle what was searched for
 * @param {Object[]} params.types each with its stages and funnels
 * @param {Object} params.fields
 * @returns {Object}
 */
export function getSpreadsheet({ title, subtitle, types, fields }) {
    return {
        title,
        subtitle,
        sheet: getSheetName(title),
        columns: TABLE_COLUMNS.map((name) => ({ title: fields[name].string, kind: getKind(name) })),
        rows: types.flatMap((type) => [
            { title: type.name, indent: 0, values: [] },
            ...new FunnelTable(type).rows.map(getRow),
        ]),
    };
}

/** A figure that there is none of, as a rate that would divide by zero, is an empty cell. */
function getRow({ title, indent, cells }) {
    const values = cells.map(({ value }) => (value === false || value === undefined ? null : value));
    return { title, indent: indent + 1, values };
}

/** What a spreadsheet takes as the name of a sheet. */
function getSheetName(title) {
    return title.replace(/[[\]:*?/\\]/g, " ").slice(0, SHEET_NAME_LENGTH);
}

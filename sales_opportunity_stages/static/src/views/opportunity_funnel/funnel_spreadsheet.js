import { FunnelTable, TABLE_COLUMNS } from "./funnel_table";

const SHEET_NAME_LENGTH = 31;

/**
 * The stage-promotion tables as Odoo's pivot hands its own to `/web/pivot/export_xlsx`: figures, not
 * texts, so that they can be calculated with.
 *
 * @param {Object} params
 * @param {string} params.title
 * @param {string} params.model
 * @param {Object[]} params.types each with its stages and funnels
 * @param {Object} params.fields
 * @returns {Object}
 */
export function getSpreadsheet({ title, model, types, fields }) {
    const width = TABLE_COLUMNS.length;
    return {
        model,
        title: getSheetName(title),
        col_group_headers: [[{ title, width, height: 1, is_bold: false }]],
        measure_headers: TABLE_COLUMNS.map((name) => ({
            title: fields[name].string,
            width: 1,
            height: 1,
            is_bold: false,
        })),
        rows: types.flatMap((type) => [
            {
                title: type.name,
                indent: 0,
                values: TABLE_COLUMNS.map(() => ({ value: "", is_bold: true })),
            },
            ...new FunnelTable(type).rows.map(getRow),
        ]),
        measure_count: width,
    };
}

function getRow({ title, indent, cells }) {
    const values = cells.map(({ value }) => ({
        value: value === false || value === null ? "" : value,
        is_bold: false,
    }));
    return { title, indent: indent + 1, values };
}

/** What a spreadsheet takes as the name of a sheet. */
function getSheetName(title) {
    return title.replace(/[[\]:*?/\\]/g, " ").slice(0, SHEET_NAME_LENGTH);
}

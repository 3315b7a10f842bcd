import { SEP } from "@web/views/graph/graph_model";

const WON = "#3fa66b";
const LOST = "#e0526a";
/** What a value of a selection stands for, of the fields that say how an opportunity or a stage visit ended. */
const RESULT_COLORS = { won: WON, lost: LOST };
const RESULT_FIELDS = ["won_status", "status", "exit", "outcome"];
/** The other groups beside them: neither green nor red. */
const OTHER_COLORS = ["#4ea7f2", "#f4a261", "#8481dd", "#ffd86d", "#a4a8b6", "#0b7fab", "#b57edc"];

/**
 * @param {Object} params
 * @param {string[]} params.texts of the groups, each as a graph labels it
 * @param {{ fieldName: string }[]} params.groupBy what a text is made of, in its order
 * @param {Object} params.fields
 * @returns {string[] | null} a color for each text: won is green, lost is red; null where nothing says the result
 */
export function getResultColors({ texts, groupBy, fields }) {
    const place = groupBy.findIndex(({ fieldName }) => RESULT_FIELDS.includes(fieldName));
    if (place < 0) {
        return null;
    }
    const { selection } = fields[groupBy[place].fieldName];
    const byLabel = new Map(selection.map(([value, label]) => [label, RESULT_COLORS[value]]));
    let others = 0;
    return texts.map((text) => {
        const label = String(text).split(SEP)[place];
        return byLabel.get(label) || OTHER_COLORS[others++ % OTHER_COLORS.length];
    });
}

import { registry } from "@web/core/registry";
import { PivotRenderer } from "@web/views/pivot/pivot_renderer";
import { pivotView } from "@web/views/pivot/pivot_view";

/** A pivot of stage rules that warns of taking a comparison for an experiment. */
export class RuleReportPivotRenderer extends PivotRenderer {
    static template = "sales_opportunity_stages.RuleReportPivot";
}

export const ruleReportPivotView = {
    ...pivotView,
    Renderer: RuleReportPivotRenderer,
};

registry.category("views").add("rule_report_pivot", ruleReportPivotView);

import { registry } from "@web/core/registry";
import { PivotRenderer } from "@web/views/pivot/pivot_renderer";
import { pivotView } from "@web/views/pivot/pivot_view";
import { UndatedNotice } from "./undated_notice";

/** A pivot of opportunities that says what it leaves out for want of a date. */
export class OpportunityReportPivotRenderer extends PivotRenderer {
    static template = "sales_opportunity_stages.OpportunityReportPivot";
    static components = { ...PivotRenderer.components, UndatedNotice };
}

export const opportunityReportPivotView = {
    ...pivotView,
    Renderer: OpportunityReportPivotRenderer,
};

registry.category("views").add("opportunity_report_pivot", opportunityReportPivotView);

import { registry } from "@web/core/registry";
import { PivotModel } from "@web/views/pivot/pivot_model";
import { opportunityReportPivotView } from "../opportunity_report/opportunity_report_pivot";
import { PER_STAGE } from "./funnel_measures";

const STAGE = "stage_id";

/**
 * The pivot of the funnel. What counts an opportunity in each stage that it reached has no total over stages: such a
 * cell is empty, on the screen and in the export.
 */
export class OpportunityFunnelPivotModel extends PivotModel {
    /** @override */
    _getCellValue(groupId, measure) {
        const isPerStage = PER_STAGE.includes(measure.split(":")[0]);
        if (isPerStage && !this.isOfOneStage(groupId)) {
            return undefined;
        }
        return super._getCellValue(...arguments);
    }

    /** @param {[Array, Array]} groupId the values of the rows and of the columns that a cell is in */
    isOfOneStage([rowValues, colValues]) {
        const { fullRowGroupBys, fullColGroupBys } = this.metaData;
        return [
            ...fullRowGroupBys.slice(0, rowValues.length),
            ...fullColGroupBys.slice(0, colValues.length),
        ].includes(STAGE);
    }
}

registry.category("views").add("opportunity_funnel_pivot", {
    ...opportunityReportPivotView,
    Model: OpportunityFunnelPivotModel,
});

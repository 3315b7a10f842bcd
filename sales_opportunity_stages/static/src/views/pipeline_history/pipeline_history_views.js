import { registry } from "@web/core/registry";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { graphView } from "@web/views/graph/graph_view";
import { OpportunityReportGraphRenderer } from "../opportunity_report/opportunity_report_graph";
import {
    OpportunityReportPivotRenderer,
    opportunityReportPivotView,
} from "../opportunity_report/opportunity_report_pivot";
import { HistoryNotice } from "./history_notice";

/** Pivots, graphs and lists of past days say from when their figures are exact. */
export class PipelineHistoryPivotRenderer extends OpportunityReportPivotRenderer {
    static template = "sales_opportunity_stages.PipelineHistoryPivot";
    static components = { ...OpportunityReportPivotRenderer.components, HistoryNotice };
}

export class PipelineHistoryGraphRenderer extends OpportunityReportGraphRenderer {
    static template = "sales_opportunity_stages.PipelineHistoryGraph";
    static components = { ...OpportunityReportGraphRenderer.components, HistoryNotice };
}

export class PipelineHistoryListRenderer extends ListRenderer {
    static template = "sales_opportunity_stages.PipelineHistoryList";
    static components = { ...ListRenderer.components, HistoryNotice };
}

registry
    .category("views")
    .add("pipeline_history_pivot", {
        ...opportunityReportPivotView,
        Renderer: PipelineHistoryPivotRenderer,
    })
    .add("pipeline_history_graph", { ...graphView, Renderer: PipelineHistoryGraphRenderer })
    .add("pipeline_history_list", { ...listView, Renderer: PipelineHistoryListRenderer });

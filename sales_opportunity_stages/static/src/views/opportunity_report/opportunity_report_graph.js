import { registry } from "@web/core/registry";
import { GraphRenderer } from "@web/views/graph/graph_renderer";
import { graphView } from "@web/views/graph/graph_view";
import { getResultColors } from "./result_colors";
import { UndatedNotice } from "./undated_notice";

/** A graph of opportunities: won is green and lost is red, and it says what it leaves out for want of a date. */
export class OpportunityReportGraphRenderer extends GraphRenderer {
    static template = "sales_opportunity_stages.OpportunityReportGraph";
    static components = { ...GraphRenderer.components, UndatedNotice };

    /** @override */
    getBarChartData() {
        const data = super.getBarChartData();
        this.colorDatasets((dataset, color) => Object.assign(dataset, { backgroundColor: color }));
        return data;
    }

    /** @override */
    getLineChartData() {
        const data = super.getLineChartData();
        this.colorDatasets((dataset, color) =>
            Object.assign(dataset, { borderColor: color, pointBackgroundColor: color }),
        );
        return data;
    }

    /** @override */
    getPieChartData() {
        const data = super.getPieChartData();
        const colors = this.getColors(data.labels, this.model.metaData.groupBy);
        if (colors) {
            for (const dataset of data.datasets) {
                Object.assign(dataset, { backgroundColor: colors, hoverBackgroundColor: colors });
            }
        }
        return data;
    }

    /** Color the groups of a bar or line chart: each dataset, or each bar where there is one dataset. */
    colorDatasets(apply) {
        const { groupBy } = this.model.metaData;
        const { datasets, labels } = this.model.data;
        if (groupBy.length === 1) {
            const colors = this.getColors(labels, groupBy);
            if (colors) {
                datasets.forEach((dataset) => apply(dataset, colors));
            }
            return;
        }
        const texts = datasets.map(({ label }) => label);
        const colors = this.getColors(texts, groupBy.slice(1)) || [];
        colors.forEach((color, index) => apply(datasets[index], color));
    }

    getColors(texts, groupBy) {
        return getResultColors({ texts, groupBy, fields: this.model.metaData.fields });
    }
}

registry.category("views").add("opportunity_report_graph", {
    ...graphView,
    Renderer: OpportunityReportGraphRenderer,
});

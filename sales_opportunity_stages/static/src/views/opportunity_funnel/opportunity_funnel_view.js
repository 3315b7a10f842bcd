import { registry } from "@web/core/registry";
import { graphView } from "@web/views/graph/graph_view";
import { OpportunityFunnelArchParser } from "./opportunity_funnel_arch_parser";
import { OpportunityFunnelController } from "./opportunity_funnel_controller";
import { OpportunityFunnelModel } from "./opportunity_funnel_model";
import { OpportunityFunnelRenderer } from "./opportunity_funnel_renderer";

/** `<graph js_class="opportunity_funnel">` of `crm.funnel.report`. */
export const opportunityFunnelView = {
    ...graphView,
    ArchParser: OpportunityFunnelArchParser,
    Controller: OpportunityFunnelController,
    Model: OpportunityFunnelModel,
    Renderer: OpportunityFunnelRenderer,
    buttonTemplate: "sales_opportunity_stages.OpportunityFunnelButtons",
};

registry.category("views").add("opportunity_funnel", opportunityFunnelView);

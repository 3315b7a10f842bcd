import { GraphArchParser } from "@web/views/graph/graph_arch_parser";

/** A graph that opens as a funnel; its `type` is that of Odoo's own graph, one click away. */
export class OpportunityFunnelArchParser extends GraphArchParser {
    parse() {
        return { ...super.parse(...arguments), mode: "funnel" };
    }
}

import { GraphController } from "@web/views/graph/graph_controller";

export class OpportunityFunnelController extends GraphController {
    /**
     * A favorite keeps what is compared and how; the groupings are kept by the search itself.
     *
     * @override
     */
    getContext() {
        return this.model.isFunnel ? this.model.getFunnelContext() : super.getContext();
    }
}

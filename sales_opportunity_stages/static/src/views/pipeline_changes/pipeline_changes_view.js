import { registry } from "@web/core/registry";
import { GraphController } from "@web/views/graph/graph_controller";
import { graphView } from "@web/views/graph/graph_view";
import { PipelineChangesModel } from "./pipeline_changes_model";
import { PipelineChangesRenderer } from "./pipeline_changes_renderer";

export class PipelineChangesController extends GraphController {
    /**
     * What is grouped by is kept by the search itself.
     *
     * @override
     */
    getContext() {
        return {};
    }
}

/** `<graph js_class="pipeline_changes">` of `crm.pipeline.change.report`: a waterfall beside a table. */
export const pipelineChangesView = {
    ...graphView,
    Controller: PipelineChangesController,
    Model: PipelineChangesModel,
    Renderer: PipelineChangesRenderer,
    props: (genericProps, view) => {
        const { resModel, fields, state } = genericProps;
        const modelParams = { resModel, fields, ...(state?.metaData || {}) };
        return {
            ...genericProps,
            modelParams,
            Model: view.Model,
            Renderer: view.Renderer,
            buttonTemplate: view.buttonTemplate,
        };
    },
};

registry.category("views").add("pipeline_changes", pipelineChangesView);

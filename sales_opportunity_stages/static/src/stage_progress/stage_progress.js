import { Component } from "@odoo/owl";
import { hasTouch } from "@web/core/browser/feature_detection";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** How many required rules of the stage are met, and, on hovering or tapping, which are not. */
export class StageProgress extends Component {
    static template = "sales_opportunity_stages.StageProgress";
    static props = { ...standardFieldProps };

    get progress() {
        return this.props.record.data[this.props.name];
    }

    get outlook() {
        return this.props.record.data.stage_outlook || "";
    }

    get color() {
        return this.props.record.data.can_promote ? "text-bg-success" : "text-bg-light border";
    }

    /** A tap shows what is missing; a click with the mouse opens the card as everywhere else. */
    onClick(ev) {
        if (hasTouch()) {
            ev.stopPropagation();
        }
    }
}

registry.category("fields").add("stage_progress", {
    component: StageProgress,
    supportedTypes: ["char"],
    fieldDependencies: [
        { name: "stage_outlook", type: "char" },
        { name: "can_promote", type: "boolean" },
    ],
});

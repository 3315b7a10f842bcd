import { Component, onMounted, useRef } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const KEY = "sales_opportunity_stages.guidance_folded";

/** Remember in this browser whether the guidance is folded: it is folded or unfolded for all opportunities. */
export class StageGuidanceFold extends Component {
    static template = "sales_opportunity_stages.StageGuidanceFold";
    static props = { ...standardWidgetProps };

    setup() {
        this.root = useRef("root");
        onMounted(() => {
            const details = this.root.el.closest("details");
            details.open = browser.localStorage.getItem(KEY) !== "1";
            details.addEventListener("toggle", () =>
                browser.localStorage.setItem(KEY, details.open ? "0" : "1")
            );
        });
    }
}

registry.category("view_widgets").add("stage_guidance_fold", { component: StageGuidanceFold });

import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** The first line of a text; the others behind *Details*. For banners: `widget="text_details"`. */
export class TextDetailsField extends Component {
    static template = "sales_opportunity_stages.TextDetailsField";
    static props = { ...standardFieldProps };

    setup() {
        this.state = useState({ isOpen: false });
    }

    get lines() {
        return (this.props.record.data[this.props.name] || "").trim().split("\n");
    }

    get summary() {
        return this.lines[0];
    }

    get details() {
        return this.lines.slice(1).join("\n").trim();
    }
}

registry.category("fields").add("text_details", {
    component: TextDetailsField,
    displayName: _t("Text with Details"),
    supportedTypes: ["char", "text"],
});

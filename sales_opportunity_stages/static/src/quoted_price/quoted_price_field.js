import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { monetaryField, MonetaryField } from "@web/views/fields/monetary/monetary_field";
import { FIELD_WIDTHS } from "@web/views/list/column_width_hook";

/** A price that nobody has quoted yet is zero: say so, since zero looks like a price. */
export class QuotedPriceField extends MonetaryField {
    get formattedValue() {
        return this.props.readonly && !this.value ? _t("Not quoted") : super.formattedValue;
    }
}

registry.category("fields").add("quoted_price", {
    ...monetaryField,
    component: QuotedPriceField,
    listViewWidth: FIELD_WIDTHS.monetary, // the list knows it by the name of Odoo's widget alone
});

import { StaticList } from "@web/model/relational_model/static_list";
import { patch } from "@web/core/utils/patch";

/**
 * A row with unsaved changes keeps them. Once one row of a list was opened in a dialog, or created in one, the list knows
 * the fields of that dialog as well. The next time the list is sorted, Odoo reads all rows again that lack these fields,
 * and with them the new order of the rows is lost. The columns of a changed row are known already, so it is not read again.
 */
patch(StaticList.prototype, {
    setup() {
        super.setup(...arguments);
        this.columnNames = Object.keys(this.activeFields);
    },

    _getResIdsToLoad() {
        return super._getResIdsToLoad(...arguments).filter((resId) => !this._isChangedRow(this._cache[resId]));
    },

    _isChangedRow(record) {
        return record?.dirty && this.columnNames.every((name) => name in record.activeFields);
    },
});

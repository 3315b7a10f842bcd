import "@crm/views/crm_form/crm_form"; // registers the view
import { markRaw } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { patch } from "@web/core/utils/patch";

/**
 * A widget that saves at once, such as the status bar or the priority, changes one thing by one click. When the server
 * refuses it, the form shows the value from before, as the kanban does. Otherwise every further click would send the
 * refused value again. Other changes that are not saved yet stay as they are.
 */
patch(registry.category("views").get("crm_form").Model.Record.prototype, {
    get takesBackRefused() {
        return this.canSaveOnUpdate;
    },

    update(changes, { save } = {}) {
        if (!save || !this.takesBackRefused || this.model._urgentSave) {
            return super.update(...arguments);
        }
        return this.model.mutex.exec(() => this._saveOrTakeBack(changes));
    },

    /** Apply changes and save. Take them back when the server refuses them. */
    async _saveOrTakeBack(changes) {
        const before = this._getUnsavedState();
        try {
            await this._update(changes, { withoutOnchange: true });
            return await this._save();
        } catch (error) {
            this._setUnsavedState(before);
            throw error;
        }
    },

    _getUnsavedState() {
        return {
            dirty: this.dirty,
            changes: { ...this._changes },
            textValues: { ...this._textValues },
        };
    },

    _setUnsavedState({ dirty, changes, textValues }) {
        this._changes = markRaw(changes);
        this._textValues = markRaw(textValues);
        this.data = { ...this._values, ...this._changes };
        this.dirty = dirty;
        this._setEvalContext();
    },
});

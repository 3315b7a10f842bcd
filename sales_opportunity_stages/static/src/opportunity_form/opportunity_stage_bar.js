import { patch } from "@web/core/utils/patch";
import { StatusBarField } from "@web/views/fields/statusbar/statusbar_field";

/**
 * The status bar of an opportunity changes the stage by one save, so that the form can take a refused stage back. On
 * other forms it stays as it is: it changes the field first and saves the form then.
 */
patch(StatusBarField.prototype, {
    async selectItem(item) {
        const { name, record } = this.props;
        if (!record.takesBackRefused) {
            return super.selectItem(...arguments);
        }
        const isRecord = this.field.type === "many2one";
        const value = isRecord ? { id: item.value, display_name: item.label } : item.value;
        await record.update({ [name]: value }, { save: true });
    },
});

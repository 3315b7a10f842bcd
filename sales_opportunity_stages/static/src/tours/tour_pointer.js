import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";
import { TourPointer } from "@web_tour/js/tour_pointer/tour_pointer";

/**
 * Show the pointer in a dialog, too.
 *
 * Odoo asks whether the pointer is below a dialog only when the dialog opens. At that moment the pointer is still where
 * the step before was, so it stayed hidden when it moved into the dialog.
 */
patch(TourPointer.prototype, {
    setup() {
        super.setup();
        this.ui = useService("ui");
    },

    get isVisible() {
        const { anchor, isVisible } = this.props.pointerState;
        const isInDialog = anchor?.closest(".modal") && this.ui.activeElement.contains(anchor);
        return isInDialog ? isVisible : super.isVisible;
    },
});

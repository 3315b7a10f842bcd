import { _t } from "@web/core/l10n/translation";
import { RPCError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";

/**
 * Open the dialog that asks for what is missing, and show the opportunities anew once it has saved something.
 *
 * @param {Services["action"]} action
 * @param {{ lead_ids: number[], target_stage_id: number | false, is_win?: boolean }} values
 */
export function openPromoteDialog(action, { lead_ids, target_stage_id, is_win }) {
    return action.doAction(
        {
            type: "ir.actions.act_window",
            name: _t("Promote"),
            res_model: "crm.lead.promote",
            views: [[false, "form"]],
            target: "new",
            context: {
                default_lead_ids: lead_ids,
                default_target_stage_id: target_stage_id,
                default_is_win: Boolean(is_win),
            },
        },
        {
            onClose: (infos) => infos?.promoted && action.doAction({ type: "ir.actions.client", tag: "soft_reload" }),
        }
    );
}

/**
 * A refused move, by whatever the user did, opens the dialog in place of the text. The view has taken the move back
 * already, as after every error.
 *
 * @returns {boolean} whether the error is dealt with
 */
export function promoteHandler(env, error, originalError) {
    const values = originalError instanceof RPCError && originalError.data?.context?.crm_lead_promote;
    if (!values) {
        return false;
    }
    error.unhandledRejectionEvent?.preventDefault();
    openPromoteDialog(env.services.action, values);
    return true;
}

registry.category("error_handlers").add("sales_opportunity_stages.promote", promoteHandler, { sequence: 90 });

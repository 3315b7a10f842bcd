from odoo import api, models
from odoo.fields import Domain


class CrmTeam(models.Model):
    """The first screen of CRM. Where there are several types, it opens on the one that the user works with."""

    _inherit = "crm.team"

    @api.model
    def action_your_pipeline(self):
        """Add a panel to choose the type from, and choose one, unless there is only one type anyway."""
        action = super().action_your_pipeline()
        types = self.env["crm.opportunity.type"].search(Domain.TRUE)
        if len(types) > 1:
            # sudo: who uses the view may not read its record
            view = self.env.ref("sales_opportunity_stages.crm_lead_view_search_pipeline").sudo()
            action["search_view_id"] = [view.id, view.name]
            if not self._has_default_favorite(action):
                action["context"] = action["context"] | self._get_pipeline_defaults(types)
        return action

    def _has_default_favorite(self, action):
        """Whether the user has chosen what to see first: a default favorite stands above ours."""
        favorites = self.env["ir.filters"].get_filters(action["res_model"], action["id"])
        return any(favorite["is_default"] for favorite in favorites)

    def _get_pipeline_defaults(self, types):
        """Return the context that chooses the type, and for who has no open opportunity those of the others.

        :param types: the ``crm.opportunity.type`` that the user may choose from
        """
        own_type = self._find_busiest_type(types, [("user_id", "=", self.env.uid)])
        if own_type:
            return {"searchpanel_default_opportunity_type_id": own_type.id}
        if self.env.user.has_group("sales_team.group_sale_salesman_all_leads"):
            other_type = self._find_busiest_type(types, [])
            if other_type:
                return {
                    "searchpanel_default_opportunity_type_id": other_type.id,
                    "search_default_assigned_to_me": False,
                }
        type_ids = self.env["crm.lead"]._get_types_found([("id", "=", False)])
        return {"searchpanel_default_opportunity_type_id": next(iter(type_ids), False)}

    def _find_busiest_type(self, types, domain):
        """Return the type of most open opportunities among those of a search, or none."""
        groups = self.env["crm.lead"]._read_group(
            [
                ("type", "=", "opportunity"),
                ("won_status", "=", "pending"),
                ("opportunity_type_id", "in", types.ids),
                *domain,
            ],
            ["opportunity_type_id"],
            ["__count"],
            order="__count desc",
        )
        return groups[0][0] if groups else types.browse()

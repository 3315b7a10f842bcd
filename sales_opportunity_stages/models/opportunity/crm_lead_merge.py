from odoo import models
from odoo.exceptions import AccessError

from ...tools import LeadMerge, UnruledActivity


class CrmLead(models.Model):
    """Merging: the head keeps its type, stage and visits; those of the tail go with the tail."""

    _inherit = "crm.lead"

    def _merge_get_fields(self):
        return [*super()._merge_get_fields(), "opportunity_type_id"]

    def _merge_get_fields_specific(self):
        specific = super()._merge_get_fields_specific()
        specific["opportunity_type_id"] = lambda fname, leads: leads._get_merge_head().opportunity_type_id.id
        return specific

    def _get_merge_head(self):
        """The opportunity that stays: the first, as Odoo sorts them before merging."""
        return self[:1]

    def _check_may_merge(self):
        """Merging deletes, and Odoo does that for whoever may read: a collaborator may not.

        :raise AccessError: naming an opportunity that somebody else is responsible for
        """
        if self._may_assign():
            return
        for lead in self.filtered(lambda lead: lead.user_id and lead.user_id != self.env.user):
            raise AccessError(
                self.env._(
                    "You collaborate on '%(record)s': only %(user)s, who is responsible, or a sales manager can merge "
                    "it with another one.",
                    record=lead.name,
                    user=lead.user_id.name,
                )
            )

    def _merge_opportunity(self, user_id=False, team_id=False, auto_unlink=True, max_length=5):
        self._check_may_merge()
        leads = LeadMerge(frozenset(self.ids)).on(self.with_context(merge_team_id=team_id))
        merged = super(CrmLead, leads)._merge_opportunity(
            user_id=user_id, team_id=team_id, auto_unlink=auto_unlink, max_length=max_length
        )
        return merged.with_env(self.env)

    def _is_being_merged(self):
        """Check whether what this opportunity gets now comes from one that is merged into it."""
        merge = LeadMerge.of(self)
        return bool(merge) and merge.lead_ids.issuperset(self.ids)

    def _merge_data(self, fnames=None):
        """Odoo moves the head to the lowest stage of all when its team lacks its stage: offer one of its type."""
        data = super()._merge_data(fnames)
        head = self._get_merge_head()
        team_id = self.env.context.get("merge_team_id") or data.get("team_id")
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        stage = stage_map.stages.get(data.get("stage_id"))
        if stage and team_id and stage.team_ids and team_id not in stage.team_ids:
            data["stage_id"] = stage_map.entry_stage(head.opportunity_type_id.id, team_id) or stage.id
        return data

    def _merge_dependences_history(self, opportunities):
        """Activities come along even where the head's stage would not have them scheduled."""
        unruled = UnruledActivity().on(self)
        return super(CrmLead, unruled)._merge_dependences_history(UnruledActivity().on(opportunities))

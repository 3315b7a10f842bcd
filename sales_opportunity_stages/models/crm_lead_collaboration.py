from odoo import fields, models
from odoo.fields import Command


class CrmLead(models.Model):
    """Related employees of an opportunity: they work on it with its lines, visits and activities."""

    _name = "crm.lead"
    _inherit = ["crm.lead", "sales.collaboration.mixin"]

    collaborator_ids = fields.Many2many(relation="crm_lead_collaborator_rel", column1="lead_id", column2="user_id")

    def _merge_get_fields_specific(self):
        """Whoever worked on one of the merged opportunities works on the one that is left."""
        specific = super()._merge_get_fields_specific()
        specific["collaborator_ids"] = lambda fname, leads: [Command.link(user.id) for user in leads.collaborator_ids]
        return specific

    def _message_auto_subscribe_followers(self, updated_values, default_subtype_ids):
        followers = super()._message_auto_subscribe_followers(updated_values, default_subtype_ids)
        return followers + self._get_new_collaborator_followers(updated_values, default_subtype_ids)

from odoo import api, fields, models
from odoo.fields import Command


class CrmLead(models.Model):
    """Related employees of an opportunity: they work on it with its lines, visits and activities."""

    _name = "crm.lead"
    _inherit = ["crm.lead", "sales.collaboration.mixin"]

    collaborator_ids = fields.Many2many(
        relation="crm_lead_collaborator_rel",
        column1="lead_id",
        column2="user_id",
        compute="_compute_collaborator_ids",
        store=True,
        readonly=False,
    )

    @api.depends("company_id")
    def _compute_collaborator_ids(self):
        """Whoever has no access to the company drops out, whether it was changed by hand or with the salesperson."""
        for lead in self:
            lead.collaborator_ids = self._filter_members(lead.company_id, lead.collaborator_ids)

    @api.model
    def _filter_members(self, company, users):
        """Those of the users who have access to the company; all of them where there is none."""
        return users.filtered(lambda user: company in user.company_ids) if company else users

    def _merge_get_fields_specific(self):
        """Whoever worked on one of the merged opportunities works on the one that is left, given access to it."""
        specific = super()._merge_get_fields_specific()
        # sudo: collaborators go along, whoever merges
        specific["collaborator_ids"] = lambda fname, leads: [
            Command.link(user.id) for user in self._filter_members(leads.company_id[:1], leads.sudo().collaborator_ids)
        ]
        return specific

    def _message_auto_subscribe_followers(self, updated_values, default_subtype_ids):
        followers = super()._message_auto_subscribe_followers(updated_values, default_subtype_ids)
        return followers + self._get_new_collaborator_followers(updated_values, default_subtype_ids)

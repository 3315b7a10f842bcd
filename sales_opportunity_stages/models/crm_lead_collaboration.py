from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command


class CrmLead(models.Model):
    """Related employees (分配员工): they work on an opportunity that another one is responsible for.

    Record rules let them read and write it, with its lines, visits and activities. What they may not do is delete it,
    give it to somebody else or bring others in.
    """

    _inherit = "crm.lead"

    collaborator_ids = fields.Many2many(
        "res.users",
        "crm_lead_collaborator_rel",
        "lead_id",
        "user_id",
        string="Collaborators",
        domain="[('share', '=', False)]",
        check_company=True,
        copy=False,
        help="Employees who work on the opportunity beside the salesperson.",
    )

    @api.constrains("collaborator_ids")
    def _check_collaborators(self):
        """Whoever cannot open an opportunity cannot work on it."""
        for lead in self.sudo():
            outsiders = lead.collaborator_ids.filtered(
                lambda user: not user.has_group("sales_team.group_sale_salesman")
            )
            if outsiders:
                raise ValidationError(
                    self.env._(
                        "%(users)s cannot collaborate on '%(lead)s' without access to sales. Give them the Sales role "
                        "in their user settings first.",
                        users=", ".join(outsiders.mapped("name")),
                        lead=lead.name,
                    )
                )

    def write(self, vals):
        if not {"user_id", "collaborator_ids"} & vals.keys() or self._may_assign():
            return super().write(vals)
        before = {lead: (lead.user_id, lead.collaborator_ids) for lead in self.sudo()}
        result = super().write(vals)
        for lead, (user, collaborators) in before.items():
            given_away = (lead.user_id, lead.collaborator_ids) != (user, collaborators)
            if given_away and user and user != self.env.user:
                raise AccessError(
                    self.env._(
                        "You collaborate on '%(lead)s': only %(user)s, who is responsible, or a sales manager can give "
                        "it to somebody else or change its collaborators.",
                        lead=lead.name,
                        user=user.name,
                    )
                )
        return result

    def _may_assign(self):
        """Who may say who works on any opportunity, not only on one's own."""
        return self.env.su or self.env.user.has_group("sales_team.group_sale_salesman_all_leads")

    def _message_auto_subscribe_followers(self, updated_values, default_subtype_ids):
        """New collaborators follow the opportunity and are told, as a new salesperson is."""
        followers = super()._message_auto_subscribe_followers(updated_values, default_subtype_ids)
        user_ids = set()
        for command in updated_values.get("collaborator_ids") or ():
            if command[0] == Command.LINK:
                user_ids.add(command[1])
            elif command[0] == Command.SET:
                user_ids.update(command[2])
        for user in self.env["res.users"].sudo().browse(sorted(user_ids)):
            template = "mail.message_user_assigned" if user != self.env.user else False
            followers.append((user.partner_id.id, default_subtype_ids, template))
        return followers

    def _merge_get_fields_specific(self):
        """Whoever worked on one of the merged opportunities works on the one that is left."""
        specific = super()._merge_get_fields_specific()
        specific["collaborator_ids"] = lambda fname, leads: [Command.link(user.id) for user in leads.collaborator_ids]
        return specific

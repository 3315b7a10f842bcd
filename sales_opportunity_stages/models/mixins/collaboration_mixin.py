from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command


class SalesCollaborationMixin(models.AbstractModel):
    """Related employees (分配员工): they work on a record that another one is responsible for, its ``user_id``.

    Record rules let them read and write it. What they may not do is delete it, give it to somebody else or bring
    others in. The model that inherits this gives ``collaborator_ids`` its table.
    """

    _name = "sales.collaboration.mixin"
    _description = "Record with Collaborators"

    collaborator_ids = fields.Many2many(
        "res.users",
        string="Collaborators",
        domain="[('share', '=', False)]",
        check_company=True,
        copy=False,
        help="Employees who work on it beside the salesperson.",
    )

    @api.constrains("collaborator_ids")
    def _check_collaborators(self):
        """Whoever cannot open it cannot work on it."""
        # sudo: groups of other users, and collaborators whom the user may not read
        for record in self.sudo():
            outsiders = record.collaborator_ids.filtered(
                lambda user: not user.has_group("sales_team.group_sale_salesman")
            )
            if outsiders:
                raise ValidationError(
                    self.env._(
                        "%(users)s cannot collaborate on '%(record)s' without access to sales. Give them the Sales "
                        "role in their user settings first.",
                        users=", ".join(outsiders.mapped("name")),
                        record=record.name,
                    )
                )

    def write(self, vals):
        if not {"user_id", "collaborator_ids"} & vals.keys() or self._may_assign():
            return super().write(vals)
        # sudo: it may be out of the user's sight once it is written
        before = {record: (record.user_id, record.collaborator_ids) for record in self.sudo()}
        result = super().write(vals)
        for record, (user, collaborators) in before.items():
            given_away = (record.user_id, record.collaborator_ids) != (user, collaborators)
            if given_away and user and user != self.env.user:
                raise AccessError(
                    self.env._(
                        "You collaborate on '%(record)s': only %(user)s, who is responsible, or a sales manager can "
                        "give it to somebody else or change its collaborators.",
                        record=record.name,
                        user=user.name,
                    )
                )
        return result

    def _may_assign(self):
        """Who may say who works on any record, not only on one's own."""
        return self.env.su or self.env.user.has_group("sales_team.group_sale_salesman_all_leads")

    def _get_new_collaborator_followers(self, updated_values, default_subtype_ids):
        """New collaborators follow it and are told, as a new salesperson is.

        For ``_message_auto_subscribe_followers`` of the model, with the same arguments.
        """
        user_ids = set()
        for command in updated_values.get("collaborator_ids") or ():
            if isinstance(command, int):
                user_ids.add(command)
            elif command[0] == Command.LINK:
                user_ids.add(command[1])
            elif command[0] == Command.SET:
                user_ids.update(command[2])
        # sudo: partners of other users
        return [
            (user.partner_id.id, default_subtype_ids, user != self.env.user and "mail.message_user_assigned")
            for user in self.env["res.users"].sudo().browse(sorted(user_ids))
        ]

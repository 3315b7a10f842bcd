from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command


class CrmLeadAssign(models.TransientModel):
    """Batch assignment (分配员工): responsible, team and collaborators of many opportunities or quotations at once.

    Either all get the same salesperson, or they are distributed over several, each next one going to whoever has the
    fewest open ones then.
    """

    _name = "crm.lead.assign"
    _description = "Assign Opportunities"

    lead_ids = fields.Many2many(
        "crm.lead",
        string="Opportunities",
        context={"active_test": False},
        default=lambda self: self._get_active_ids("crm.lead"),
    )
    order_ids = fields.Many2many(
        "sale.order", string="Quotations", default=lambda self: self._get_active_ids("sale.order")
    )
    mode = fields.Selection(
        [("set", "One salesperson"), ("distribute", "Distribute evenly"), ("keep", "Keep the salespeople")],
        required=True,
        default="set",
        string="Assign to",
    )
    user_id = fields.Many2one("res.users", "Salesperson", domain="[('share', '=', False)]")
    user_ids = fields.Many2many("res.users", string="Salespeople", domain="[('share', '=', False)]")
    team_id = fields.Many2one("crm.team", "Sales Team", help="Blank: as Odoo finds it for the salesperson.")
    add_collaborator_ids = fields.Many2many(
        "res.users",
        "crm_lead_assign_add_rel",
        string="Add Collaborators",
        domain="[('share', '=', False)]",
    )
    remove_collaborator_ids = fields.Many2many(
        "res.users",
        "crm_lead_assign_remove_rel",
        string="Remove Collaborators",
        domain="[('share', '=', False)]",
    )

    @api.model
    def _get_active_ids(self, model):
        context = self.env.context
        return context.get("active_ids") if context.get("active_model") == model else False

    def _get_records(self):
        """What is to be assigned: opportunities, or quotations and orders. Both know their salesperson, team and
        collaborators by the same names."""
        return self.order_ids or self.lead_ids

    def action_assign(self):
        """Assign, in one transaction, with the rights of whoever asks.

        :raise UserError: when nothing was chosen
        :raise AccessError: when one of the records is not the user's to give
        :returns: a notification that says what was done
        """
        self.ensure_one()
        if not self._get_records():
            raise UserError(self.env._("Choose what is to be assigned."))
        if (self.mode == "set" and not self.user_id) or (self.mode == "distribute" and not self.user_ids):
            raise UserError(self.env._("Choose who it is to be assigned to."))
        self._check_may_assign()
        assigned = self._assign_salespeople()
        self._change_collaborators()
        return self._get_summary_action(assigned)

    def _check_may_assign(self):
        """Say at once which records are not the user's to give, rather than at the first that refuses."""
        records = self._get_records()
        records.check_access("write")
        if records._may_assign():
            return
        others = records.filtered(lambda record: record.user_id and record.user_id != self.env.user)
        if others:
            raise AccessError(
                self.env._(
                    "You are not responsible for %(records)s: a sales manager can assign them.",
                    records=", ".join(f"'{name}'" for name in others[:10].mapped("name")),
                )
            )

    # ------------------------------------------------------------
    # Salespeople
    # ------------------------------------------------------------

    def _assign_salespeople(self):
        """Write the salespeople together with the team, once per salesperson: given the team, Odoo does not look for
        one for each opportunity. Whoever is responsible already is not told again.

        :returns: ``{user: the opportunities that they got}``
        """
        team = {"team_id": self.team_id.id} if self.team_id else {}
        if self.mode == "keep":
            assigned = {}
        else:
            assigned = {self.user_id: self._get_records()} if self.mode == "set" else self._distribute()
        unchanged = self._get_records()
        for user, records in assigned.items():
            changed = records.filtered(lambda record, user=user: record.user_id != user)
            if changed:
                changed.write({"user_id": user.id, **team})
                unchanged -= changed
        unchanged = unchanged.filtered(lambda record: record.team_id != self.team_id)
        if team and unchanged:
            unchanged.write(team)
        return assigned

    def _distribute(self):
        """Give each record to whoever has the fewest open ones then; between equals, in the order chosen.

        What is being distributed does not count as anybody's work already.

        :returns: ``{user: records}``
        """
        workload = dict.fromkeys(self.user_ids, 0) | self._get_workload()
        order = {user: index for index, user in enumerate(self.user_ids)}
        assigned = defaultdict(self._get_records().browse)
        for record in self._get_records():
            user = min(workload, key=lambda user: (workload[user], order[user]))
            assigned[user] += record
            workload[user] += 1
        return assigned

    def _get_open_domain(self):
        """What counts as somebody's work: open opportunities, or quotations on which a decision is still to come."""
        if self.order_ids:
            return [("state", "in", ("draft", "sent")), ("approval_state", "!=", "closed")]
        return [("type", "=", "opportunity"), ("won_status", "=", "pending")]

    def _get_workload(self):
        """Open records of each chosen salesperson, whoever asks, without those being distributed.

        Override to weigh them otherwise, for example by expected revenue.

        :returns: ``{user: number}``
        """
        records = self._get_records()
        domain = [("user_id", "in", self.user_ids.ids), ("id", "not in", records.ids), *self._get_open_domain()]
        # sudo: the load is that of all records of a salesperson, whoever asks; only numbers come of it
        groups = records.sudo()._read_group(domain, ["user_id"], ["__count"])
        return {user.sudo(False): count for user, count in groups}

    # ------------------------------------------------------------
    # Collaborators
    # ------------------------------------------------------------

    def _change_collaborators(self):
        """Add and remove; grouped by who is new, so that each is told once and of what is new to them alone."""
        by_commands = defaultdict(self._get_records().browse)
        for record in self._get_records():
            added = self.add_collaborator_ids - record.collaborator_ids - record.user_id
            removed = self.remove_collaborator_ids & record.collaborator_ids
            by_commands[tuple(added.ids), tuple(removed.ids)] += record
        for (added_ids, removed_ids), records in by_commands.items():
            commands = [Command.link(id_) for id_ in added_ids] + [Command.unlink(id_) for id_ in removed_ids]
            if commands:
                # sudo: may be somebody else's since a moment ago; who may assign was checked before
                records.sudo().write({"collaborator_ids": commands})

    # ------------------------------------------------------------
    # What was done
    # ------------------------------------------------------------

    def _get_summary_title(self):
        if self.order_ids:
            return self.env._("%s quotations assigned", len(self.order_ids))
        return self.env._("%s opportunities assigned", len(self.lead_ids))

    def _get_summary_action(self, assigned):
        lines = [
            self.env._("%(user)s: %(count)s", user=user.name, count=len(records)) for user, records in assigned.items()
        ]
        if self.team_id:
            lines.append(self.env._("Sales team: %s", self.team_id.name))
        if self.add_collaborator_ids:
            lines.append(self.env._("Added: %s", ", ".join(self.add_collaborator_ids.mapped("name"))))
        if self.remove_collaborator_ids:
            lines.append(self.env._("Removed: %s", ", ".join(self.remove_collaborator_ids.mapped("name"))))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "title": self._get_summary_title(),
                "message": " · ".join(lines),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

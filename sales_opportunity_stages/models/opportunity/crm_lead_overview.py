from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class CrmLead(models.Model):
    """Everything about an opportunity at a glance (相关对象): who takes it over reads its state on one screen."""

    _inherit = "crm.lead"

    action_ids = fields.Many2many(
        "mail.activity",
        string="Actions",
        compute="_compute_action_ids",
        context={"active_test": False},
        help="What was done and what is planned, in the order of the stages that it went through.",
    )
    action_count = fields.Char("Actions Done and Planned", compute="_compute_action_ids")
    document_ids = fields.Many2many("ir.attachment", string="Documents", compute="_compute_document_ids")
    document_count = fields.Integer(compute="_compute_document_ids")
    stage_visit_days = fields.Float(
        "Days in Stage", compute="_compute_stage_visit_days", help="How long it has been in its present stage."
    )

    @api.depends("activity_ids.active")
    def _compute_action_ids(self):
        activities = self.env["mail.activity"].with_context(active_test=False)
        # sudo: who may read an opportunity may read its activities, so Odoo's check of each one is left out
        found = activities.sudo().search([("res_model", "=", "crm.lead"), ("res_id", "in", self.ids)], order="id")
        by_lead = found.sudo(False).grouped("res_id")
        for lead in self:
            actions = by_lead.get(lead.id, activities).sorted(
                lambda activity: (activity.done_visit_id.id or activity.stage_visit_id.id, activity.id)
            )
            done = actions.filtered(lambda activity: not activity.active)
            lead.action_ids = actions
            lead.action_count = self.env._(
                "%(done)s done, %(planned)s planned", done=len(done), planned=len(actions - done)
            )

    @api.depends("message_ids.attachment_ids", "activity_ids.attachment_ids", "order_ids")
    def _compute_document_ids(self):
        for lead in self:
            lead.document_ids = self.env["ir.attachment"].search(lead._get_document_domain()) if lead.id else False
            lead.document_count = len(lead.document_ids)

    @api.depends("stage_visit_ids.date_start", "stage_visit_ids.date_end")
    def _compute_stage_visit_days(self):
        for lead in self:
            present = lead.stage_visit_ids.filtered(lambda visit: not visit.date_end)[:1]
            lead.stage_visit_days = present._get_duration_days(present.date_start, fields.Datetime.now()) or 0.0

    # ------------------------------------------------------------
    # Documents
    # ------------------------------------------------------------

    def _get_document_domain(self):
        """Attachments of the opportunity, its messages and activities, and the same of its quotations and orders.

        A bridge adds what else belongs to it. Whoever searches sees what they may see of them.
        """
        self.ensure_one()
        orders = self.with_context(active_test=False).order_ids
        return Domain.OR(
            [
                *self._get_attachment_domains(self),
                *self._get_attachment_domains(orders),
            ]
        )

    @api.model
    def _get_attachment_domains(self, records):
        """Attachments of records, of their messages and of their activities, as domains.

        :param records: of any model with a chatter
        """
        if not records:
            return [Domain.FALSE]
        # sudo: finds ids alone; whoever searches attachments by them gets those that they may read
        messages = self.env["mail.message"].sudo()
        activities = self.env["mail.activity"].sudo().with_context(active_test=False)
        return [
            Domain([("res_model", "=", records._name), ("res_id", "in", records.ids)]),
            self._get_attached_domain(messages, [("model", "=", records._name), ("res_id", "in", records.ids)]),
            self._get_attached_domain(activities, [("res_model", "=", records._name), ("res_id", "in", records.ids)]),
        ]

    @api.model
    def _get_attached_domain(self, model, domain):
        """Return the domain of the attachments of the records of ``model`` that the domain finds."""
        field = model._fields["attachment_ids"]
        attached = SQL(
            "(SELECT %s FROM %s WHERE %s IN %s)",
            SQL.identifier(field.column2),
            SQL.identifier(field.relation),
            SQL.identifier(field.column1),
            model._search(domain).subselect(),
        )
        return Domain("id", "in", attached)

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_view_documents(self):
        """Every document in one list; what is uploaded there belongs to the opportunity."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "ir.attachment",
            "view_mode": "kanban,list,form",
            "domain": [("id", "in", self.document_ids.ids)],
            "context": {"default_res_model": self._name, "default_res_id": self.id, "create": True},
            "name": self.env._("Documents"),
        }

    def action_view_actions(self):
        """What was done and what is planned, by the stay in a stage that it belongs to."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Actions"),
            "res_model": "mail.activity",
            "views": [
                (self.env.ref("sales_opportunity_stages.mail_activity_view_list_by_stage").id, "list"),
                (False, "form"),
            ],
            "domain": [("res_model", "=", self._name), ("res_id", "=", self.id)],
            "context": {"active_test": False, "group_by": ["stage_visit_id"], "create": False},
        }

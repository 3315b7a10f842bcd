from datetime import timedelta

from odoo import api, fields, models

from ..models.credit.sale_credit_request import RELEASE_DAYS

GRANT_DAYS = 30


class SaleCreditDecide(models.TransientModel):
    """Decide on credit requests, with the reason."""

    _name = "sale.credit.decide"
    _description = "Decide on Credit Requests"

    request_ids = fields.Many2many("sale.credit.request", string="Requests", required=True)
    request_count = fields.Integer(compute="_compute_request_count")
    currency_id = fields.Many2one("res.currency", compute="_compute_request_count")
    is_crm = fields.Boolean(
        "From an Opportunity", compute="_compute_is_crm", help="No release lets these orders pass: grant a limit."
    )
    decision = fields.Selection(
        [
            ("release", "Release these orders"),
            ("grant", "Grant a temporary limit"),
            ("refuse", "Refuse"),
            ("forward", "Forward"),
        ],
        compute="_compute_decision",
        store=True,
        readonly=False,
    )
    valid_until = fields.Date(default=lambda self: fields.Date.context_today(self) + timedelta(days=RELEASE_DAYS))
    amount = fields.Monetary(
        compute="_compute_amount", store=True, readonly=False, help="Amount on top of the limit of the credit unit."
    )
    date_to = fields.Date("Until", default=lambda self: fields.Date.context_today(self) + timedelta(days=GRANT_DAYS))
    user_id = fields.Many2one("res.users", "Forward To", domain="[('share', '=', False)]")
    reason = fields.Text(required=True)

    @api.depends("request_ids")
    def _compute_request_count(self):
        for wizard in self:
            wizard.request_count = len(wizard.request_ids)
            wizard.currency_id = wizard.request_ids[:1].currency_id

    @api.depends("request_ids")
    def _compute_is_crm(self):
        for wizard in self:
            # sudo: orders that a credit manager need not be able to read; a yes or no comes of it
            requests = wizard.request_ids.sudo()
            wizard.is_crm = any(request._get_unreleasable_orders() for request in requests)

    @api.depends("is_crm")
    def _compute_decision(self):
        for wizard in self:
            wizard.decision = "grant" if wizard.is_crm else "release"

    @api.depends("request_ids")
    def _compute_amount(self):
        """Start from what the orders are over the limit."""
        for wizard in self:
            wizard.amount = sum(wizard.request_ids.mapped("excess"))

    def action_decide(self):
        """See the methods of ``sale.credit.request``, which check who may decide."""
        self.ensure_one()
        requests, reason = self.request_ids, self.reason
        if self.decision == "release":
            requests.action_release(reason, self.valid_until)
        elif self.decision == "grant":
            for request in requests:
                request.action_grant(self.amount if len(requests) == 1 else request.excess, self.date_to, reason)
        elif self.decision == "refuse":
            requests.action_refuse(reason)
        else:
            requests.action_forward(self.user_id.id, reason)
        return {"type": "ir.actions.act_window_close", "infos": {"reload": True}}

from odoo import api, fields, models

from ..tools.credit import CreditTerms


class SaleCreditDryRun(models.TransientModel):
    """Which open quotations would be blocked under another limit or term? Nothing changes before *Apply*."""

    _name = "sale.credit.dry.run"
    _description = "Try Another Credit Limit"

    unit_id = fields.Many2one(
        "res.partner",
        "Credit Unit",
        required=True,
        domain="[('credit_unit_id', '=', False), '|', ('is_company', '=', True), ('parent_id', '=', False)]",
    )
    currency_id = fields.Many2one("res.currency", default=lambda self: self.env.company.currency_id)
    credit_limit = fields.Monetary(
        compute="_compute_terms", store=True, readonly=False, help="The limit to simulate. 0: no limit."
    )
    credit_term_days = fields.Integer(
        "Credit Term", compute="_compute_terms", store=True, readonly=False, help="The term to try, in days."
    )
    can_apply = fields.Boolean(compute="_compute_can_apply", compute_sudo=True)
    exposure = fields.Monetary(compute="_compute_blocked", compute_sudo=True, help="Present exposure of the unit.")
    quotation_count = fields.Integer("Open Quotations", compute="_compute_blocked", compute_sudo=True)
    blocked_count = fields.Integer("Would Be Blocked", compute="_compute_blocked", compute_sudo=True)
    blocked_order_ids = fields.Many2many(
        "sale.order", compute="_compute_blocked", compute_sudo=True, string="Would Be Blocked Each"
    )

    @api.depends("unit_id")
    def _compute_terms(self):
        """Start from what is granted now."""
        for wizard in self:
            # sudo: whoever may open the dialog may read the terms
            unit = wizard.unit_id.sudo().with_company(self.env.company)
            wizard.credit_limit, wizard.credit_term_days = unit.credit_limit, unit.credit_term_days

    @api.depends("unit_id", "credit_limit", "credit_term_days")
    def _compute_can_apply(self):
        """Offer *Apply* to those who may change the unit, once something differs."""
        for wizard in self:
            unit = wizard.unit_id.with_company(self.env.company)
            differs = (wizard.credit_limit, wizard.credit_term_days) != (unit.credit_limit, unit.credit_term_days)
            user_unit = unit.sudo(False)
            wizard.can_apply = unit and differs and user_unit._may_write_credit() and user_unit.has_access("write")

    @api.depends("unit_id", "credit_limit", "credit_term_days")
    def _compute_blocked(self):
        """Each quotation for itself, on top of what the unit owes now.

        The numbers are over all quotations; a credit manager need not have access to sales, and sees none of them then.
        """
        company, Order = self.env.company, self.env["sale.order"]
        for wizard in self:
            unit = wizard.unit_id._get_credit_unit()
            standings = self.env["sale.credit.exposure"]._get_standings(unit.ids, company)
            exposure = standings[unit.id].exposure if unit else None
            orders = Order.search(wizard._get_quotation_domain(unit, company)) if unit else Order
            terms = CreditTerms(wizard.credit_limit, wizard.credit_term_days)
            blocked = orders.filtered(
                lambda order, terms=terms, exposure=exposure: (
                    order._make_credit_decision(company, terms, exposure, order._get_credit_amount()).refused
                    and order._get_credit_amount() > 0
                )
            )
            wizard.exposure = exposure.total if exposure else 0.0
            wizard.quotation_count, wizard.blocked_count = len(orders), len(blocked)
            wizard.blocked_order_ids = blocked.sudo(False)._filtered_access("read").ids

    @api.model
    def _get_quotation_domain(self, unit, company):
        member_ids = unit._get_credit_members().ids
        return [
            "|",
            ("partner_id.commercial_partner_id", "in", member_ids),
            ("partner_invoice_id.commercial_partner_id", "in", member_ids),
            ("state", "in", ("draft", "sent")),
            ("approval_state", "!=", "closed"),
            ("company_id", "=", company.id),
        ]

    def action_apply(self):
        """Set the simulated limit and term for the unit, with the user's own rights.

        :raise AccessError: when the user may not change credit
        """
        self.ensure_one()
        self.unit_id.with_company(self.env.company).write(
            {"credit_limit": self.credit_limit, "credit_term_days": self.credit_term_days}
        )
        return {"type": "ir.actions.act_window_close"}

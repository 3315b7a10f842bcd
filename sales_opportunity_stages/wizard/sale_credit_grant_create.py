from odoo import fields, models
from odoo.exceptions import AccessError


class SaleCreditGrantCreate(models.TransientModel):
    """Grant a credit unit an amount on top of its limit: for some time, or insured."""

    _name = "sale.credit.grant.create"
    _description = "Grant Credit"

    unit_id = fields.Many2one(
        "res.partner",
        "Credit Unit",
        required=True,
        domain="[('credit_unit_id', '=', False), '|', ('is_company', '=', True), ('parent_id', '=', False)]",
    )
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection([("temporary", "Temporary"), ("insured", "Insured")], default="temporary", required=True)
    amount = fields.Monetary(help="Amount on top of the limit of the credit unit.")
    date_from = fields.Date("From", required=True, default=fields.Date.context_today)
    date_to = fields.Date("Until", help="The last day. Blank: no end, for an insured grant.")
    policy_number = fields.Char()
    for_tree = fields.Boolean("All Companies", help="It holds in all companies under the same parent company.")
    reason = fields.Text(required=True)

    def action_grant(self):
        """Grant it.

        :raise AccessError: when the user does not decide on credit
        """
        self.ensure_one()
        unit = self.unit_id
        if not unit._may_write_credit() or not unit.has_access("write"):
            raise AccessError(
                self.env._("Only an accountant or a credit manager can grant credit to '%s'.", unit.display_name)
            )
        company = self.env.company
        self.env["sale.credit.grant"]._grant(
            unit._get_credit_unit(),
            self.amount,
            kind=self.kind,
            company_id=False if self.for_tree else company.id,
            root_company_id=company.root_id.id,
            date_from=self.date_from,
            date_to=self.date_to,
            policy_number=self.policy_number,
            reason=self.reason,
            granted_by_id=self.env.uid,
        )
        return {"type": "ir.actions.act_window_close", "infos": {"reload": True}}

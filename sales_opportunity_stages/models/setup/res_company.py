from odoo import fields, models


class ResCompany(models.Model):
    _name = "res.company"
    _inherit = ["res.company", "sales.internal.fields.mixin"]

    quotation_approval = fields.Selection(
        [("off", "Not required"), ("required", "Required")],
        default="off",
        required=True,
        help="Required: a quotation takes effect by being approved; only then can it be sent, signed, paid or "
        "confirmed.",
    )
    quotation_approval_min_amount = fields.Monetary(
        "Approval From",
        help="Quotations of this total or more, taxes included, in the company's currency, need one. Zero: all.",
    )
    quotation_approval_four_eyes = fields.Boolean(
        "Four-Eyes Approval",
        default=True,
        prefetch=False,
        help="Nobody approves a quotation that they have made, requested, are responsible for or have worked on, nor "
        "does a deputy in the place of somebody who has.",
    )

    _check_quotation_approval_min_amount = models.Constraint(
        "CHECK(quotation_approval_min_amount >= 0)", "The amount from which quotations need approval is never negative."
    )

    credit_policy = fields.Selection(
        [("none", "Do not check"), ("warn", "Warn"), ("block", "Block")],
        default="block",
        required=True,
        prefetch=False,
        help="What happens when an order goes over the credit of the customer's unit. Orders of an opportunity are "
        "always blocked.",
    )
    credit_check_keep_days = fields.Integer(
        "Keep Passed Credit Decisions",
        default=365,
        prefetch=False,
        help="Days. Nought: for ever. What was refused stays in any case.",
    )
    credit_tolerance = fields.Monetary(
        "Overdue Tolerance",
        prefetch=False,
        help="Overdue amount of a credit unit up to which it is not blocked, in the company's currency. 0: any overdue "
        "amount blocks.",
    )

    _check_credit_tolerance = models.Constraint(
        "CHECK(credit_tolerance >= 0)", "The overdue tolerance cannot be negative."
    )

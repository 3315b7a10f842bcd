from odoo import api, fields, models, tools


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
        help="Nobody approves a quotation that they made, requested, changed or are responsible for. "
        "Their deputies cannot approve it in their place.",
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
        help="In days. 0: keep forever. Checks that did not pass are always kept.",
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

    credit_release_crm = fields.Boolean(
        "Release Orders of Opportunities",
        prefetch=False,
        help="A credit release may let an order of an opportunity pass. Otherwise only a grant does.",
    )
    credit_term_basis = fields.Selection(
        [("document", "Document Date"), ("due", "Due Date")],
        "Credit Term Counted From",
        default="document",
        required=True,
        prefetch=False,
        help="Date that the credit term is counted from: that of the document, or the due date of each instalment.",
    )
    credit_grace_days = fields.Integer(
        "Grace Days", prefetch=False, help="Days after the credit term within which a document is not late yet."
    )
    credit_use_parent_limit = fields.Boolean(
        "Use Limits of the Parent Company",
        prefetch=False,
        help="A customer without a credit limit in this branch has the limit of the parent company.",
    )
    credit_auto_confirm = fields.Boolean(
        "Confirm Accepted Quotations",
        prefetch=False,
        help="A quotation on credit hold that the customer has signed or paid is confirmed once credit allows it.",
    )
    credit_check_delivery = fields.Selection(
        [("none", "Do not check"), ("warn", "Warn"), ("block", "Block")],
        "Credit at Delivery",
        default="none",
        required=True,
        prefetch=False,
        help="What happens to a delivery while the credit unit of the customer is over its limit or late.",
    )
    credit_check_invoice = fields.Selection(
        [("none", "Do not check"), ("warn", "Warn"), ("block", "Block")],
        "Credit at Invoicing",
        default="none",
        required=True,
        prefetch=False,
        help="What happens when a customer invoice that comes from no order goes over the credit of its unit.",
    )

    _check_credit_grace_days = models.Constraint("CHECK(credit_grace_days >= 0)", "Grace days cannot be negative.")

    @api.model
    def _get_credit_terms(self):
        """Return the fields of a company that say how the credit of every unit is checked."""
        return {
            "parent_id",
            "credit_term_basis",
            "credit_grace_days",
            "credit_tolerance",
            "credit_use_parent_limit",
            "account_use_credit_limit",
            "credit_check_invoice",
            "credit_check_delivery",
        }

    @tools.ormcache("self.id")
    def _get_credit_checkpoints(self):
        """Return ``{checkpoint: none, warn or block}`` of this company, beside the confirmation."""
        # sudo: a setting of a company that the user need not be able to read
        company = self.sudo()
        if not company.account_use_credit_limit:
            return {"invoice": "none", "delivery": "none"}
        return {"invoice": company.credit_check_invoice, "delivery": company.credit_check_delivery}

    def write(self, vals):
        result = super().write(vals)
        if self._get_credit_terms() & vals.keys():
            self.env.registry.clear_cache()
        return result

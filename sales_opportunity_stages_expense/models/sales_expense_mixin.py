from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class SalesExpenseMixin(models.AbstractModel):
    """What employees spend money on: an opportunity, a quotation or an order.

    Everybody sees of it what they may see of expenses: no amount is read in superuser mode. The model that inherits
    this gives ``spent_expense_ids`` the field of an expense that points back, and has a ``company_id``.
    """

    _name = "sales.expense.mixin"
    _description = "Record That Expenses Are Spent On"

    spent_expense_ids = fields.One2many("hr.expense", string="Expenses Spent on It", groups="base.group_user")
    expense_total = fields.Monetary(
        "Money Spent",
        compute="_compute_expense_total",
        currency_field="expense_currency_id",
        groups="base.group_user",  # as Odoo has it for expenses
        help="Approved, posted or paid, as far as you may see them, in the currency of the company.",
    )
    expense_currency_id = fields.Many2one(
        "res.currency", string="Currency of Expenses", compute="_compute_expense_currency_id"
    )

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_expense_currency_id(self):
        for record in self:
            record.expense_currency_id = (record.company_id or self.env.company).currency_id

    @api.depends("spent_expense_ids.state", "spent_expense_ids.total_amount", "spent_expense_ids.date")
    @api.depends_context("uid", "allowed_company_ids", "company")
    def _compute_expense_total(self):
        """What another company spent is converted at the rate of the day it was spent."""
        link = self._get_expense_link()
        today = fields.Date.context_today(self)
        spent = defaultdict(list)
        for record, *group in self.env["hr.expense"]._read_group(
            Domain(link, "in", self.ids) & self._get_spent_domain(),
            [link, "company_id", "date:day"],
            ["total_amount:sum"],
        ):
            spent[record.id].append(group)
        for record in self:
            currency = record.expense_currency_id
            record.expense_total = sum(
                company.currency_id._convert(amount, currency, company, date or today)
                for company, date, amount in spent[record._origin.id]
            )

    @api.model
    def _get_expense_link(self):
        """The field of an expense that points to this model."""
        return self._fields["spent_expense_ids"].inverse_name

    @api.model
    def _get_spent_domain(self):
        """Which expenses count: those that somebody has approved. Override it to count others."""
        return Domain("state", "in", ["approved", "posted", "in_payment", "paid"])

    # ------------------------------------------------------------
    # Company
    # ------------------------------------------------------------

    @api.constrains("company_id")
    def _check_company_of_expenses(self):
        """Money stays in the company that spent it, so what it was spent on stays there too."""
        link = self._get_expense_link()
        bound = self.filtered("company_id")  # any company may spend on what belongs to none
        # sudo: expenses of others count, and are not named
        for record, companies in (
            self.env["hr.expense"].sudo()._read_group([(link, "in", bound.ids)], [link], ["company_id:recordset"])
        ):
            record._check_takes_expenses_of(companies)

    def _takes_expenses_of(self, company):
        """Whether money of that company may be spent on it."""
        return bool(self.filtered_domain(self._check_company_domain(company)))

    def _check_takes_expenses_of(self, companies):
        """Refuse without naming the expenses, which the user may not be allowed to see.

        :param companies: whose expenses it has, or is about to have
        :raise ValidationError: when it belongs to another company
        """
        strangers = companies.filtered(lambda company: not self._takes_expenses_of(company))
        if strangers:
            raise ValidationError(
                self.env._(
                    "'%(record)s' cannot belong to %(company)s while it has expenses of %(others)s. Somebody who may "
                    "edit those has to take them off first.",
                    record=self.display_name,
                    company=self.company_id.name,
                    others=", ".join(strangers.mapped("name")),
                )
            )

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_view_expenses(self):
        """All its expenses that the user may read, in whatever state; a new one there is for it.

        :returns: an action
        """
        self.ensure_one()
        self.check_access("read")
        self.env["hr.expense"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("sales_opportunity_stages_expense.hr_expense_action")
        action["domain"] = [(self._get_expense_link(), "=", self.id)]
        action["context"] = self._prepare_expense_context()
        return action

    def _prepare_expense_context(self):
        """What a new expense starts with; customer and opportunity follow from the link. Override it to fill in more.

        :returns: a context with ``default_`` keys
        """
        context = {f"default_{self._get_expense_link()}": self.id}
        if self.company_id and self.company_id != self.env.company:
            context["default_company_id"] = self.company_id.id
            context["default_employee_id"] = self.env.user.with_company(self.company_id).employee_id.id
        return context

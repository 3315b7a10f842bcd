from odoo import api, fields, models
from odoo.exceptions import ValidationError

LINKS = ("opportunity_id", "quotation_id")


class HrExpense(models.Model):
    """What the money was spent on, and for which customer.

    Odoo's ``sale_order_id`` says where an expense is re-invoiced: only what is of a re-invoiced category has it, and it
    cannot be posted while that order is still a quotation. ``quotation_id`` says what an expense was for, whether it is
    re-invoiced or not, and stands in nobody's way.

    Whoever links an expense must be able to read what it is linked to. Whoever may read an expense sees the names of
    what it is linked to, as with any other link.
    """

    _inherit = "hr.expense"

    opportunity_id = fields.Many2one(
        "crm.lead",
        compute="_compute_opportunity_id",
        store=True,
        readonly=False,
        check_company=True,
        domain="[('type', '=', 'opportunity')]",
        copy=False,
        index="btree_not_null",
        tracking=True,
        help="What the money was spent on. With a quotation it is that of the quotation.",
    )
    quotation_id = fields.Many2one(
        "sale.order",
        string="Quotation / Order",
        check_company=True,
        domain="[('opportunity_id', '=?', opportunity_id)]",
        copy=False,
        index="btree_not_null",
        tracking=True,
        help="What the money was spent on. It says nothing about who is invoiced for it.",
    )
    customer_id = fields.Many2one(
        "res.partner",
        compute="_compute_customer_id",
        store=True,
        readonly=False,
        copy=True,
        index="btree_not_null",
        help="Whom the money was spent for: the customer of the quotation or opportunity.",
    )

    # ------------------------------------------------------------
    # Following the quotation and the opportunity
    # ------------------------------------------------------------

    @api.depends("quotation_id.opportunity_id")
    def _compute_opportunity_id(self):
        """It goes where its quotation goes. One that leaves its opportunity for none leaves the expense with it."""
        for expense in self:
            expense.opportunity_id = expense.quotation_id.opportunity_id or expense.opportunity_id

    @api.depends("quotation_id.partner_id", "opportunity_id.partner_id")
    def _compute_customer_id(self):
        """What was typed in stays where neither of them has a customer, and when they are gone."""
        for expense in self:
            customer = expense.quotation_id.partner_id or expense.opportunity_id.partner_id
            expense.customer_id = customer or expense.customer_id

    def _link_order_to_reinvoice(self):
        """What is re-invoiced on an order was spent on it, unless it says otherwise.

        Odoo lets salespeople re-invoice on orders that they may not read. What such an order is for stays unknown.
        """
        # sudo: orders that the user may not read are compared, and left out below
        unlinked = self.filtered(
            lambda expense: (
                not expense.quotation_id
                and expense.opportunity_id in (self.env["crm.lead"], expense.sale_order_id.sudo().opportunity_id)
            )
        )
        for order in unlinked.sale_order_id._filtered_access("read"):
            unlinked.filtered(lambda expense, order=order: expense.sale_order_id == order).quotation_id = order

    # ------------------------------------------------------------
    # Guards
    # ------------------------------------------------------------

    @api.constrains("company_id", *LINKS)
    def _check_company_of_links(self):
        # sudo: a check does not depend on what the user may read
        for expense in self.sudo():
            for link in LINKS:
                record = expense[link]
                if record and not record._takes_expenses_of(expense.company_id):
                    raise ValidationError(
                        self.env._(
                            "'%(expense)s' is an expense of %(company)s, but '%(record)s' belongs to %(other)s: link "
                            "it to one of %(company)s, or enter the expense in %(other)s.",
                            expense=expense.name,
                            company=expense.company_id.name,
                            record=record.display_name,
                            other=record.company_id.name,
                        )
                    )

    @api.constrains(*LINKS)
    def _check_opportunity_of_quotation(self):
        # sudo: a check does not depend on what the user may read
        for expense in self.sudo():
            opportunity = expense.quotation_id.opportunity_id
            if opportunity and opportunity != expense.opportunity_id:
                raise ValidationError(
                    self.env._(
                        "'%(expense)s' was spent on %(quotation)s, which is for the opportunity '%(opportunity)s': "
                        "choose that opportunity, or another quotation.",
                        expense=expense.name,
                        quotation=expense.quotation_id.name,
                        opportunity=opportunity.name,
                    )
                )

    def _get_links(self):
        """What these expenses are linked to by hand, as ``(orders, opportunities)``."""
        orders = self.quotation_id
        # sudo: the opportunity of a quotation that the user may not read is compared
        return orders, self.opportunity_id - orders.sudo().opportunity_id

    def _check_may_link(self, known):
        """Whoever links an expense to something may read that.

        :param known: :meth:`_get_links` from before
        :raise AccessError: when it is linked to something new that the user may not read
        """
        for records, before in zip(self._get_links(), known, strict=True):
            if new := records - before:
                new.check_access("read")

    def _check_may_read(self, vals):
        """The same of what is about to be written, before the error of another check tells of it."""
        for link in set(LINKS) & vals.keys():
            if new := self[link].browse(vals[link] or ()) - self[link]:
                new.check_access("read")

    # ------------------------------------------------------------
    # Create, write, copy
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """An opportunity that is left blank, as in an imported file, comes with the quotation."""
        for vals in vals_list:
            self.browse()._check_may_read(vals)
        expenses = super().create(
            [
                {name: value for name, value in vals.items() if value or name != "opportunity_id"}
                if vals.get("quotation_id")
                else vals
                for vals in vals_list
            ]
        )
        expenses._link_order_to_reinvoice()
        expenses._check_may_link(self.browse()._get_links())
        return expenses

    def write(self, vals):
        known = self._get_links() if vals.keys() & set(LINKS) else None
        self._check_may_read(vals)
        result = super().write(vals)
        if vals.get("sale_order_id"):
            self._link_order_to_reinvoice()
        if known:
            self._check_may_link(known)
        return result

    def copy(self, default=None):
        """A copy, and so a part that was split off, is for the same, even if whoever makes it may not read that."""
        copies = super().copy(default)
        if not set(LINKS) & (default or {}).keys():
            # sudo: a part that was split off is for the same, even where its owner may not read that
            for expense, copied in zip(self.sudo(), copies.sudo(), strict=True):
                copied.write({link: expense[link].id for link in LINKS})
        return copies

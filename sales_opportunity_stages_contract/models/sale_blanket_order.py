from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleBlanketOrder(models.Model):
    """A contract that was made from a quotation (销售合同).

    While it is live, whether draft, open or done, it binds the quotation: that becomes no order and no second contract.
    Cancelling or expiring it, or deleting it, frees the quotation. Both are rules of a change:
    :meth:`_get_change_rules`.
    """

    _name = "sale.blanket.order"
    _inherit = ["sale.blanket.order", "sales.change.mixin", "sales.system.fields.mixin"]

    quotation_id = fields.Many2one(
        "sale.order",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="The quotation that this contract was made from.",
    )
    opportunity_id = fields.Many2one(
        related="quotation_id.opportunity_id",
        store=True,
        index="btree_not_null",
        help="The opportunity of that quotation. Orders made from the contract are for it too.",
    )
    binds_quotation = fields.Boolean(
        readonly=True, copy=False, help="The quotation was turned into this contract, and nothing else is made from it."
    )
    is_cancelled = fields.Boolean(readonly=True, copy=False)
    partner_invoice_id = fields.Many2one("res.partner", "Invoice Address", check_company=True)
    partner_shipping_id = fields.Many2one("res.partner", "Delivery Address", check_company=True)

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"quotation_id", "opportunity_id", "binds_quotation", "is_cancelled"}

    @api.depends("name", "confirmed", "quotation_id.name")
    def _compute_display_name(self):
        """A contract has no number before it is confirmed."""
        result = super()._compute_display_name()
        for contract in self.filtered(lambda contract: contract.quotation_id and not contract.confirmed):
            # sudo: a contract is named after a quotation that its reader may not read
            contract.display_name = self.env._("Draft contract of %s", contract.sudo().quotation_id.name)
        return result

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_system_fields(vals)
        self = self._without_system_defaults()
        with self._change(creating=True) as change:
            contracts = super().create(vals_list)
            change.add_created(contracts.ids)
        return contracts

    def write(self, vals):
        vals = dict(vals)
        if self._is_derived_write(vals):
            return super().write(vals)
        self._check_system_fields(vals)
        if "state" in vals:  # the state is computed: what is written to it alone would not last
            if vals["state"] == "expired":
                self._check_may_be_cancelled()
            vals["is_cancelled"] = vals["state"] == "expired"
        with self._change():
            return super().write(vals)

    def unlink(self):
        # sudo: the quotation is freed, whoever may read it
        quotations = self.sudo().quotation_id
        freed = self.sudo().filtered("binds_quotation").quotation_id
        ids = self.ids
        result = super().unlink()
        self._forget_in_changes(ids)
        freed._write_derived({"has_contract": False})
        quotations._report_to_opportunities()
        return result

    def _check_may_be_cancelled(self):
        """Refuse to cancel what something is ordered under: the quotation would sell that again.

        :raise UserError: as Odoo's button does
        """
        for contract in self.filtered("quotation_id"):
            if not contract.is_cancelled and contract._check_active_orders():
                raise UserError(self.env._("%s has opened sale orders: cancel them first.", contract.display_name))

    # ------------------------------------------------------------
    # Amounts
    # ------------------------------------------------------------

    @api.depends("quotation_id")
    def _compute_amount_all(self):
        """Added up and rounded as a quotation is, so that the totals are the same."""
        made = self.filtered("quotation_id")
        for contract in made:
            totals = contract._get_tax_totals()
            contract.amount_untaxed = totals["base_amount_currency"]
            contract.amount_tax = totals["tax_amount_currency"]
            contract.amount_total = totals["total_amount_currency"]
        return super(SaleBlanketOrder, self - made)._compute_amount_all()

    def _get_tax_totals(self):
        self.ensure_one()
        Tax, lines = self.env["account.tax"], self.line_ids.filtered(lambda line: not line.display_type)
        base_lines = [line._prepare_base_line_for_taxes_computation() for line in lines]
        Tax._add_tax_details_in_base_lines(base_lines, self.company_id)
        Tax._round_base_lines_tax_details(base_lines, self.company_id)
        return Tax._get_tax_totals_summary(base_lines, self.currency_id, self.company_id)

    # ------------------------------------------------------------
    # Live or not
    # ------------------------------------------------------------

    @api.depends("is_cancelled")
    def _compute_state(self):
        """Cancelled is cancelled: a quantity or a date that changes later does not bring it back."""
        result = super()._compute_state()
        self.filtered("is_cancelled").state = "expired"
        return result

    def _is_live(self):
        """Whether the contract counts as made. Override it where more states are an end.

        An expired contract under which something is ordered counts: its quotation would sell that again. The rest is
        ordered by extending the contract, or quoted anew.
        """
        self.ensure_one()
        return self.state != "expired" or (not self.is_cancelled and self._check_active_orders())

    @api.model
    def _get_change_rules(self):
        return [
            *super()._get_change_rules(),
            (10, "_check_may_bind"),
            (110, "_bind_quotations"),
            (120, "_report_to_opportunities"),
        ]

    @api.constrains("state", "quotation_id")
    def _follow_state(self):
        """Begin a change where the state turns out another by itself: by a date, or a quantity somewhere else."""
        # sudo: the quotation may not be the user's to read
        others = self.sudo().filtered("quotation_id")._get_unchanging()
        if others:
            with others._change():
                pass

    def _get_rebound(self):
        """Return the contracts that have become live, or are not live any more, since they were seen last."""
        return self.filtered(lambda contract: contract.quotation_id and contract._is_live() != contract.binds_quotation)

    def _check_may_bind(self, change):
        """:raise UserError: when a contract becomes live whose quotation has become something else, or whose
        opportunity is closed"""
        for contract in self._get_rebound().filtered(lambda contract: not contract.binds_quotation):
            contract.quotation_id._check_allowed("contract")

    def _bind_quotations(self, change):
        """Bind the quotation of a contract that has become live, free that of one which is not any more.

        Whoever confirms the quotation just now, or makes another contract of it, would not see this one in their
        snapshot. The quotation says that it has a contract: writing that updates the row that they update too, so
        that one of them fails to serialize, and Odoo runs it again.
        """
        for contract in self._get_rebound():
            bound = not contract.binds_quotation
            contract._write_derived({"binds_quotation": bound})
            contract.quotation_id._write_derived({"has_contract": bound})

    def _report_to_opportunities(self, change):
        self.quotation_id._report_to_opportunities()

    # ------------------------------------------------------------
    # As it was approved
    # ------------------------------------------------------------

    @api.model
    def _get_approved_fields(self):
        """Fields of the contract that the approval of its quotation covers. Extend it with what else is agreed."""
        return [
            "partner_id",
            "partner_invoice_id",
            "partner_shipping_id",
            "company_id",
            "pricelist_id",
            "payment_term_id",
            "fiscal_position_id",
            "line_ids",
        ]

    @api.constrains(lambda self: [*self._get_approved_fields(), "confirmed", "quotation_id"])
    def _check_as_approved(self):
        """A contract takes effect as its quotation was approved, whatever was changed while it was a draft.

        :raise UserError: when it is confirmed and differs from what was approved
        """
        # sudo: what was approved counts, whoever may read it
        for contract in self.sudo().filtered(lambda contract: contract.quotation_id and contract.confirmed):
            quotation = contract.quotation_id
            changed = contract._get_changes_since_approval()
            if not quotation._requires_approval() and not (changed and contract._requires_approval()):
                continue
            if changed or quotation.approval_state != "approved":
                raise UserError(
                    self.env._(
                        "%(contract)s is not as %(quotation)s was approved: %(changes)s. Change the quotation, have it "
                        "approved and make the contract again.",
                        contract=contract.display_name,
                        quotation=quotation.name,
                        changes=", ".join(changed) or self.env._("the approval was withdrawn"),
                    )
                )

    def _requires_approval(self):
        """Return whether a quotation with the content of this contract would need an approval."""
        self.ensure_one()
        names = ["partner_id", "partner_invoice_id", "partner_shipping_id", "company_id", "pricelist_id", "user_id"]
        names += ["team_id", "payment_term_id", "fiscal_position_id", "opportunity_id"]
        lines = [
            fields.Command.create(line._prepare_quotation_line())
            for line in self.line_ids.filtered(lambda line: not line.display_type)
        ]
        values = {name: self[name].id for name in names}
        return self.env["sale.order"].new({**values, "order_line": lines})._requires_approval()

    def _get_changes_since_approval(self):
        """Return the labels of what differs from the quotation: fields, and products of lines."""
        self.ensure_one()
        approved = self.quotation_id._prepare_contract_values()
        changed = [
            self._fields[name]._description_string(self.env)
            for name in self._get_approved_fields()
            if name != "line_ids" and self[name].id != approved[name]
        ]
        lines = self.line_ids.filtered(lambda line: not line.display_type)
        now = Counter(line._get_agreed_values() for line in lines)
        then = Counter(
            self.line_ids._get_values_to_agree(command[2])
            for command in approved["line_ids"]
            if not command[2].get("display_type")
        )
        product_ids = {values[0] for values in ((now - then) + (then - now))}
        return changed + self.env["product.product"].browse(product_ids).mapped("display_name")

    def _check_active_orders(self):
        """A closed quotation is not in the way of cancelling the contract."""
        contracts = self.filtered("quotation_id")
        # sudo: orders of others count
        orders = contracts.sudo()._get_sale_orders()
        return super(SaleBlanketOrder, self - contracts)._check_active_orders() or any(
            order.state != "cancel" and order.approval_state != "closed" for order in orders
        )

    # ------------------------------------------------------------
    # Orders
    # ------------------------------------------------------------

    def _get_order_fields(self):
        """Fields that an order made from a contract takes over, beyond what the contract's own dialog does."""
        return [
            "opportunity_id",
            "partner_invoice_id",
            "partner_shipping_id",
            "fiscal_position_id",
            "team_id",
            "company_id",
        ]

    def _prepare_order_values(self):
        """What an order made from these contracts has in common with them all.

        :returns: values of a ``sale.order``
        """
        if not self or not all(self.mapped("quotation_id")):
            return {}
        return {name: self[name].id for name in self._get_order_fields() if len(self.grouped(name)) == 1 and self[name]}

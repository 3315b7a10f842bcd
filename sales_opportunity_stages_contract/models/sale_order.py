from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list, html2plaintext


class SaleOrder(models.Model):
    """Order or contract, never both: the contracts that are made from a quotation, and the orders made from those."""

    _inherit = "sale.order"

    contract_ids = fields.One2many(
        "sale.blanket.order",
        "quotation_id",
        "Contracts",
        readonly=True,
        groups="sales_team.group_sale_salesman,account.group_account_user",
    )
    contract_count = fields.Integer(compute="_compute_contract_count", compute_sudo=True)
    has_contract = fields.Boolean(
        "Became a Contract",
        readonly=True,
        copy=False,
        help="A live contract was made from this quotation.",
    )

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"has_contract"}

    @api.depends("contract_ids")
    def _compute_contract_count(self):
        for order in self:
            order.contract_count = len(order.contract_ids)

    def _get_followup_contracts(self):
        # sudo: contracts that the user may not read count, and an error names them
        contracts = self.sudo().contract_ids.filtered("binds_quotation") if self.has_contract else []
        return [*super()._get_followup_contracts(), *contracts]

    @api.depends("has_contract")
    def _compute_partner_credit_warning(self):
        return super()._compute_partner_credit_warning()

    # ------------------------------------------------------------
    # What may not be done
    # ------------------------------------------------------------

    @api.model
    def _get_refusal_rules(self):
        return [*super()._get_refusal_rules(), (50, "_refuse_after_contract")]

    def _refuse_after_contract(self, operation):
        if operation in ("sign", "pay") and (contracts := self._get_followup_contracts()):
            names = format_list(self.env, [contract.display_name for contract in contracts])
            return [self.env._("It became a contract: %s.", names)]
        if operation in ("confirm", "contract"):
            # sudo: contracts that the user may not read count, and an error names them
            bound = self.sudo().contract_ids.filtered("binds_quotation") if self.has_contract else ()
            expired = [contract for contract in bound if contract.state == "expired"]
            if expired:
                return [
                    self.env._(
                        "%s has expired and has orders: extend it to order the rest, or quote the rest on a copy of "
                        "this quotation.",
                        contract.display_name,
                    )
                    for contract in expired
                ]
        if operation == "contract" and (source := self.order_line.blanket_order_line.order_id):
            names = format_list(self.env, source.mapped("name"))
            return [self.env._("It is itself made from a contract: %s.", names)]
        if operation == "delete" and self.contract_ids:
            names = format_list(self.env, self.contract_ids.mapped("display_name"))
            return [self.env._("A contract was made from it, delete that first: %s.", names)]
        return []

    def _get_portal_refusal(self):
        if self._get_followup_contracts():
            return self.env._("This quotation became a contract, so it need not be accepted here.")
        return super()._get_portal_refusal()

    def _get_snapshot(self):
        snapshot = super()._get_snapshot()
        if self.has_contract and self.state in ("draft", "sent"):
            snapshot["contract_content"] = self._get_content()
        return snapshot

    @api.model
    def _get_change_rules(self):
        return [*super()._get_change_rules(), (15, "_check_contract_content")]

    def _check_contract_content(self, change):
        """Refuse to change what was agreed in a live contract.

        :raise UserError: when the content of a quotation that became a contract is not what it was
        """
        for order in self:
            contracts = order._get_followup_contracts() if "contract_content" in change.was(order) else []
            changed = order._compare_content(change.was(order)["contract_content"]) if contracts else set()
            if changed:
                raise UserError(
                    self.env._(
                        "%(order)s became a contract, so this cannot be changed: %(fields)s. Change the contract, or "
                        "cancel it first: %(contracts)s.",
                        order=order.name,
                        fields=order._describe_content(changed),
                        contracts=format_list(self.env, [contract.display_name for contract in contracts]),
                    )
                )

    def _check_takes_orders(self, opportunities):
        """What is ordered under a contract is nothing new for the opportunity that was won by it."""
        # sudo: contracts that the user may not read count
        lines = self.sudo().order_line.filtered(lambda line: line._fits_contract())
        contracts = lines.blanket_order_line.order_id.filtered("binds_quotation")
        won = contracts.opportunity_id.filtered(lambda lead: lead.won_status == "won")
        return super()._check_takes_orders(opportunities - won)

    @api.model
    def _get_initial_order_source(self, vals):
        lines = [command[2] for command in vals.get("order_line") or [] if command[0] == fields.Command.CREATE]
        if any(line.get("blanket_order_line") for line in lines):
            return "other"
        return super()._get_initial_order_source(vals)

    # ------------------------------------------------------------
    # Making a contract
    # ------------------------------------------------------------

    def action_create_contract(self):
        """Make a contract from this quotation, as a draft.

        :raise AccessError: when the user may not write the quotation or not make a contract
        :raise UserError: when no contract may be made from it; it says why
        :returns: the action that opens the contract
        """
        self.ensure_one()
        self.check_access("write")
        self._check_allowed("contract")
        contract = self.env["sale.blanket.order"].create(self._prepare_contract_values())
        # sudo: system fields; access is checked above and by the creation
        contract.sudo()._write_derived({"quotation_id": self.id})
        contract._message_log(body=self.env._("Made from quotation %s", self.name))
        self.sudo()._log_step(self.env._("A contract was made from it"))
        return contract._get_records_action()

    def _prepare_contract_values(self):
        """A contract over all of this quotation, for a year from today: a proposal, as it is a draft. Override it to
        carry another field over.

        :returns: values of a ``sale.blanket.order``
        """
        self.ensure_one()
        today = fields.Date.context_today(self)
        return {
            "partner_id": self.partner_id.id,
            "partner_invoice_id": self.partner_invoice_id.id,
            "partner_shipping_id": self.partner_shipping_id.id,
            "user_id": self.user_id.id,
            "team_id": self.team_id.id,
            "company_id": self.company_id.id,
            "pricelist_id": self._get_contract_pricelist().id,
            "payment_term_id": self.payment_term_id.id,
            "fiscal_position_id": self.fiscal_position_id.id,
            "client_order_ref": self.client_order_ref,
            "tag_ids": [fields.Command.set(self.tag_ids.ids)],
            "note": html2plaintext(self.note) if self.note else False,
            "validity_start_date": today,
            "validity_date": fields.Date.add(today, years=1),
            "line_ids": [
                fields.Command.create(line._prepare_contract_line_values())
                for line in self.order_line
                if line._goes_into_contract()
            ],
        }

    def _get_contract_pricelist(self):
        """The quotation's, or one without any price: contracts have their currency from a pricelist, quotations need
        none."""
        self.ensure_one()
        if self.pricelist_id.currency_id == self.currency_id:
            return self.pricelist_id
        # sudo: a technical list of prices without prices, found or made once for a currency. Archived: nobody chooses
        # it, and the settings, while pricelists are off, warn of each one that is not and archive it
        Pricelist = self.env["product.pricelist"].sudo().with_context(active_test=False)
        values = {"company_id": self.company_id.id, "currency_id": self.currency_id.id}
        blank = [("item_ids", "=", False), *((name, "=", value) for name, value in values.items())]
        return Pricelist.search(blank, limit=1) or Pricelist.create(
            {"name": self.env._("Contracts"), "sequence": 1000, "active": False, **values}
        )

    def action_view_contracts(self):
        """The contracts made from this quotation, live and cancelled."""
        self.ensure_one()
        return self.contract_ids._get_records_action(name=self.env._("Contracts"), context={"create": False})

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list


class StockPicking(models.Model):
    """Credit at delivery: a transfer of a customer whose unit is over its limit or late is held.

    Its orders are in the exposure already: what is asked is where the unit stands, not what the transfer adds.
    """

    _inherit = "stock.picking"

    credit_request_ids = fields.Many2many(
        "sale.credit.request", string="Credit Requests", readonly=True, copy=False, groups="base.group_user"
    )
    credit_warning = fields.Text(
        compute="_compute_credit_warning",
        groups="base.group_user",
        help="Why the transfer is held, as far as the user may read it.",
    )
    has_credit_request = fields.Boolean(compute="_compute_credit_warning", groups="base.group_user")

    @api.depends("state", "partner_id", "picking_type_code")
    def _compute_credit_warning(self):
        for picking in self:
            # sudo: credit is read over all documents; the sentences follow the user's rights
            held = picking.sudo()._get_credit_holds() if picking.state not in ("done", "cancel") else {}
            picking.credit_warning = "\n".join(picking._explain_credit_holds(held)) or False
            picking.has_credit_request = any(request._is_open() for request in picking.sudo().credit_request_ids)

    def _action_done(self):
        self._check_credit_at_delivery()
        return super()._action_done()

    # ------------------------------------------------------------
    # The check
    # ------------------------------------------------------------

    def _check_credit_at_delivery(self):
        """Check the units of these transfers, in each company that wants it.

        :raise UserError: when one of them is over its limit or late, the company blocks, and nothing releases it
        """
        # sudo: credit is read over all documents, whoever delivers
        for picking in self.sudo():
            holds, company = picking._get_credit_holds(), picking.company_id
            vals_list, refused = [], {}
            for unit, decision in holds.items():
                release = picking._use_credit_release(unit) if company.credit_check_delivery == "block" else None
                result = "released" if release else {"block": "blocked"}.get(company.credit_check_delivery, "warned")
                if not release:
                    refused[unit] = decision
                vals_list.append(
                    self.env["sale.credit.check"]._prepare_decision(
                        company,
                        unit,
                        decision,
                        result,
                        "delivery",
                        document_names=picking.name,
                        request_id=release.id if release else False,
                    )
                )
            sentences = picking._explain_credit_holds(refused)
            self.env["sale.credit.check"]._settle_checkpoint(
                company, vals_list, sentences, company.credit_check_delivery
            )

    def _get_credit_holds(self):
        """Return ``{unit: CreditDecision}`` of the units that hold this transfer. Superuser mode."""
        self.ensure_one()
        company = self.company_id
        if (
            company.credit_check_delivery == "none"
            or not company.account_use_credit_limit
            or self.picking_type_code != "outgoing"
        ):
            return {}
        partners = self.sale_id._get_credit_partners() if self.sale_id else self.partner_id
        Exposures, Units = self.env["sale.credit.exposure"], self.env["res.partner"]
        decisions = {
            Units.browse(standing.unit_id): self.env["sale.order"]._make_credit_decision(
                company, standing.terms, standing.exposure, 0.0
            )
            for standing in Exposures._get_standings(partners.ids, company).values()
            if standing.terms
        }
        return {unit: decision for unit, decision in decisions.items() if decision.refused}

    def _explain_credit_holds(self, holds):
        return [
            # sudo(False): amounts are told to users who may read credit decisions
            unit.sudo(False)._explain_credit(self.company_id.sudo(), decision, self.name)  # sudo: the currency
            if self.env["res.partner"].sudo(False).browse(unit.id).has_access("read")
            else self.env._("%s is held: the credit of the customer does not allow it.", self.name)
            for unit, decision in holds.items()
        ]

    # ------------------------------------------------------------
    # Requesting and releasing
    # ------------------------------------------------------------

    def action_request_credit(self, reason=None):
        """Request the release of these transfers from the credit managers. Without a reason a dialog asks for it.

        :param str reason: why they should be delivered now
        :returns: the requests, one for each credit unit that holds one; or the dialog
        :raise UserError: when nothing holds them, or a request is open already
        """
        self.check_access("write")
        if not (reason or "").strip():
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "sales_opportunity_stages.sale_credit_request_create_action"
            )
            return {**action, "context": {"default_picking_ids": self.ids}}
        requests = self.env["sale.credit.request"]
        # sudo: a ledger, and the credit of all documents; access is checked above
        for picking in self.sudo():
            open_requests = picking.credit_request_ids.filtered(lambda request: request._is_open())
            if open_requests:
                raise UserError(open_requests[0]._say_open())
            for unit, decision in picking._get_credit_holds().items():
                requests |= picking._make_credit_request(unit, decision, reason.strip())
        if not requests:
            raise UserError(
                self.env._("Credit allows %s: you can deliver it.", format_list(self.env, self.mapped("name")))
            )
        return requests.with_env(self.env)

    def _make_credit_request(self, unit, decision, reason):
        check = self.env["sale.credit.check"]._log(
            [
                self.env["sale.credit.check"]._prepare_decision(
                    self.company_id, unit, decision, "blocked", "manual", document_names=self.name
                )
            ]
        )
        request = (
            self.env["sale.credit.request"]
            ._as_ledger()
            .create(
                {
                    "picking_ids": [fields.Command.set(self.ids)],
                    "document_names": self.name,
                    "unit_id": unit.id,
                    "partner_id": self.partner_id.id,
                    "user_id": self.sale_id.user_id.id,
                    "company_id": self.company_id.id,
                    "amount": self._get_credit_amount(),
                    "excess": decision.excess,
                    "overdue_days": decision.overdue_days,
                    "reason": reason,
                    "requested_by_id": self.env.uid,
                    "check_id": check.id,
                }
            )
        )
        request = request.with_env(self.env)
        request._tell_credit_managers()
        request._tell(self.env._("Credit requested: %s", reason))
        return request

    def _get_credit_amount(self):
        """Return what the goods of this transfer come to, taxes included, in the company's currency."""
        amount = 0.0
        for move in self.move_ids.filtered(lambda move: move.state != "cancel"):
            line = move.sale_line_id
            if line.product_uom_qty:
                quantity = move.product_uom._compute_quantity(move.product_uom_qty, line.product_uom_id)
                amount += line.price_total / line.product_uom_qty * quantity / (line.order_id.currency_rate or 1.0)
            else:
                amount += move.product_id.lst_price * move.product_qty
        return self.company_id.currency_id.round(amount)

    def _use_credit_release(self, unit):
        """Use the release up that lets this transfer pass, and return it; nothing where there is none.

        A release holds for the customer and up to the amount that it was requested for.
        """
        releases = self.env["sale.credit.request"].search(
            [
                ("unit_id", "=", unit.id),
                ("company_id", "=", self.company_id.id),
                ("state", "=", "granted"),
                ("decision", "=", "release"),
                ("valid_until", ">=", fields.Date.context_today(self)),
                ("picking_ids", "in", self.ids),
                ("partner_id", "=", self.partner_id.id),
            ],
            order="id",
        )
        amount, compare = self._get_credit_amount(), self.company_id.currency_id.compare_amounts
        release = releases.filtered(lambda request: compare(amount, request.amount) <= 0)[:1]
        if release:
            release._use()
        return release

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list

from ...tools.credit_refusal import CreditRefusal


class SaleOrder(models.Model):
    """On credit hold: a quotation that the credit check has refused, and the credit that is requested for it."""

    _inherit = "sale.order"

    on_credit_hold = fields.Boolean(
        readonly=True, copy=False, help="The last credit decision on this quotation blocked it."
    )
    has_credit_request = fields.Boolean(
        "Credit Requested",
        readonly=True,
        copy=False,
        help="A credit request for this quotation waits for a decision, or was granted and is not used.",
    )
    credit_request_ids = fields.Many2many("sale.credit.request", string="Credit Requests", readonly=True, copy=False)
    credit_request_count = fields.Integer(compute="_compute_credit_request_count")

    _credit_hold_idx = models.Index("(company_id) WHERE on_credit_hold")

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"on_credit_hold", "has_credit_request", "credit_request_ids"}

    def _compute_credit_request_count(self):
        for order in self:
            order.credit_request_count = len(order.credit_request_ids)

    def _end_credit_hold(self, decisions=()):
        """Take off the hold of these orders, unless one of the decisions blocks them.

        :param decisions: ``{unit: CreditDecision}`` on one quotation, where there are any
        """
        held = self.filtered("on_credit_hold")
        if held and not any(held._get_credit_result(decisions[unit]) == "blocked" for unit in decisions):
            held._write_derived({"on_credit_hold": False})

    # ------------------------------------------------------------
    # Requesting
    # ------------------------------------------------------------

    def action_request_credit(self, reason=None):
        """Request the credit that these quotations need. Without a reason a dialog asks for it.

        :param str reason: why it should be given
        :returns: the requests, one for each credit unit that refuses; or the dialog
        :raise UserError: when nothing refuses them, or credit has been requested already
        """
        self.check_access("write")
        if not (reason or "").strip():
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "sales_opportunity_stages.sale_credit_request_create_action"
            )
            return {**action, "context": {"default_order_ids": self.ids}}
        self._check_credit_requestable()
        # sudo: the sum is over what everybody has sold, and a ledger; access is checked above
        requests = self.sudo()._request_credit(reason.strip())
        if not requests:
            raise UserError(
                self.env._("Credit allows %s: you can confirm it.", format_list(self.env, self.mapped("name")))
            )
        return requests.with_env(self.env)

    def _check_credit_requestable(self):
        """:raise UserError: when one of the orders is no open quotation, or its company does not check credit"""
        for order in self:
            if order.state not in ("draft", "sent") or order.approval_state == "closed":
                raise UserError(
                    self.env._("%s is no open quotation: credit can be requested for open quotations only.", order.name)
                )
            if not order.company_id.account_use_credit_limit:
                raise UserError(
                    self.env._("Credit is not checked in %s: you can confirm the quotation.", order.company_id.name)
                )

    def _request_credit(self, reason, automatic=False):
        """Make the requests for these quotations, together for each company and unit. Superuser mode.

        :param bool automatic: a customer has signed or paid; what is requested already is passed over
        """
        requests = self.env["sale.credit.request"]
        for company, orders in self.grouped("company_id").items():
            for unit, (added, decision) in orders._decide_together(company).items():
                of_unit = orders.browse(added)
                if of_unit._get_credit_result(decision) == "blocked":
                    requests |= of_unit._make_credit_request(unit, decision, added, reason, automatic)
        return requests

    def _decide_together(self, company):
        """``{unit: ({order id: amount}, CreditDecision)}`` if these quotations of a company were confirmed now, all of
        them. Takes nothing and writes nothing."""
        uses = {order.id: dict.fromkeys(order._get_credit_partners().ids, order._get_credit_amount()) for order in self}
        # sudo: the sum is over what everybody has sold, in the whole company tree
        Exposures, Units = self.env["sale.credit.exposure"].sudo(), self.env["res.partner"].sudo()
        standings = Exposures._get_standings({partner_id for use in uses.values() for partner_id in use}, company)
        added = self._get_credit_added({order_id: ({}, use) for order_id, use in uses.items()}, standings)
        return {
            Units.browse(standing.unit_id): (
                added[standing.unit_id],
                self._make_credit_decision(
                    company, standing.terms, standing.exposure, sum(added[standing.unit_id].values())
                ),
            )
            for standing in standings.values()
            if standing.terms
        }

    def _make_credit_request(self, unit, decision, added, reason, automatic):
        """Make one request of these orders to one unit, with the decision that it comes from."""
        open_requests = self._get_open_requests(unit)
        same = open_requests.filtered(lambda request: request.order_ids == self)
        if same and not automatic:
            raise UserError(same[0]._say_open())
        if same:
            return same.browse()
        open_requests._lapse(
            self.env._("Credit was requested again, for %s.", format_list(self.env, self.mapped("name")))
        )
        check = self.env["sale.credit.check"]._log([self._prepare_credit_check(unit, decision, "blocked", "manual")])
        values = self._prepare_credit_request(unit, decision, added, reason)
        request = self.env["sale.credit.request"]._as_ledger().create({**values, "check_id": check.id})
        self._write_derived({"has_credit_request": True})
        self.invalidate_recordset(["credit_request_ids", "credit_request_count"], flush=False)
        request = request.with_env(self.env)
        request._tell_credit_managers()
        request._tell(self.env._("Credit requested: %s", reason))
        return request

    def _prepare_credit_request(self, unit, decision, added, reason):
        return {
            "order_ids": [fields.Command.set(self.ids)],
            "document_names": ", ".join(self.mapped("name"))[:500],
            "unit_id": unit.id,
            "partner_id": self[0].partner_id.id,
            "user_id": self[0].user_id.id,
            "company_id": self[0].company_id.id,
            "amount": decision.documents,
            "excess": decision.excess,
            "overdue_days": decision.overdue_days,
            "reason": reason,
            "requested_by_id": self.env.uid,
            "requested_date": fields.Datetime.now(),
            "pinned": {str(order.id): order._get_credit_pin() for order in self},
        }

    def _get_credit_pin(self):
        """Return what of an order a release holds for: its customer, its payer and its company."""
        return [self.partner_id.id, self.partner_invoice_id.id, self.company_id.id]

    def _get_open_requests(self, unit=None):
        """Return the requests for one of these orders that wait for a decision, or were released and not used."""
        requests = self.credit_request_ids.filtered(lambda request: request._is_open())
        return requests.filtered(lambda request: request.unit_id == unit) if unit else requests

    def _make_credit_refusal(self, message):
        """Return the exception that refuses these orders; where there are any, its dialog offers to request credit."""
        if not self:
            return UserError(message)
        return CreditRefusal(
            message,
            "sales_opportunity_stages.sale_credit_request_create_action",
            self.env._("Request Credit"),
            {"default_order_ids": self.ids},
        )

    def action_view_credit_requests(self):
        """Show the credit requests for this quotation."""
        self.ensure_one()
        self.env["sale.credit.request"]._check_may_read_on(self)
        action = self.env["ir.actions.act_window"]._for_xml_id("sales_opportunity_stages.sale_credit_request_action")
        return {**action, "domain": [("order_ids", "in", self.ids)], "context": {}}

    # ------------------------------------------------------------
    # Using a release
    # ------------------------------------------------------------

    def _use_credit_releases(self, unit, decision, added):
        """Use the releases up that let these orders pass, all of them or none. The unit is locked.

        :param unit: the credit unit that refuses
        :param dict added: ``{order id: what it uses of its credit}``
        :returns: the releases; none where they are not enough
        """
        Request = self.env["sale.credit.request"].sudo()  # sudo: releases count, whoever confirms
        if decision.is_stopped:
            return Request
        compare = self[:1].company_id.currency_id.compare_amounts
        waiting = self.filtered(lambda order: compare(added[order.id], 0.0) > 0)
        used = Request
        for release in Request.search(self._get_release_domain(unit), order="id"):
            covered = release.order_ids & waiting
            if covered and release._covers(covered, sum(added[order.id] for order in covered)):
                waiting -= covered
                used |= release
        if waiting:
            return Request
        used._use()
        return used

    def _get_release_domain(self, unit):
        return [
            ("unit_id", "=", unit.id),
            ("company_id", "=", self[:1].company_id.id),
            ("state", "=", "granted"),
            ("decision", "=", "release"),
            ("valid_until", ">=", fields.Date.context_today(self)),
            ("order_ids", "in", self.ids),
        ]

    # ------------------------------------------------------------
    # What follows from other changes
    # ------------------------------------------------------------

    def _follow_credit_requests(self, change):
        """Let requests lapse whose orders are not what they were requested for, and end the hold of what is no
        quotation any more."""
        ended = self.filtered(lambda order: order.on_credit_hold and order.state not in ("draft", "sent"))
        if ended:
            ended._write_derived({"on_credit_hold": False})
        for request in self.filtered("has_credit_request").credit_request_ids:
            if request._is_open() and (reason := request._get_lapse_reason()):
                request._lapse(reason)

    def action_close_quotation(self, reason=None):
        result = super().action_close_quotation(reason)
        closed = self.sudo().filtered(
            lambda order: order.approval_state == "closed"
        )  # sudo: system fields and a ledger
        closed._end_credit_hold()
        closed._get_open_requests()._lapse(self.env._("The quotation was closed."))
        return result

    def unlink(self):
        # sudo: a ledger
        requests = self.sudo().credit_request_ids
        names = format_list(self.env, self.mapped("name"))
        self.env["sales.ledger.seal"]._remove_with(self)
        result = super().unlink()
        if requests:
            requests.invalidate_recordset(["order_ids"])
            requests._lapse(self.env._("The quotation %s was deleted.", names))
        return result

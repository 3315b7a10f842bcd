from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import format_amount, format_date, plaintext2html

from ...tools import Acceptance
from ...tools.credit import CreditDecision

CREDIT_MANAGER_GROUP = "sales_opportunity_stages.group_credit_manager"


class SaleOrder(models.Model):
    """Strict credit (信用控制), where an order becomes or grows.

    What an order uses of its unit's credit is compared before and after: confirming, a line, a price, a tax, another
    payer, another date. What adds nothing passes; what adds is summed over everything that happens at once.
    """

    _inherit = "sale.order"

    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    credit_uninvoiced = fields.Monetary(
        "Credit Used",
        compute="_compute_credit_uninvoiced",
        store=True,
        compute_sudo=True,
        copy=False,
        currency_field="company_currency_id",
        help="Amount that a confirmed order uses of the customer's credit, taxes included: what each line has left to "
        "invoice, less down payments and payments received online. In the company's currency at the order's date.",
    )
    credit_received = fields.Monetary(
        "Paid Online",
        compute="_compute_credit_received",
        store=True,
        compute_sudo=True,
        copy=False,
        help="Online payments for this order, authorized or done, that are not yet in the books. There they count "
        "against the receivables.",
    )
    credit_is_checked = fields.Boolean(related="company_id.account_use_credit_limit")
    credit_check_ids = fields.Many2many("sale.credit.check", string="Credit Decisions", readonly=True, copy=False)
    credit_check_count = fields.Integer(compute="_compute_credit_check_count")

    _credit_partner_idx = models.Index(
        "(partner_id, company_id) INCLUDE (credit_uninvoiced) WHERE credit_uninvoiced > 0"
    )
    _credit_billed_to_idx = models.Index(
        "(partner_invoice_id) INCLUDE (partner_id, company_id, credit_uninvoiced)"
        " WHERE credit_uninvoiced > 0 AND partner_id <> partner_invoice_id"
    )

    @api.depends("state", "amount_total", "currency_rate", "credit_received", "order_line.credit_uninvoiced")
    def _compute_credit_uninvoiced(self):
        for order in self:
            order.credit_uninvoiced = order._get_credit_amount() if order.state == "sale" else 0.0

    @api.depends(
        lambda self: [
            f"{path}.{name}"
            for path in (
                "transaction_ids",
                "transaction_ids.child_transaction_ids",
                "transaction_ids.child_transaction_ids.child_transaction_ids",
            )
            for name in ("state", "amount", "operation", "payment_id.state", "payment_id.move_id.state")
        ]
    )
    def _compute_credit_received(self):
        """Stored, so that confirming an order need not look for payments."""
        for order in self:
            transactions = order.transaction_ids.filtered(
                lambda transaction, known=order.transaction_ids: transaction.source_transaction_id not in known
            )
            order.credit_received = sum(order._get_share(transaction) for transaction in transactions)

    def _get_share(self, transaction):
        """Return what of a payment is for this order and not yet in the books, in the order's currency.

        One that is for several orders is divided by their totals in the currency of the payment.
        """
        received = transaction._get_received()
        if not received:
            return 0.0
        day = transaction.last_state_change or fields.Date.today()
        amount = transaction.currency_id._convert(received, self.currency_id, self.company_id, day)
        orders = transaction.sale_order_ids
        if len(orders) < 2:
            return amount
        totals = {
            order: order.currency_id._convert(order.amount_total, transaction.currency_id, order.company_id, day)
            for order in orders
        }
        return amount * totals[self] / sum(totals.values()) if sum(totals.values()) else amount / len(orders)

    @api.model
    def _is_internal_field(self, field):
        """Odoo's banner says here what the whole unit owes."""
        return super()._is_internal_field(field) or field.name == "partner_credit_warning"

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"credit_check_ids", "credit_received", "credit_uninvoiced"}

    @api.model
    def _get_derived_fields(self):
        return super()._get_derived_fields() | {"amount_untaxed", "amount_tax", "amount_total", "currency_rate"}

    def _compute_credit_check_count(self):
        for order in self:
            order.credit_check_count = len(order.credit_check_ids)

    def _get_credit_amount(self):
        """Return what the order uses of credit, or would use once confirmed, in the company's currency.

        What its lines have left, less down payments and what is paid online. The lines may add up to other cents than
        the order, where taxes are rounded globally: the order's total counts, until nothing is left.
        """
        self.ensure_one()
        lines = self.order_line
        if not any(line.credit_uninvoiced for line in lines):
            return 0.0
        left = sum(line.credit_uninvoiced for line in lines)
        rounding = self.amount_total - sum(line.price_total for line in lines)
        advance = sum(line._get_invoiced()[1] for line in lines if line.is_downpayment)
        left = max(self.currency_id.round(left + rounding - max(advance, 0.0) - self.credit_received), 0.0)
        return self.company_id.currency_id.round(left / (self.currency_rate or 1.0))

    def _get_credit_partners(self):
        """Whose units' credit the order uses: the customer's and, where somebody else is billed, theirs too."""
        self.ensure_one()
        return (self.partner_id | self.partner_invoice_id)._origin

    # ------------------------------------------------------------
    # Before and after
    # ------------------------------------------------------------

    def _get_snapshot(self):
        snapshot = super()._get_snapshot()
        if self.state == "sale" and self.company_id.account_use_credit_limit:
            snapshot["credit"] = self._get_credit_use()
        return snapshot

    def _get_credit_use(self):
        """``{partner id: what the order uses of the credit of the partner's unit}``."""
        return dict.fromkeys(self._get_credit_partners().ids, self.credit_uninvoiced)

    def _check_credit_of_change(self, change):
        """Check what a change adds to the credit in use, in each company that checks credit."""
        checked = self.filtered(lambda order: order.state == "sale" and order.company_id.account_use_credit_limit)
        for company, orders in checked.grouped("company_id").items():
            orders._check_credit(company, change.before, is_incurred=change.is_incurred)

    def _check_credit(self, company, before, is_incurred=False):
        """Decide on what these orders add to the credit that their units use, all or nothing.

        :param dict before: the snapshots
        :param bool is_incurred: it has happened already, so it is counted and warned of, never refused
        :raise UserError: when one unit cannot take it, and the company or the opportunity is strict
        """
        decisions = self._decide_on_credit(company, before)
        if not decisions:
            return self._end_credit_hold()
        grown = any(before.get(order.id, {}).get("state") == "sale" for order in self)
        acceptance = Acceptance.of(self)
        origin = acceptance.origin if acceptance else "increase" if grown else "confirm"
        vals_list, blocked, warned = [], [], []
        for unit, (added, decision) in decisions.items():
            orders = self.browse(added)
            result, releases = orders._get_credit_result(decision), self.env["sale.credit.request"]
            if is_incurred and result == "blocked":
                result = "warned"
            if result == "blocked" and not grown:
                releases = orders._use_credit_releases(unit, decision, added)
                result = "released" if releases else result
            vals_list.append(orders._prepare_credit_check(unit, decision, result, origin, releases))
            if result in ("blocked", "warned"):
                (blocked if result == "blocked" else warned).append(orders._explain_credit(unit, decision))
        requestable = self.browse() if grown else self.filtered(lambda order: order.id in before)
        self._keep_credit_decisions(vals_list, blocked, warned, requestable)
        self._end_credit_hold()

    def _decide_on_credit(self, company, before):
        """Keep everybody else from using the credit of the units that these orders add something to, and decide.

        :param dict before: the snapshots
        :returns: ``{unit: ({order id: what it adds}, CreditDecision)}`` of the units that are limited
        """
        confirmed = set()
        if self.env["sale.credit.exposure"]._is_any_unit_stopped():
            confirmed = {order.id for order in self if before.get(order.id, {}).get("state") != "sale"}
        uses = {order.id: (before.get(order.id, {}).get("credit", {}), order._get_credit_use()) for order in self}
        compare = company.currency_id.compare_amounts
        if not confirmed and not any(
            compare(amount, earlier.get(partner_id, 0.0)) > 0
            for earlier, now in uses.values()
            for partner_id, amount in now.items()
        ):
            return {}
        partner_ids = {partner_id for both in uses.values() for use in both for partner_id in use}
        # sudo: the sum is over what everybody has sold, in the whole company tree
        standings = self.env["sale.credit.exposure"].sudo()._get_standings(partner_ids, company, using=True)
        added = self._get_credit_added(uses, standings)
        # sudo: who carries whose credit counts for everybody
        Units = self.env["res.partner"].sudo()
        decisions = {}
        for unit_id, standing in {standing.unit_id: standing for standing in standings.values()}.items():
            documents = sum(added[unit_id].values())
            is_stopped = standing.terms.control == "stop" and confirmed & added[unit_id].keys()
            if compare(documents, 0.0) > 0 or is_stopped:
                earlier = standing.exposure.without(documents)  # the orders are in it already
                decision = self._make_credit_decision(company, standing.terms, earlier, documents)
                decisions[Units.browse(unit_id)] = added[unit_id], decision
        return decisions

    @api.model
    def _get_credit_added(self, uses, standings):
        """``{unit id: {order id: what it uses more than before, or less}}``."""
        added = defaultdict(dict)
        for order_id, both in uses.items():
            earlier, now = (
                {standings[id_].unit_id: amount for id_, amount in use.items() if id_ in standings} for use in both
            )
            for unit_id in earlier.keys() | now.keys():
                added[unit_id][order_id] = now.get(unit_id, 0.0) - earlier.get(unit_id, 0.0)
        return added

    def _make_credit_decision(self, company, terms, exposure, documents):
        return CreditDecision(
            terms, exposure, documents, fields.Date.context_today(self), company.currency_id.compare_amounts
        )

    def _get_credit_result(self, decision):
        """``passed``, ``warned`` or ``blocked``: orders of opportunities are strict, others as the company. A stopped
        unit gets no order at all."""
        if not decision.refused:
            return "passed"
        if self.opportunity_id or decision.is_stopped:
            return "blocked"
        return {"none": "passed", "warn": "warned"}.get(self[:1].company_id.credit_policy, "blocked")

    def _keep_credit_decisions(self, vals_list, blocked, warned, requestable):
        """Write the decisions down and act on them.

        :param requestable: the orders that credit can be requested for in the dialog of a refusal
        """
        # sudo: a ledger, which no user writes
        Check = self.env["sale.credit.check"].sudo()
        if blocked:
            for vals in vals_list:
                if vals["result"] == "released":  # it is not used: another unit refuses
                    vals.update(result="blocked", request_id=False)
            Check._log_whatever_happens(vals_list)
            self._check_may_hear_reasons("sale.credit.check")
            raise requestable._make_credit_refusal("\n\n".join([*blocked, self._get_credit_help()]))
        Check._log(vals_list)
        for warning in warned if not self.env.user.share else ():
            self.env.user._bus_send(
                "simple_notification",
                {"type": "warning", "sticky": True, "title": self.env._("Credit"), "message": warning},
            )
        if warned:
            self._message_log_batch(bodies={order.id: "\n\n".join(warned) for order in self})

    def _prepare_credit_check(self, unit, decision, result, origin, releases=()):
        return self.env["sale.credit.check"]._prepare_decision(
            self[:1].company_id,
            unit,
            decision,
            result,
            origin,
            order_ids=self.ids,
            document_names=", ".join(self.mapped("name"))[:500],
            request_id=releases[0].id if releases else False,
        )

    # ------------------------------------------------------------
    # What is said
    # ------------------------------------------------------------

    def _explain_credit(self, unit, decision):
        """Why the unit cannot take these orders: amounts per term, of documents only those that the user may read."""
        lines = []
        if decision.is_stopped:
            lines.append(self._say_stopped(unit))
        if decision.over_limit:
            lines += [self._say_over_limit(unit, decision), *self._list_credit_terms(decision)]
        if decision.overdue_days:
            lines += [self._say_overdue(unit, decision), *self._name_overdue_documents(unit, decision)]
        if not decision.is_stopped:
            lines += unit._describe_projection(self[:1].company_id, decision.documents)
        return "\n".join(lines)

    def _explain_credit_briefly(self, unit, decision):
        """The reasons alone, for where lines would run together."""
        stopped = self._say_stopped(unit) if decision.is_stopped else ""
        over = self._say_over_limit(unit, decision) if decision.over_limit else ""
        return " ".join(filter(None, [stopped, over, decision.overdue_days and self._say_overdue(unit, decision)]))

    def _say_stopped(self, unit):
        return self.env._(
            "%(orders)s: orders of %(unit)s are stopped. A credit manager can change its credit control.",
            orders=", ".join(self.mapped("name")),
            unit=unit.name,
        )

    def _say_over_limit(self, unit, decision):
        if decision.terms.control == "cash":
            return self.env._(
                "%(orders)s: %(unit)s pays before an order is confirmed. %(excess)s is not received yet.",
                orders=", ".join(self.mapped("name")),
                unit=unit.name,
                excess=format_amount(self.env, decision.excess, self[:1].company_id.currency_id),
            )
        return self.env._(
            "%(orders)s: the credit limit of %(unit)s is exceeded by %(excess)s.",
            orders=", ".join(self.mapped("name")),
            unit=unit.name,
            excess=format_amount(self.env, decision.excess, self[:1].company_id.currency_id),
        )

    def _say_overdue(self, unit, decision):
        if decision.terms.basis == "due":
            return self.env._(
                "%(orders)s: %(unit)s is %(days)s days late. The oldest open document was due on %(date)s, the credit "
                "term is %(term)s days.",
                orders=", ".join(self.mapped("name")),
                unit=unit.name,
                days=decision.overdue_days,
                date=format_date(self.env, decision.exposure_before.oldest_date),
                term=decision.terms.term_days,
            )
        return self.env._(
            "%(orders)s: %(unit)s is %(days)s days late. The oldest open document is of %(date)s, the credit term is "
            "%(term)s days.",
            orders=", ".join(self.mapped("name")),
            unit=unit.name,
            days=decision.overdue_days,
            date=format_date(self.env, decision.exposure_before.oldest_date),
            term=decision.terms.term_days,
        )

    def _list_credit_terms(self, decision):
        """What counts against the limit, a line each."""
        currency, exposure = self[:1].company_id.currency_id, decision.exposure_before

        def money(amount):
            return format_amount(self.env, amount, currency)

        return [
            self.env._("Credit limit: %s", money(decision.terms.ceiling)),
            self.env._("Open receivables: %s", money(exposure.receivable)),
            self.env._("Confirmed, not invoiced: %s", money(exposure.uninvoiced)),
            self.env._("Draft invoices: %s", money(exposure.draft_invoiced)),
            self.env._("This document: %s", money(decision.documents)),
        ]

    def _name_overdue_documents(self, unit, decision):
        """The three oldest that are late, of those that the user may read."""
        Line = self.env["account.move.line"].sudo(False)
        if not Line.has_access("read"):
            return []
        domain = unit._get_open_items_domain(
            self[:1].company_id, decision.exposure_before.oldest_date, decision.late_before
        )
        lines = Line.search(domain, order="date, id", limit=3)
        return [f"  {line.move_name} ({format_date(self.env, line.invoice_date or line.date)})" for line in lines]

    def _get_credit_help(self):
        """Who can help: the credit managers of the company."""
        names = ", ".join(self._get_credit_managers()[:3].mapped("name"))
        if not names:
            return self.env._("An accountant can raise the limit or the term of the credit unit.")
        return self.env._("Ask for a payment, or contact a credit manager: %s", names)

    def _get_credit_managers(self):
        """Return the users who decide on credit in the company of these orders."""
        # sudo: groups and companies of other users; their names are told
        managers = self.env.ref(CREDIT_MANAGER_GROUP).sudo().all_user_ids - self.env.ref("base.user_root")
        return managers.filtered(
            lambda user: user.active and not user.share and self[:1].company_id in user.company_ids
        )

    def _report_unconfirmed(self, reason):
        """Tell the credit managers, too, where it is credit that refuses what the customer has accepted."""
        result = super()._report_unconfirmed(reason)
        if any(decision.refused for decision in self._preview_credit().values()):
            for manager in self._get_credit_managers() - self.user_id:
                # sudo: in the system's name: a customer may not schedule activities
                self.with_user(self.env.ref("base.user_root")).sudo().activity_schedule(
                    "mail.mail_activity_data_todo",
                    user_id=manager.id,
                    summary=self.env._("Accepted by the customer, refused by the credit check"),
                    note=plaintext2html(reason),
                )
            self._request_accepted_credit()
        return result

    def _request_accepted_credit(self):
        """Request credit for a quotation that the customer has signed or paid, in the system's name."""
        # sudo: a customer reads no credit; the request is the system's
        order = self.with_user(self.env.ref("base.user_root")).sudo()
        order._request_credit(self.env._("The customer has signed or paid the quotation."), automatic=True)

    # ------------------------------------------------------------
    # Before anyone tries
    # ------------------------------------------------------------

    def _preview_credit(self):
        """``{unit: CreditDecision}`` if this quotation were confirmed now. Takes nothing and writes nothing."""
        self.ensure_one()
        company = self.company_id
        if not company.account_use_credit_limit:
            return {}
        documents = self._get_credit_amount()
        if company.currency_id.compare_amounts(documents, 0) <= 0:
            return {}
        # sudo: the sum is over what everybody has sold, in the whole company tree
        Exposures, Partner = self.env["sale.credit.exposure"].sudo(), self.env["res.partner"].sudo()
        standings = Exposures._get_standings(self._get_credit_partners().ids, company)
        return {
            Partner.browse(standing.unit_id): self._make_credit_decision(
                company, standing.terms, standing.exposure, documents
            )
            for standing in standings.values()
            if standing.terms
        }

    def _awaits_credit(self):
        """Whether it is a quotation that may yet become an order."""
        self.ensure_one()
        ended = self.approval_state == "closed" or self._get_followup_contracts()
        return self.state in ("draft", "sent") and not ended

    @api.depends(
        "company_id", "partner_id", "partner_invoice_id", "amount_total", "state", "approval_state", "opportunity_id"
    )
    def _compute_partner_credit_warning(self):
        """The banner says what confirming would say, while one types. Replaces Odoo's, which counts otherwise."""
        self.partner_credit_warning = ""
        for order in self.filtered(lambda order: order._awaits_credit()):
            refused = {unit: decision for unit, decision in order._preview_credit().items() if decision.refused}
            order.partner_credit_warning = "\n\n".join(
                order._explain_credit(unit, decision) for unit, decision in refused.items()
            )

    def action_credit_check(self):
        """Ask now whether this quotation could be confirmed, and keep the answer.

        :returns: a notification that says it
        """
        self.ensure_one()
        self.env["sale.credit.check"]._check_may_read_on(self)  # a customer may not read what others owe
        # sudo: a ledger, which no user writes, and the sum over what everybody has sold; access is checked above
        decisions = self.sudo()._preview_credit() if self.state in ("draft", "sent") else {}
        self.env["sale.credit.check"].sudo()._log(
            [
                self._prepare_credit_check(unit, decision, self.sudo()._get_credit_result(decision), "manual")
                for unit, decision in decisions.items()
            ]
        )
        self.sudo()._end_credit_hold(decisions)
        refused = [
            self._explain_credit_briefly(unit, decision) for unit, decision in decisions.items() if decision.refused
        ]
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if refused else "success",
                "title": self.env._("Credit"),
                "sticky": bool(refused),
                "message": "\n".join(refused) or self.env._("Credit allows this order."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_view_credit_checks(self):
        """The decisions on this order."""
        self.ensure_one()
        return self.env["sale.credit.check"]._view_decisions_on(self, [("order_ids", "in", self.ids)])

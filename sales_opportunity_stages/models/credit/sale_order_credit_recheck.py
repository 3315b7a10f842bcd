from odoo import api, models
from odoo.fields import Domain


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _recheck_credit_holds(self):
        """Check again the quotations on hold that use the credit of the units of these partners."""
        # sudo: whose credit has changed does not depend on who has changed it
        orders = self.env["sale.order"].sudo()
        if orders.search_count([("on_credit_hold", "=", True)], limit=1):
            member_ids = self._get_credit_unit()._get_credit_members().ids
            orders._recheck_credit_holds(
                Domain("partner_id.commercial_partner_id", "in", member_ids)
                | Domain("partner_invoice_id.commercial_partner_id", "in", member_ids)
            )


class SaleOrder(models.Model):
    """Recheck: a quotation on hold that would pass now is told to its salesperson.

    After a payment, a credit note, another limit, a grant, a cancellation, and every night. What the customer had
    accepted already is confirmed, where the company wants that.
    """

    _inherit = "sale.order"

    @api.model
    def _cron_recheck_credit(self):
        """Recheck everything on hold: terms, grants and releases change with the date."""
        self.env["sale.credit.request"]._cron_lapse_expired()
        self._recheck_credit_holds(Domain.TRUE)

    @api.model
    def _recheck_credit_holds(self, domain):
        """Recheck the quotations on hold of a domain, the oldest first."""
        waiting = Domain(
            [("on_credit_hold", "=", True), ("state", "in", ("draft", "sent")), ("approval_state", "!=", "closed")]
        )
        # sudo: the system rechecks, whoever has made it necessary
        held = self.sudo().search(waiting & domain, order="id")
        for order, decisions in held._preview_each().items():
            if all(order._get_credit_result(decision) != "blocked" for decision in decisions.values()):
                order._report_passing(decisions)

    def _preview_each(self):
        """Return ``{order: {unit: CreditDecision}}`` if each of these quotations were confirmed now, by itself."""
        # sudo: the sum is over what everybody has sold, in the whole company tree
        Exposures, Units = self.env["sale.credit.exposure"].sudo(), self.env["res.partner"].sudo()
        previews = {}
        for company, orders in self.grouped("company_id").items():
            partner_ids = {partner_id for order in orders for partner_id in order._get_credit_partners().ids}
            standings = Exposures._get_standings(partner_ids, company) if company.account_use_credit_limit else {}
            for order in orders:
                found = (standings.get(partner.id) for partner in order._get_credit_partners())
                previews[order] = {
                    Units.browse(standing.unit_id): order._make_credit_decision(
                        company, standing.terms, standing.exposure, order._get_credit_amount()
                    )
                    for standing in found
                    if standing and standing.terms
                }
        return previews

    def _report_passing(self, decisions):
        """Take the hold off a quotation that would pass now, and tell its salesperson; or confirm it.

        :param decisions: ``{unit: CreditDecision}``
        """
        self.ensure_one()
        order = self.with_user(self.env.ref("base.user_root")).sudo()  # sudo: as the caller, in the system's name
        self.env["sale.credit.check"].sudo()._log(
            [
                order._prepare_credit_check(unit, decision, order._get_credit_result(decision), "recheck")
                for unit, decision in decisions.items()
            ]
        )
        order._end_credit_hold()
        requested = order._get_open_requests().filtered(lambda request: request.state == "requested")
        requested._lapse(self.env._("Credit allows the order now."))
        if order._may_confirm_itself():
            order._validate_order()
        if order.state != "sale":
            order._tell_salesperson(self.env._("Credit allows this quotation now: you can confirm it."))

    def _may_confirm_itself(self):
        """Check whether the customer has signed or paid this quotation, and the company wants it confirmed then."""
        if not self.company_id.credit_auto_confirm or self._get_refusals("confirm"):
            return False
        paid = self.transaction_ids.filtered(lambda transaction: transaction.state in ("authorized", "done"))
        return bool(self.signature or (paid and self._is_confirmation_amount_reached()))

    def _tell_salesperson(self, message):
        """Tell the salesperson something about this order, as a note that notifies them."""
        self.message_post(
            body=message,
            author_id=self.env.ref("base.partner_root").id,
            partner_ids=self.user_id.partner_id.ids,
            subtype_xmlid="mail.mt_note",
        )

    def _recheck_after_change(self, change):
        """Recheck what is on hold where orders use less credit than before."""
        # sudo: as _recheck_credit_holds
        partner_ids = set()
        for order in self:
            before = change.was(order).get("credit", {})
            now = order._get_credit_use() if order.state == "sale" else {}
            partner_ids.update(id_ for id_, amount in before.items() if amount > now.get(id_, 0.0))
        if partner_ids:
            self.env["res.partner"].sudo().browse(sorted(partner_ids))._recheck_credit_holds()

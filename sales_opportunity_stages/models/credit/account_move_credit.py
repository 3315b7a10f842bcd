from dataclasses import replace

from odoo import models
from odoo.exceptions import UserError


class AccountMove(models.Model):
    """Credit at invoicing: a customer invoice that comes from no order, where the company checks those.

    What comes from an order is never checked here: what was shipped may always be invoiced.
    """

    _inherit = "account.move"

    def _post(self, soft=True):
        self._check_credit_at_invoicing()
        return super()._post(soft)

    def _check_credit_at_invoicing(self):
        """Check the invoices without an order, together for each company and unit.

        :raise UserError: when one of the units cannot take them, and the company blocks
        """
        # sudo: settings of the company and lines of orders that an accountant need not be able to read
        moves = self.sudo().filtered(
            lambda move: (
                move.is_sale_document(include_receipts=True)
                and move.move_type != "out_refund"
                and move.company_id._get_credit_checkpoints()["invoice"] != "none"
                and not move.invoice_line_ids.sale_line_ids
            )
        )
        for company, of_company in moves.grouped("company_id").items():
            of_company._check_credit_of_invoices(company)

    def _check_credit_of_invoices(self, company):
        Checks = self.env["sale.credit.check"]
        blocked, vals_list = [], []
        # sudo: the sum is over what everybody has sold, in the whole company tree
        Exposures, Units = self.env["sale.credit.exposure"].sudo(), self.env["res.partner"].sudo()
        standings = Exposures._get_standings(self.partner_id.ids, company, using=True)
        for unit_id, moves in self.grouped(
            lambda move: getattr(standings.get(move.partner_id.id), "unit_id", 0)
        ).items():
            documents = sum(moves.mapped("amount_total_signed"))
            if not unit_id or company.currency_id.compare_amounts(documents, 0.0) <= 0:
                continue
            standing, unit = standings[moves[0].partner_id.id], Units.browse(unit_id)
            drafts = sum(moves.mapped("credit_draft_invoiced"))
            earlier = replace(standing.exposure, draft_invoiced=standing.exposure.draft_invoiced - drafts)
            decision = self.env["sale.order"]._make_credit_decision(company, standing.terms, earlier, documents)
            names = ", ".join(moves.mapped(lambda move: move.display_name))
            result = "passed"
            if decision.refused:
                result = "blocked" if company.credit_check_invoice == "block" else "warned"
                blocked.append(unit._explain_credit(company, decision, names))
            vals_list.append(
                Checks._prepare_decision(company, unit, decision, result, "invoice", document_names=names[:500])
            )
        Checks._settle_checkpoint(company, vals_list, blocked, company.credit_check_invoice)


class SaleCreditCheck(models.Model):
    _inherit = "sale.credit.check"

    def _settle_checkpoint(self, company, vals_list, sentences, policy):
        """Log the decisions of a checkpoint beside the confirmation, and warn or refuse.

        :param list sentences: why it is over or late; empty where all of it passes
        :param str policy: ``warn`` or ``block``
        :raise UserError: with the sentences, where the company blocks
        """
        Check = self.env["sale.credit.check"].sudo()  # sudo: a ledger, which no user writes
        if not sentences or policy == "warn":
            Check._log(vals_list)
            if sentences:
                self.env.user._bus_send(
                    "simple_notification",
                    {
                        "type": "warning",
                        "sticky": True,
                        "title": self.env._("Credit"),
                        "message": "\n\n".join(sentences),
                    },
                )
            return
        Check._log_whatever_happens(vals_list)
        raise UserError("\n\n".join([*sentences, self._get_checkpoint_help(company)]))

    def _get_checkpoint_help(self, company):
        """Return whom to ask."""
        managers = self.env["sale.credit.authority"]._get_deciders(company)
        names = ", ".join(user.name for user in list(managers)[:3])
        return self.env._(
            "Ask the customer for a payment, or a credit manager for a temporary limit: %s.",
            names or self.env._("none"),
        )


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _explain_credit(self, company, decision, names):
        """Return why this unit cannot take documents; amounts only for users who may read credit decisions.

        :param company: the company of the documents
        :param str names: of the documents
        """
        self.ensure_one()
        if not self.env["sale.credit.check"].sudo(False).has_access("read"):
            return self.env._(
                "%(documents)s: the credit of %(unit)s does not allow it.", documents=names, unit=self.name
            )
        reasons = []
        if decision.is_stopped:
            reasons.append(
                self.env._("%(documents)s: orders of %(unit)s are stopped.", documents=names, unit=self.name)
            )
        if decision.over_limit:
            reasons.append(
                self.env._(
                    "%(documents)s: the credit limit of %(unit)s is exceeded by %(excess)s.",
                    documents=names,
                    unit=self.name,
                    excess=company.currency_id.format(decision.excess),
                )
            )
        if decision.overdue_days:
            reasons.append(
                self.env._(
                    "%(documents)s: %(unit)s is %(days)s days late.",
                    documents=names,
                    unit=self.name,
                    days=decision.overdue_days,
                )
            )
        return "\n".join(reasons)

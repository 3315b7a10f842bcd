from odoo import models
from odoo.tools import format_amount, format_date


class ResPartner(models.Model):
    """The documents behind the exposure of a unit: what they show adds up to it."""

    _inherit = "res.partner"

    def _get_credit_document_domain(self, model):
        """The documents behind a term of the unit's exposure: what they show adds up to it.

        :param str model: ``account.move.line`` (by ``amount_residual``), ``sale.order`` (by ``credit_uninvoiced``) or
            ``account.move`` (by ``credit_draft_invoiced``)
        """
        member_ids = self._get_credit_unit()._get_credit_members().ids
        tree = [("company_id", "child_of", self.env.company.root_id.id)]
        if model == "sale.order":
            return [
                "|",
                ("partner_id.commercial_partner_id", "in", member_ids),
                ("partner_invoice_id.commercial_partner_id", "in", member_ids),
                ("credit_uninvoiced", ">", 0),
                *tree,
            ]
        members = [("partner_id.commercial_partner_id", "in", member_ids), *tree]
        if model == "account.move.line":
            return [
                *members,
                ("account_id.account_type", "=", "asset_receivable"),
                ("reconciled", "=", False),
                ("parent_state", "=", "posted"),
            ]
        return [
            *members,
            ("state", "=", "draft"),
            ("move_type", "in", ("out_invoice", "out_receipt")),
            ("credit_draft_invoiced", "!=", 0),
        ]

    def _get_term_basis(self, company):
        """Return what the term of the unit is counted from in a company: ``document`` or ``due``."""
        # sudo: which dates count does not depend on who asks
        unit, company = self.sudo().with_company(company), company.sudo()
        return unit.credit_term_basis or company.credit_term_basis

    def _get_open_items_domain(self, company, date_from, date_to):
        """Return the domain of the open items of the unit that a customer owes, by their date.

        :param date_from: the first date, or None
        :param date_to: the date after the last one
        """
        self.ensure_one()

        def dated(operator, day):
            on_entry = ["&", ("invoice_date", "=", False), ("date", operator, day)]
            on_document = ["|", ("invoice_date", operator, day), *on_entry]
            if self._get_term_basis(company) != "due":
                return on_document
            return ["|", ("date_maturity", operator, day), "&", ("date_maturity", "=", False), *on_document]

        return [
            ("partner_id.commercial_partner_id", "in", self._get_credit_members().ids),
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("amount_residual", ">", 0),
            ("company_id", "child_of", company.root_id.id),
            *dated("<", date_to),
            *(dated(">=", date_from) if date_from else []),
        ]

    def _describe_settled_items(self, company, decision, limit=10):
        """Name the overdue items that count as settled by unmatched payments or the tolerance, oldest first."""
        # sudo: the decision is about documents of others, too; the field that holds it has its groups
        Line = self.env["account.move.line"].sudo()
        domain = self._get_open_items_domain(company, None, decision.settled_before)
        items = Line.search(domain, order="date, id", limit=limit + 1)
        names = [
            f"{item.move_name} ({format_date(self.env, item.invoice_date or item.date)}, "
            f"{format_amount(self.env, item.amount_residual, company.currency_id)})"
            for item in items[:limit]
        ]
        if len(items) > limit:
            names.append(self.env._("and %s more", Line.search_count(domain) - limit))
        return ", ".join(names)

    def _get_credit_detail(self, company, exposure, limit=50):
        """Return what each member of the unit owes, per term: the largest ones, and the rest together.

        :param company: the company that grants the credit; None: what is known already, which is little of many members
        :returns: ``{partner id as text, or "rest": {term: amount}}``; the rest says of how many ``members`` it is
        """
        self.ensure_one()
        if company:
            # sudo: the sum is over what everybody has sold, in the whole company tree
            Exposures = self.env["sale.credit.exposure"].sudo()
            exposure = Exposures._get_standings(self.ids, company, member_ids=None)[self.id].exposure
        members = sorted(exposure.members.items(), key=lambda item: sum(map(abs, item[1].values())), reverse=True)
        detail = {str(member_id): terms for member_id, terms in members[:limit]}
        rest = [terms for _member_id, terms in members[limit:]]
        if rest:
            detail["rest"] = {"members": len(rest)} | {name: sum(each[name] for each in rest) for name in rest[0]}
        return detail

    def _view_credit_documents(self, model, name):
        self.ensure_one()
        self.env["sale.credit.check"]._check_may_read_on(self)  # it tells who belongs to the unit
        view = f"{model.replace('.', '_')}_view_list_credit"
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "views": [(self.env.ref(f"sales_opportunity_stages.{view}").id, "list"), (False, "form")],
            "domain": self._get_credit_document_domain(model),
            "context": {"create": False},
        }

    def action_view_credit_receivable(self):
        """The open items of all members of the unit."""
        return self._view_credit_documents("account.move.line", self.env._("Open Receivables"))

    def action_view_credit_uninvoiced(self):
        """The confirmed orders of all members of the unit that are not wholly invoiced."""
        return self._view_credit_documents("sale.order", self.env._("Confirmed, not Invoiced"))

    def action_view_credit_draft_invoiced(self):
        """The draft invoices of all members of the unit, as far as no order carries the amount."""
        return self._view_credit_documents("account.move", self.env._("Draft Invoices"))

    def action_view_credit_grants(self):
        """The grants of this unit, and the changes of its limit and term."""
        self.ensure_one()
        self.check_access("read")
        self.env["sale.credit.grant"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("sales_opportunity_stages.sale_credit_grant_action")
        return {**action, "domain": [("unit_id", "in", self._get_credit_unit().ids)], "context": {}}

    def action_view_credit_checks(self):
        """The decisions on the credit of this unit."""
        self.ensure_one()
        return self.env["sale.credit.check"]._view_decisions_on(self, [("unit_id", "in", self._get_credit_unit().ids)])

from odoo import api, fields, models

CREDIT_WRITERS = ("account.group_account_invoice", "sales_opportunity_stages.group_credit_manager")
CREDIT_READERS = (
    f"account.group_account_invoice,account.group_account_readonly,{CREDIT_WRITERS[1]},sales_team.group_sale_salesman"
)


class ResPartner(models.Model):
    """Credit units (信用单位): a customer's credit may be carried by another partner, together with others'.

    Set on the company, followed by its contacts. One level: who carries credit has it carried by nobody. Accountants
    and credit managers decide on it; whoever sells reads it.
    """

    _inherit = "res.partner"

    credit_limit = fields.Float(groups=CREDIT_READERS)
    credit_unit_id = fields.Many2one(
        "res.partner",
        compute="_compute_credit_unit_id",
        store=True,
        readonly=False,
        recursive=True,
        ondelete="restrict",
        copy=False,
        groups=CREDIT_READERS,
        domain="[('id', '!=', id), ('credit_unit_id', '=', False),"
        " '|', ('is_company', '=', True), ('parent_id', '=', False)]",
        help="The customer whose credit limit and term this customer shares. Blank: it has its own.",
    )
    credit_member_ids = fields.Many2many(
        "res.partner",
        string="Credit Members",
        compute="_compute_credit_member_ids",
        context={"active_test": False},
        groups=CREDIT_READERS,
        help="The members of this credit unit, including archived ones.",
    )
    credit_member_count = fields.Integer(compute="_compute_credit_member_ids", groups=CREDIT_READERS)
    credit_term_days = fields.Integer(
        "Credit Term",
        company_dependent=True,
        copy=False,
        groups=CREDIT_READERS,
        help="Days within which a document has to be paid, from its date or its due date. Once one is older, no "
        "customer of the unit gets another order. 0: not checked.",
    )
    credit_control = fields.Selection(
        [("limit", "By Limit"), ("cash", "Cash Only"), ("stop", "Stopped")],
        company_dependent=True,
        copy=False,
        groups=CREDIT_READERS,
        help="By Limit: orders pass within the limit and the term. Cash Only: an order passes once its payment is "
        "received. Stopped: no order passes.",
    )
    credit_term_basis = fields.Selection(
        [("document", "Document Date"), ("due", "Due Date")],
        "Term Counted From",
        company_dependent=True,
        copy=False,
        groups=CREDIT_READERS,
        help="Date that the credit term is counted from. Blank: as the company.",
    )
    credit_grace_days = fields.Integer(
        "Grace Days",
        company_dependent=True,
        copy=False,
        groups=CREDIT_READERS,
        help="Days after the credit term within which a document is not late yet. 0: as the company.",
    )
    credit_tolerance = fields.Float(
        "Overdue Tolerance",
        company_dependent=True,
        copy=False,
        groups=CREDIT_READERS,
        help="Overdue amount up to which the unit is not blocked. 0: as the company. Negative: none.",
    )
    credit_review_date = fields.Date(
        "Next Credit Review",
        company_dependent=True,
        copy=False,
        groups=CREDIT_READERS,
        help="Date on which the credit of this unit has to be looked at again.",
    )
    credit_change_reason = fields.Char(
        "Reason for the Change",
        store=False,
        groups=CREDIT_READERS,
        help="Kept with the change of the limit or the term that is saved together with it.",
    )
    credit_grant_ids = fields.One2many("sale.credit.grant", "unit_id", "Credit Grants", groups=CREDIT_READERS)
    credit_grant_count = fields.Integer(compute="_compute_credit_grant_count", groups=CREDIT_READERS)
    credit_effective_limit = fields.Monetary(
        "Effective Limit",
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=CREDIT_READERS,
        help="Credit limit of today: the permanent one and the grants that hold today.",
    )
    credit_exposure = fields.Monetary(
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=CREDIT_READERS,
        help="Open receivables, confirmed orders not yet invoiced and draft invoices of all members of the unit, in "
        "the company tree.",
    )
    credit_receivable = fields.Monetary(
        "Open Receivables", compute="_compute_credit_exposure", compute_sudo=True, groups=CREDIT_READERS
    )
    credit_uninvoiced = fields.Monetary(
        "Confirmed, not Invoiced", compute="_compute_credit_exposure", compute_sudo=True, groups=CREDIT_READERS
    )
    credit_draft_invoiced = fields.Monetary(
        "Draft Invoices", compute="_compute_credit_exposure", compute_sudo=True, groups=CREDIT_READERS
    )
    credit_available = fields.Monetary(
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=CREDIT_READERS,
        help="Credit limit less exposure. Without a limit there is nothing to compare with.",
    )
    credit_share = fields.Monetary(
        "Share of the Unit",
        compute="_compute_credit_exposure",
        compute_sudo=True,
        groups=CREDIT_READERS,
        help="What this customer alone has of the exposure of its unit.",
    )
    credit_usage = fields.Float(
        compute="_compute_credit_exposure", compute_sudo=True, groups=CREDIT_READERS, help="Exposure in % of the limit."
    )
    credit_overdue_days = fields.Integer(compute="_compute_credit_exposure", compute_sudo=True, groups=CREDIT_READERS)

    credit_unchecked_companies = fields.Char(
        "Credit Not Checked In",
        compute="_compute_credit_unchecked_companies",
        compute_sudo=True,
        groups=CREDIT_READERS,
        help="Companies of yours where orders of this customer are not checked: Sales Credit Limit is off there.",
    )

    # With the id: the members of a unit are read from the index alone, and in order.
    _credit_unit_idx = models.Index("(credit_unit_id, id) WHERE credit_unit_id IS NOT NULL")

    # ------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------

    @api.depends("commercial_partner_id.credit_unit_id")
    def _compute_credit_unit_id(self):
        """Contacts follow their company; a company has what somebody has set."""
        for partner in self:
            partner.credit_unit_id = partner.commercial_partner_id.credit_unit_id

    def _get_credit_unit(self):
        """Whoever carries the credit of these partners, in superuser mode."""
        # sudo: who carries whose credit counts for everybody; readers of the fields are limited by their groups
        partners = self.sudo()
        commercial = partners.commercial_partner_id
        return commercial.filtered(lambda partner: not partner.credit_unit_id) | commercial.credit_unit_id

    def _get_credit_members(self):
        """The customers whose credit these units carry, the units themselves among them, in superuser mode."""
        # sudo: who carries whose credit counts for everybody
        return self.sudo().filtered(lambda unit: not unit.credit_unit_id) | self.sudo().credit_member_ids

    @api.depends_context("uid")
    def _compute_credit_member_ids(self):
        # sudo: members of other companies count, archived ones as well; the field has its groups
        members = self.sudo().with_context(active_test=False).search([("credit_unit_id", "in", self.ids)])
        by_unit = members.filtered(lambda partner: partner.commercial_partner_id == partner).grouped("credit_unit_id")
        for partner in self:
            found = by_unit.get(partner.sudo()._origin, members.browse())
            partner.credit_member_count = len(found)
            # a form cannot show members that its user may not read, those of another branch for one
            partner.credit_member_ids = found if self.env.su else found.sudo(False)._filtered_access("read")

    def _compute_credit_grant_count(self):
        # sudo: the field has its groups; grants of other companies of the tree count here, too
        counts = dict(
            self.env["sale.credit.grant"].sudo()._read_group([("unit_id", "in", self.ids)], ["unit_id"], ["__count"])
        )
        for partner in self:
            partner.credit_grant_count = counts.get(partner.sudo()._origin, 0)

    @api.depends("company_id")
    @api.depends_context("uid")
    def _compute_credit_unchecked_companies(self):
        # a company's switch is its own: a new branch starts without it
        unchecked = self.env.user.company_ids.filtered(lambda company: not company.account_use_credit_limit)
        for partner in self:
            companies = unchecked & partner.company_id if partner.company_id else unchecked
            partner.credit_unchecked_companies = ", ".join(companies.mapped("name"))

    @api.depends(
        "credit_unit_id",
        "credit_limit",
        "credit_term_days",
        "credit_control",
        "credit_grant_ids",
        "commercial_partner_id",
    )
    @api.depends_context("company")
    def _compute_credit_exposure(self):
        company = self.env.company
        members = self._origin.commercial_partner_id
        standings = self.env["sale.credit.exposure"]._get_standings(self._origin.ids, company, member_ids=members.ids)
        for partner in self:
            standing = standings.get(partner._origin.id)
            if not standing:
                partner.update(dict.fromkeys(self._get_credit_figures(), 0))
                continue
            exposure, terms = standing.exposure, standing.terms
            decision = self.env["sale.order"]._make_credit_decision(company, standing.terms, exposure, 0.0)
            partner.credit_exposure = exposure.total
            partner.credit_receivable = exposure.receivable
            partner.credit_uninvoiced = exposure.uninvoiced
            partner.credit_draft_invoiced = exposure.draft_invoiced
            partner.credit_effective_limit = terms.limit
            partner.credit_available = terms.ceiling - exposure.total if terms.is_limited else 0.0
            partner.credit_usage = 100 * exposure.total / terms.ceiling if terms.ceiling else 0.0
            partner.credit_share = sum(exposure.members.get(partner._origin.commercial_partner_id.id, {}).values())
            partner.credit_overdue_days = decision.overdue_days

    @api.model
    def _get_credit_figures(self):
        return (
            "credit_exposure",
            "credit_effective_limit",
            "credit_receivable",
            "credit_uninvoiced",
            "credit_draft_invoiced",
            "credit_available",
            "credit_usage",
            "credit_share",
            "credit_overdue_days",
        )

    @api.model
    def _commercial_fields(self):
        return [*super()._commercial_fields(), *self._get_company_terms()]

    @api.model
    def _get_company_terms(self):
        """Return the fields of a unit that each company sets for itself, beside the limit."""
        return [
            "credit_term_days",
            "credit_control",
            "credit_term_basis",
            "credit_grace_days",
            "credit_tolerance",
            "credit_review_date",
        ]

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_amount, format_date, format_list

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
        help="The partner that carries this customer's credit, with its limit and its term. Blank: it carries its own.",
    )
    credit_member_ids = fields.Many2many(
        "res.partner",
        string="Credit Members",
        compute="_compute_credit_member_ids",
        context={"active_test": False},
        groups=CREDIT_READERS,
        help="The customers whose credit this partner carries, archived ones as well.",
    )
    credit_member_count = fields.Integer(compute="_compute_credit_member_ids", groups=CREDIT_READERS)
    credit_term_days = fields.Integer(
        "Credit Term",
        company_dependent=True,
        copy=False,
        groups=CREDIT_READERS,
        help="Days from the date of a document within which it has to be paid. Once one is older, no customer of the "
        "unit gets another order. Nought: not checked.",
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

    @api.depends("company_id")
    @api.depends_context("uid")
    def _compute_credit_unchecked_companies(self):
        # a company's switch is its own: a new branch starts without it
        unchecked = self.env.user.company_ids.filtered(lambda company: not company.account_use_credit_limit)
        for partner in self:
            companies = unchecked & partner.company_id if partner.company_id else unchecked
            partner.credit_unchecked_companies = ", ".join(companies.mapped("name"))

    @api.depends("credit_unit_id", "credit_limit", "credit_term_days", "commercial_partner_id")
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
            exposure, limit = standing.exposure, standing.terms.limit
            decision = self.env["sale.order"]._make_credit_decision(company, standing.terms, exposure, 0.0)
            partner.credit_exposure = exposure.total
            partner.credit_receivable = exposure.receivable
            partner.credit_uninvoiced = exposure.uninvoiced
            partner.credit_draft_invoiced = exposure.draft_invoiced
            partner.credit_available = limit - exposure.total if limit else 0.0
            partner.credit_usage = 100 * exposure.total / limit if limit else 0.0
            partner.credit_share = sum(exposure.members.get(partner._origin.commercial_partner_id.id, {}).values())
            partner.credit_overdue_days = decision.overdue_days

    @api.model
    def _get_credit_figures(self):
        return (
            "credit_exposure",
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
        return [*super()._commercial_fields(), "credit_term_days"]

    # ------------------------------------------------------------
    # One level
    # ------------------------------------------------------------

    @api.constrains("parent_id", "is_company", "commercial_partner_id")
    def _check_unit_is_company(self):
        """A unit stays a company of its own: as a contact it would take the limit and the unit of its company."""
        # sudo: a check does not depend on what the user may read
        for unit in self.sudo().filtered(lambda partner: partner.commercial_partner_id != partner):
            if unit.credit_member_ids:
                raise ValidationError(
                    self.env._(
                        "'%(unit)s' cannot become a contact of '%(company)s': it carries the credit of %(members)s. "
                        "Take its members out first.",
                        unit=unit.name,
                        company=unit.commercial_partner_id.name,
                        members=", ".join(unit.credit_member_ids[:5].mapped("name")),
                    )
                )

    @api.constrains("credit_unit_id")
    def _check_credit_unit(self):
        # sudo: a check does not depend on what the user may read
        for partner in self.sudo().filtered("credit_unit_id"):
            unit = partner.credit_unit_id
            if partner.commercial_partner_id != partner:
                if unit != partner.commercial_partner_id.credit_unit_id:
                    raise ValidationError(
                        self.env._(
                            "The credit of the contact '%(contact)s' is that of '%(company)s': set its unit there.",
                            contact=partner.name,
                            company=partner.commercial_partner_id.name,
                        )
                    )
                continue
            if unit.commercial_partner_id != unit or unit == partner or unit.credit_unit_id:
                raise ValidationError(
                    self.env._(
                        "'%(unit)s' cannot carry the credit of '%(partner)s': a unit is another company, and its own "
                        "credit is carried by nobody else.",
                        unit=unit.name,
                        partner=partner.name,
                    )
                )
            if partner.sudo().credit_member_ids:  # sudo: members of other companies count
                raise ValidationError(
                    self.env._(
                        "'%(partner)s' carries the credit of %(members)s: its own cannot be carried by '%(unit)s'. "
                        "Take its members out first.",
                        partner=partner.name,
                        members=", ".join(partner.credit_member_ids[:5].mapped("name")),
                        unit=unit.name,
                    )
                )

    # ------------------------------------------------------------
    # Merging
    # ------------------------------------------------------------

    def _get_merged_credit_unit(self, sources):
        """Return the unit that this partner is in once others are merged into it, blank if it carries its own credit.

        :raise UserError: when open documents would leave their unit, or a unit would become a member
        """
        self.ensure_one()
        own = self.credit_unit_id - sources
        left = {}
        for source in sources:
            # sudo: members of other companies count
            if source.sudo().credit_member_ids - self - sources and own:
                self._refuse_merging(source, source, own)
            unit = source.credit_unit_id
            if unit and unit not in (self | own | sources):
                left[source] = unit
        units = self.browse().concat(*left.values())
        if len(units | own) == 1 and not own and self._takes_credit_unit():
            return units
        for source, unit in left.items():
            if source._has_open_documents():
                self._refuse_merging(source, unit, own or self.commercial_partner_id)
        return own

    def _takes_credit_unit(self):
        """Check whether the partner may join a unit without losing anything: a company, no members, no terms."""
        return (
            self.commercial_partner_id == self
            and not self.sudo().credit_member_ids  # sudo: members of other companies count
            and self._get_granted_credit(self) == self._get_granted_credit(self.browse())
        )

    def _refuse_merging(self, source, unit, other):
        raise UserError(
            self.env._(
                "'%(merged)s' cannot be merged into '%(partner)s': its open documents count in the credit unit "
                "'%(unit)s' and would go to '%(other)s'. Give both the same credit unit first.",
                merged=source.name,
                partner=self.name,
                unit=unit.name,
                other=other.name,
            )
        )

    def _settle_merged_credit(self, unit):
        """Join the unit, and let the contacts that came along follow: merging writes past the fields."""
        self.credit_unit_id = unit
        family = self.with_context(active_test=False).search([("id", "child_of", self.ids)])
        self.env.add_to_compute(self._fields["credit_unit_id"], family - self)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_credit_unit(self):
        # sudo: a check does not depend on what the user may read
        for unit in self.sudo().filtered("credit_member_ids"):
            raise UserError(
                self.env._(
                    "'%(unit)s' carries the credit of %(members)s: take them out before deleting it.",
                    unit=unit.name,
                    members=", ".join(unit.credit_member_ids[:5].mapped("name")),
                )
            )

    # ------------------------------------------------------------
    # Who decides
    # ------------------------------------------------------------

    @api.model
    def _get_credit_fields(self):
        """Fields that only accountants and credit managers write."""
        return {"credit_unit_id", "credit_term_days", "credit_limit", "use_partner_credit_limit"}

    def _may_write_credit(self):
        return self.env.su or any(self.env.user.has_group(group) for group in CREDIT_WRITERS)

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        logged = set(self._get_logged_credit_fields())
        granted = [partner.id for partner, vals in zip(partners, vals_list, strict=True) if logged & vals.keys()]
        if granted:
            blank = self._get_granted_credit(self.browse())
            named = {name: blank[name] for name in logged}
            self._log_credit_changes(dict.fromkeys(self.browse(granted)._read_logged_credit(), named))
        if not self._may_write_credit():
            # sudo: fields that the user may not read are compared
            for partner in partners.sudo():
                partner._check_credit_untouched(
                    self._get_credit_fields(), self._get_granted_credit(partner.commercial_partner_id - partner)
                )
        return partners

    def write(self, vals):
        logged = vals.keys() & {*self._get_logged_credit_fields(), "parent_id", "is_company"}
        logs = self._read_logged_credit() if logged else {}
        before = self._read_guarded_credit(vals)
        result = super().write(vals)
        self._check_guarded_credit(vals, before)
        self._log_credit_changes(logs)
        return result

    def _read_guarded_credit(self, vals):
        """Return ``{partner: (what it is granted, its company)}`` where this write may change what the user may not."""
        moving = {"parent_id", "is_company", "commercial_partner_id"}
        if not vals.keys() & (self._get_credit_fields() | moving) or self._may_write_credit():
            return {}
        # sudo: fields that the user may not read are compared
        return {partner: (self._get_granted_credit(partner), partner.commercial_partner_id) for partner in self.sudo()}

    def _check_guarded_credit(self, vals, before):
        """:raise AccessError: when credit, or open documents, are not where they were"""
        guarded = self._get_credit_fields() & vals.keys()
        for partner, (granted, commercial) in before.items():
            if guarded and partner.commercial_partner_id == partner:
                partner._check_credit_untouched(guarded, granted)
            if partner.commercial_partner_id != commercial:
                partner._check_carries_no_credit(commercial, granted)

    def _get_granted_credit(self, partner):
        """``{field: value}`` of what a partner is granted, or of what anybody is, where there is none."""
        if partner:
            return {name: partner[name] for name in self._get_credit_fields()}
        # sudo: defaults that the user may not read are compared
        partners = self.sudo()
        defaults = {
            name: self._fields[name].get_company_dependent_fallback(partners)
            for name in ("credit_limit", "credit_term_days")
        }
        return defaults | {"use_partner_credit_limit": False, "credit_unit_id": self.env["res.partner"]}

    def _check_credit_untouched(self, names, granted):
        """:raise AccessError: when one of the fields is not what it was"""
        changed = [name for name in names if self[name] != granted[name] and (self[name] or granted[name])]
        if changed:
            raise AccessError(
                self.env._(
                    "%(fields)s of '%(partner)s' can only be set by an accountant or a credit manager.",
                    fields=format_list(
                        self.env, sorted(self._fields[name]._description_string(self.env) for name in changed)
                    ),
                    partner=self.name,
                )
            )

    def _check_carries_no_credit(self, former, granted):
        """A partner with something open does not go from one company's credit to another's by a salesperson's hand.

        :param former: the company that it belonged to
        :param dict granted: what it was granted itself
        :raise AccessError: when its orders or invoices would go along
        """
        carries = (
            self._has_open_documents()
            or self.sudo().credit_member_ids  # sudo: members of other companies count
            or (former == self and granted != self._get_granted_credit(self.browse()))
        )
        if carries:
            raise AccessError(
                self.env._(
                    "'%(partner)s' has open orders, invoices or a credit of its own: only an accountant or a credit "
                    "manager can move it from '%(former)s' to another company.",
                    partner=self.name,
                    former=former.name,
                )
            )

    def _has_open_documents(self):
        """Check whether these partners or their contacts have anything that uses credit. Superuser mode."""
        family = self.with_context(active_test=False).search([("id", "child_of", self.ids)])
        ordered = [("partner_id", "in", family.ids), ("partner_invoice_id", "in", family.ids)]
        documents = {
            "sale.order": ["|", *ordered, ("credit_uninvoiced", ">", 0)],
            "account.move.line": [
                ("partner_id", "in", family.ids),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("amount_residual", "!=", 0),
            ],
            "account.move": [
                ("partner_id", "in", family.ids),
                ("state", "=", "draft"),
                ("move_type", "in", ("out_invoice", "out_receipt")),
            ],
        }
        return any(self.env[model].search_count(domain, limit=1) for model, domain in documents.items())

    # ------------------------------------------------------------
    # Changes
    # ------------------------------------------------------------

    @api.model
    def _get_logged_credit_fields(self):
        """Fields whose changes are logged in any case, by an import as well."""
        return ["credit_unit_id", "credit_limit", "credit_term_days"]

    def _read_logged_credit(self):
        """Return ``{partner: {field: value}}`` of the companies among these partners, in superuser mode."""
        # sudo: fields that the user may not read are compared
        companies = self.sudo().filtered(lambda partner: partner.commercial_partner_id == partner)
        return {partner: {name: partner[name] for name in self._get_logged_credit_fields()} for partner in companies}

    def _log_credit_changes(self, before):
        """Log who changed what a unit is granted, and from what to what.

        Odoo's own tracking can be switched off, by an import for one, and does not say for which company.

        :param dict before: what :meth:`_read_logged_credit` said
        """
        Tracking = self.env["mail.tracking.value"]
        # sudo: the labels of fields that the user may not read
        infos = self.sudo().fields_get(self._get_logged_credit_fields())
        for partner, values in before.items():
            tracked = [
                fields.Command.create(
                    Tracking._create_tracking_values(value, partner[name], name, infos[name], partner)
                )
                for name, value in values.items()
                if partner[name] != value
            ]
            if tracked:
                body = self.env._("Credit changed for %s", self.env.company.name)
                partner._message_log(body=body, tracking_value_ids=tracked)

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

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

    def _get_open_items_domain(self, company, date_from, date_to):
        """Return the domain of the open items of the unit that a customer owes, by their date.

        :param date_from: the first date, or None
        :param date_to: the date after the last one
        """
        self.ensure_one()

        def dated(operator, day):
            on_entry = ["&", ("invoice_date", "=", False), ("date", operator, day)]
            return ["|", ("invoice_date", operator, day), *on_entry]

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

    def action_view_credit_checks(self):
        """The decisions on the credit of this unit."""
        self.ensure_one()
        return self.env["sale.credit.check"]._view_decisions_on(self, [("unit_id", "in", self._get_credit_unit().ids)])

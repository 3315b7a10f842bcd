from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import format_list

from .res_partner_credit import CREDIT_WRITERS


class ResPartner(models.Model):
    """Let accountants and credit managers decide on credit, however it is written, and log what they decide."""

    _inherit = "res.partner"

    # ------------------------------------------------------------
    # Who decides
    # ------------------------------------------------------------

    @api.model
    def _get_credit_fields(self):
        """Fields that only accountants and credit managers write."""
        return {"credit_unit_id", "credit_limit", "use_partner_credit_limit", *self._get_company_terms()}

    def _may_write_credit(self):
        return self.env.su or any(self.env.user.has_group(group) for group in CREDIT_WRITERS)

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        if any(vals.get("credit_control") == "stop" for vals in vals_list):
            self.env.registry.clear_cache()
        logged = set(self._get_logged_credit_fields())
        granted = [partner.id for partner, vals in zip(partners, vals_list, strict=True) if logged & vals.keys()]
        if granted:
            blank = self._get_granted_credit(self.browse())
            named = {name: blank[name] for name in logged}
            before = dict.fromkeys(self.browse(granted)._read_logged_credit(), named)
            reasons = {
                partner: vals.get("credit_change_reason") for partner, vals in zip(partners, vals_list, strict=True)
            }
            self._log_credit_changes(before, reasons)
        if not self._may_write_credit():
            # sudo: fields that the user may not read are compared
            for partner in partners.sudo():
                partner._check_credit_untouched(
                    self._get_credit_fields(), self._get_granted_credit(partner.commercial_partner_id - partner)
                )
        return partners

    def unlink(self):
        self.env["sales.ledger.seal"]._remove_with(self)
        return super().unlink()

    def write(self, vals):
        logged = vals.keys() & {*self._get_logged_credit_fields(), "parent_id", "is_company"}
        logs = self._read_logged_credit() if logged else {}
        before = self._read_guarded_credit(vals)
        result = super().write(vals)
        if "credit_control" in vals:
            self.env.registry.clear_cache()
        self._check_guarded_credit(vals, before)
        self._log_credit_changes(logs, dict.fromkeys(logs, vals.get("credit_change_reason")))
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
            for name in ("credit_limit", *self._get_company_terms())
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
        return ["credit_unit_id", "credit_limit", *self._get_company_terms()]

    def _read_logged_credit(self):
        """Return ``{partner: {field: value}}`` of the companies among these partners, in superuser mode."""
        # sudo: fields that the user may not read are compared
        companies = self.sudo().filtered(lambda partner: partner.commercial_partner_id == partner)
        return {partner: {name: partner[name] for name in self._get_logged_credit_fields()} for partner in companies}

    def _log_credit_changes(self, before, reasons):
        """Log who changed what a unit is granted, and from what to what.

        Odoo's own tracking can be switched off, by an import for one, and does not say for which company.

        :param dict before: what :meth:`_read_logged_credit` said
        :param dict reasons: ``{partner: why}``
        """
        self.env["sale.credit.grant"]._log_permanent_changes(before, reasons)
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
                partner._recheck_credit_holds()

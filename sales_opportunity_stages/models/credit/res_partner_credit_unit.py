from odoo import api, models
from odoo.exceptions import UserError, ValidationError


class ResPartner(models.Model):
    """Who may carry whose credit: one level, and what merging partners does to it."""

    _inherit = "res.partner"

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
                        "'%(unit)s' cannot become a contact of '%(company)s': it is the credit unit "
                        "of %(members)s. Remove its members first.",
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
                        "'%(unit)s' cannot be the credit unit of '%(partner)s'. A credit unit is "
                        "another company that is not a member of a unit itself.",
                        unit=unit.name,
                        partner=partner.name,
                    )
                )
            if partner.sudo().credit_member_ids:  # sudo: members of other companies count
                raise ValidationError(
                    self.env._(
                        "'%(partner)s' is the credit unit of %(members)s and cannot be a member of "
                        "'%(unit)s'. Remove its members first.",
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
                    "'%(unit)s' is the credit unit of %(members)s. Remove them before you delete it.",
                    unit=unit.name,
                    members=", ".join(unit.credit_member_ids[:5].mapped("name")),
                )
            )

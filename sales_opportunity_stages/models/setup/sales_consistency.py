from odoo import api, models
from odoo.tools import SQL


class SalesConsistency(models.AbstractModel):
    """What must hold in a database whatever happened to it, asked of all of it at once.

    For an administrator, after a crash or a restored backup::

        odoo-bin --addons-path=ADDONS check_sales -c odoo.conf -d DATABASE

    Nothing is changed. Whatever it finds is a defect: of this add-on, or of something that wrote past Odoo.
    """

    _name = "sales.consistency"
    _description = "Consistency of Sales"

    @api.private
    def get_findings(self):
        """What does not hold: ``(sentence, model, id)`` each. Superuser mode.

        It reads what is stored, so the transaction is flushed first.
        """
        self.env.flush_all()
        for sentence, (model, query) in self._get_checks().items():
            for (record_id,) in self.env.execute_query(query):
                yield sentence, model, record_id
        yield from self.env["sale.credit.recount"]._find_differences()
        yield from self.env["sales.ledger.seal"]._find_broken()

    @api.model
    def _get_checks(self) -> dict[str, tuple[str, SQL]]:
        """``{sentence: (model, query of the ids for which it is true)}``. Extend it by what must never be found."""
        return {
            **self._get_opportunity_checks(),
            **self._get_stay_checks(),
            **self._get_order_checks(),
            **self._get_credit_checks(),
        }

    @api.model
    def _get_opportunity_checks(self):
        """Where an opportunity stands, and what its stays say of it."""
        return {
            "is open, and its open stay is not in the stage where it stands": (
                "crm.lead",
                SQL(
                    """
                    SELECT lead.id
                      FROM crm_lead lead
                 LEFT JOIN crm_stage_visit visit ON visit.lead_id = lead.id AND visit.date_end IS NULL
                     WHERE lead.type = 'opportunity' AND lead.won_status = 'pending' AND lead.stage_id IS NOT NULL
                       AND (visit.stage_id IS DISTINCT FROM lead.stage_id
                            OR visit.opportunity_type_id IS DISTINCT FROM lead.opportunity_type_id)
                    """
                ),
            ),
            "is won, lost or a lead, and has an open stay": (
                "crm.lead",
                SQL(
                    """
                    SELECT lead.id
                      FROM crm_lead lead
                      JOIN crm_stage_visit visit ON visit.lead_id = lead.id AND visit.date_end IS NULL
                     WHERE lead.type <> 'opportunity' OR lead.won_status <> 'pending'
                    """
                ),
            ),
            "is won or lost, and its last stay ended otherwise": (
                "crm.lead",
                SQL(
                    """
                    SELECT lead.id
                      FROM crm_lead lead
                      JOIN (SELECT DISTINCT ON (lead_id) lead_id, outcome
                              FROM crm_stage_visit
                             ORDER BY lead_id, id DESC) last ON last.lead_id = lead.id
                     WHERE lead.type = 'opportunity' AND lead.won_status <> 'pending'
                       AND last.outcome <> lead.won_status
                    """
                ),
            ),
            "has come further than is written down, or not so far": (
                "crm.lead",
                SQL(
                    """
                    SELECT lead.id
                      FROM crm_lead lead
                      JOIN (%s) furthest ON furthest.id = lead.id
                     WHERE lead.type = 'opportunity'
                       AND lead.furthest_stage_id IS DISTINCT FROM furthest.stage_id
                    """,
                    self.env["crm.lead"]._select_furthest_stages(),
                ),
            ),
        }

    @api.model
    def _get_stay_checks(self):
        return {
            "overlaps the stay before it, or ends before it starts": (
                "crm.stage.visit",
                SQL(
                    """
                    SELECT id
                      FROM (SELECT id, date_start, date_end, ROW_NUMBER() OVER stays AS number,
                                   LAG(COALESCE(date_end, 'infinity')) OVER stays AS earlier
                              FROM crm_stage_visit
                            WINDOW stays AS (PARTITION BY lead_id ORDER BY id)) visit
                     WHERE date_end < date_start OR (number > 1 AND date_start < earlier)
                    """
                ),
            ),
        }

    @api.model
    def _get_order_checks(self):
        return {
            "is closed and confirmed": (
                "sale.order",
                SQL("SELECT id FROM sale_order WHERE approval_state = 'closed' AND state = 'sale'"),
            ),
            "is approved by nobody": (
                "sale.order",
                SQL("SELECT id FROM sale_order WHERE approval_state = 'approved' AND approved_by_id IS NULL"),
            ),
        }

    @api.model
    def _get_credit_checks(self):
        return {
            "has its credit carried by a partner that cannot carry it": (
                "res.partner",
                SQL(
                    """
                    SELECT member.id
                      FROM res_partner member
                      JOIN res_partner unit ON unit.id = member.credit_unit_id
                     WHERE unit.credit_unit_id IS NOT NULL
                        OR unit.commercial_partner_id <> unit.id
                        OR unit.id = member.commercial_partner_id
                    """
                ),
            ),
            "is a contact whose credit is not that of its company": (
                "res.partner",
                SQL(
                    """
                    SELECT contact.id
                      FROM res_partner contact
                      JOIN res_partner company ON company.id = contact.commercial_partner_id
                     WHERE contact.id <> company.id
                       AND contact.credit_unit_id IS DISTINCT FROM company.credit_unit_id
                    """
                ),
            ),
            "is not confirmed and uses credit": (
                "sale.order",
                SQL("SELECT id FROM sale_order WHERE state <> 'sale' AND credit_uninvoiced <> 0"),
            ),
        }

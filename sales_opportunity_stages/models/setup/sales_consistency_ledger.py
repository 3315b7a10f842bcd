from odoo import api, models
from odoo.tools import SQL


class SalesConsistency(models.AbstractModel):
    """The change ledger agrees with the opportunities, and with itself."""

    _inherit = "sales.consistency"

    @api.model
    def _get_checks(self):
        return {
            **super()._get_checks(),
            "has a change that begins with another value than the one before it has left": (
                "crm.lead",
                SQL(
                    """
                    SELECT DISTINCT lead_id
                      FROM (SELECT lead_id, old_amount, old_date, old_record_id,
                                   LAG(id) OVER chain AS previous_id, LAG(new_amount) OVER chain AS left_amount,
                                   LAG(new_date) OVER chain AS left_date,
                                   LAG(new_record_id) OVER chain AS left_record_id
                              FROM crm_lead_change
                            WINDOW chain AS (PARTITION BY lead_id, field_name ORDER BY id)) change
                     WHERE previous_id IS NOT NULL
                       AND (old_amount, old_date, old_record_id)
                           IS DISTINCT FROM (left_amount, left_date, left_record_id)
                    """
                ),
            ),
            "has another amount, expected closing or stage than its last change has left": (
                "crm.lead",
                SQL(
                    """
                    SELECT DISTINCT lead.id
                      FROM crm_lead lead
                      JOIN (SELECT DISTINCT ON (lead_id, field_name) lead_id, field_name, new_amount, new_date,
                                   new_record_id
                              FROM crm_lead_change
                             ORDER BY lead_id, field_name, id DESC) change ON change.lead_id = lead.id
                     WHERE field_name = 'expected_revenue'
                           AND new_amount <> ROUND(COALESCE(lead.expected_revenue, 0), 4)
                        OR field_name = 'date_deadline' AND new_date IS DISTINCT FROM lead.date_deadline
                        OR field_name = 'stage_id' AND new_record_id IS DISTINCT FROM lead.stage_id
                    """
                ),
            ),
        }

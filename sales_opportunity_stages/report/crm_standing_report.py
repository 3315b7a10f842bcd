from odoo import fields, models
from odoo.tools import SQL


class CrmStandingReport(models.Model):
    """The value that stands still: one row for each open opportunity.

    Working days are Monday to Friday here; the reminders use the calendar of the company, with its holidays.
    """

    _name = "crm.standing.report"
    _description = "Standing Still Analysis"
    _inherit = ["crm.lead.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "days_standing desc, id desc"
    _depends = {
        "crm.lead": ["expected_revenue", "snooze_until", "stage_id"],
        "crm.stage": ["escalate_days", "rotting_threshold_days"],
        "crm.stage.visit": ["date_end", "date_start", "lead_id"],
    }

    stage_id = fields.Many2one("crm.stage", readonly=True)
    date_start = fields.Datetime("Entered", readonly=True)
    status = fields.Selection(
        [
            ("moving", "Within Threshold"),
            ("standing", "Standing Still"),
            ("escalated", "Escalated"),
            ("snoozed", "Snoozed"),
        ],
        readonly=True,
        help="Standing still: longer in the stage than its threshold. Escalated: longer than its second threshold.",
    )
    opportunity_count = fields.Integer("Opportunities", readonly=True)
    standing_count = fields.Integer("Standing Still", readonly=True)
    expected_revenue = fields.Monetary(readonly=True, currency_field="currency_id")
    standing_revenue = fields.Monetary(
        "Revenue Standing Still", readonly=True, currency_field="currency_id", help="Of those past the threshold."
    )
    days_standing = fields.Float(
        "Working Days in Stage", digits=(16, 1), readonly=True, aggregator="avg", help="Monday to Friday."
    )

    def _select_columns(self):
        status = self._get_status()
        stands = SQL("(%s IN ('standing', 'escalated'))", status)
        return {
            **super()._select_columns(),
            "stage_id": SQL("lead.stage_id"),
            "date_start": SQL("visit.date_start"),
            "status": status,
            "opportunity_count": SQL("1"),
            "standing_count": SQL("%s::int", stands),
            "expected_revenue": SQL("lead.expected_revenue"),
            "standing_revenue": SQL("CASE WHEN %s THEN lead.expected_revenue ELSE 0 END", stands),
            "days_standing": SQL("visit.days"),
        }

    def _get_status(self) -> SQL:
        return SQL(
            """
            CASE WHEN lead.snooze_until > %(today)s THEN 'snoozed'
                 WHEN stage.escalate_days > 0 AND visit.days >= stage.escalate_days THEN 'escalated'
                 WHEN stage.rotting_threshold_days > 0 AND visit.days >= stage.rotting_threshold_days THEN 'standing'
                 ELSE 'moving' END
            """,
            today=fields.Date.context_today(self),
        )

    def _from(self):
        return SQL(
            """
            %s
            JOIN (SELECT lead_id, date_start,
                         (SELECT COUNT(*)
                            FROM GENERATE_SERIES(date_start::date + 1, %s::date, INTERVAL '1 day') day
                           WHERE EXTRACT(ISODOW FROM day) < 6) AS days
                    FROM crm_stage_visit
                   WHERE date_end IS NULL) visit ON visit.lead_id = lead.id
            JOIN crm_stage stage ON stage.id = lead.stage_id
            """,
            super()._from(),
            fields.Date.context_today(self),
        )

    def _where(self):
        return SQL("%s AND lead.won_status = 'pending' AND lead.active", super()._where())

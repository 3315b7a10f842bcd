from odoo import api, fields, models
from odoo.tools import SQL


class SaleApprovalReport(models.Model):
    """Decisions on approvals: how long each took, by level and person, and what was refused for which reason.

    One row for each step that was decided, and for each that waits: its hours count up to now.
    """

    _name = "sale.approval.report"
    _description = "Approval Analysis"
    _auto = False
    _order = "requested_date desc"
    _rec_name = "order_id"
    _depends = {
        "sale.order": ["user_id", "team_id", "partner_id"],
        "sale.order.approval": [
            "order_id",
            "company_id",
            "rule_id",
            "level",
            "state",
            "requested_date",
            "requested_by_id",
            "decided_by_id",
            "on_behalf_of_id",
            "decided_date",
            "reason",
        ],
    }

    order_id = fields.Many2one("sale.order", "Quotation", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    user_id = fields.Many2one("res.users", "Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", "Sales Team", readonly=True)
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True)
    rule_id = fields.Many2one("sale.approval.rule", readonly=True)
    level = fields.Integer(readonly=True, aggregator=None)
    state = fields.Selection(
        [
            ("requested", "Requested"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("returned", "Returned for Change"),
            ("withdrawn", "Withdrawn"),
            ("lapsed", "Lapsed"),
        ],
        "Decision",
        readonly=True,
    )
    requested_date = fields.Datetime("Requested On", readonly=True)
    requested_by_id = fields.Many2one("res.users", readonly=True)
    decided_date = fields.Datetime("Decided On", readonly=True)
    decided_by_id = fields.Many2one("res.users", readonly=True)
    on_behalf_of_id = fields.Many2one("res.users", readonly=True)
    reason = fields.Char(readonly=True, help="The first line of the reason.")
    hours_to_decide = fields.Float("Hours to Decide", readonly=True, aggregator="avg")
    step_count = fields.Integer("Steps", readonly=True)
    refused_count = fields.Integer("Refused Steps", readonly=True)

    @property
    def _table_query(self):
        return self._select_steps()

    @api.model
    def _select_steps(self):
        return SQL(
            """
            SELECT step.id,
                   step.order_id,
                   step.company_id,
                   o.user_id,
                   o.team_id,
                   o.partner_id,
                   step.rule_id,
                   step.level,
                   step.state,
                   step.requested_date,
                   step.requested_by_id,
                   step.decided_date,
                   step.decided_by_id,
                   step.on_behalf_of_id,
                   SPLIT_PART(step.reason, E'\n', 1) AS reason,
                   EXTRACT(EPOCH FROM COALESCE(step.decided_date, NOW() AT TIME ZONE 'UTC') - step.requested_date)
                       / 3600 AS hours_to_decide,
                   1 AS step_count,
                   (step.state = 'refused')::int AS refused_count
              FROM sale_order_approval step
              JOIN sale_order o ON o.id = step.order_id
             WHERE step.requested_date IS NOT NULL
               AND (step.decided_by_id IS NOT NULL OR step.state = 'requested')
            """
        )

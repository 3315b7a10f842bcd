from odoo import fields, models
from odoo.tools import SQL

MOST_RULES = 65536


class CrmRuleReport(models.Model):
    """Whether a rule pays: one row for each opportunity that has left the stage of a rule, and each rule of the stage.

    Whether the opportunity meets the rule is asked now: an action that was done stays done, and what is closed changes
    little. A comparison of those that met a rule with the others is no experiment: other things differ too.
    """

    _name = "crm.rule.report"
    _description = "Rule Analysis"
    _inherit = ["crm.lead.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "id desc"
    _depends = {
        "crm.stage.visit": ["date_end", "duration_days", "lead_id", "outcome", "stage_id", "trigger"],
        "crm.stage.rule": ["kind", "required", "stage_id"],
    }

    rule_id = fields.Many2one("crm.stage.rule", readonly=True)
    stage_id = fields.Many2one("crm.stage", readonly=True)
    kind = fields.Selection(selection=lambda self: self.env["crm.stage.rule"]._fields["kind"].selection, readonly=True)
    is_required = fields.Boolean("Required", readonly=True)
    is_met = fields.Boolean("Met", readonly=True)
    opportunity_count = fields.Integer("Opportunities", readonly=True, help="That have left the stage of the rule.")
    moved_count = fields.Integer("Moved On", readonly=True)
    met_count = fields.Integer("Met Before Moving", readonly=True)
    forced_count = fields.Integer("Forced", readonly=True, help="Moved on by an override of the stage rules.")
    lost_count = fields.Integer("Lost", readonly=True, help="Lost in the stage of the rule.")
    missing_at_loss_count = fields.Integer("Missing at Loss", readonly=True)
    closed_met_count = fields.Integer(
        "Closed, Met", readonly=True, help="Sample of the win rate and days with the rule."
    )
    closed_unmet_count = fields.Integer(
        "Closed, Not Met", readonly=True, help="Sample of the win rate and days without the rule."
    )
    won_rate_met = fields.Float(
        "Win Rate, Met", readonly=True, aggregator="avg", help="Won / (Won + Lost) of those that met the rule."
    )
    won_rate_unmet = fields.Float(
        "Win Rate, Not Met", readonly=True, aggregator="avg", help="Won / (Won + Lost) of those that did not."
    )
    days_met = fields.Float("Days, Met", digits=(16, 1), readonly=True, aggregator="avg", help="Days in the stage.")
    days_unmet = fields.Float(
        "Days, Not Met", digits=(16, 1), readonly=True, aggregator="avg", help="Days in the stage."
    )

    def _select_columns(self):
        met, moved = SQL("(met.rule_id IS NOT NULL)"), SQL("(stay.outcome IN ('advanced', 'won'))")
        lost, closed = SQL("(stay.outcome = 'lost')"), SQL("(lead.won_status IN ('won', 'lost'))")
        forced = SQL("(stay.next_trigger = 'forced')")
        won = SQL("(lead.won_status = 'won')::int")
        return {
            **super()._select_columns(),
            "id": SQL("stay.id::bigint * %s + rule.id", MOST_RULES),
            "rule_id": SQL("rule.id"),
            "stage_id": SQL("rule.stage_id"),
            "kind": SQL("rule.kind"),
            "is_required": SQL("rule.required"),
            "is_met": met,
            "opportunity_count": SQL("1"),
            "moved_count": SQL("%s::int", moved),
            "met_count": SQL("(%s AND %s)::int", moved, met),
            "forced_count": SQL("COALESCE(%s AND %s, FALSE)::int", moved, forced),
            "lost_count": SQL("%s::int", lost),
            "missing_at_loss_count": SQL("(%s AND NOT %s)::int", lost, met),
            "closed_met_count": SQL("(%s AND %s)::int", closed, met),
            "closed_unmet_count": SQL("(%s AND NOT %s)::int", closed, met),
            "won_rate_met": SQL("CASE WHEN %s AND %s THEN %s END", closed, met, won),
            "won_rate_unmet": SQL("CASE WHEN %s AND NOT %s THEN %s END", closed, met, won),
            "days_met": SQL("CASE WHEN %s THEN stay.days END", met),
            "days_unmet": SQL("CASE WHEN NOT %s THEN stay.days END", met),
        }

    def _from(self):
        return SQL(
            """
            %s
            JOIN (%s) stay ON stay.lead_id = lead.id
            JOIN crm_stage_rule rule ON rule.stage_id = stay.stage_id
            LEFT JOIN (%s) met ON met.lead_id = lead.id AND met.rule_id = rule.id
            """,
            super()._from(),
            self._get_stays(),
            self._get_met(),
        )

    def _get_stays(self) -> SQL:
        """The last ended visit of an opportunity in each stage, with what brought it on from there and all its days."""
        return SQL(
            """
            SELECT DISTINCT ON (lead_id, stage_id) *
              FROM (SELECT id, lead_id, stage_id, outcome, date_end,
                           LEAD("trigger") OVER (PARTITION BY lead_id ORDER BY id) AS next_trigger,
                           SUM(duration_days) OVER (PARTITION BY lead_id, stage_id) AS days
                      FROM crm_stage_visit) visit
             WHERE date_end IS NOT NULL AND stage_id IS NOT NULL
             ORDER BY lead_id, stage_id, id DESC
            """
        )

    def _get_met(self) -> SQL:
        """The rules that each opportunity meets, whoever asks."""
        # sudo: a rule does not depend on what the user may read; the rows are those of the user
        Lead = self.env["crm.lead"].sudo().with_context(active_test=False)
        Rule = self.env["crm.stage.rule"].sudo()
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        queries = {rule.id: Lead._search(Rule._get_met_domain(rule)) for rule in stage_map.rules_by_id.values()}
        selects = [
            query.select(
                SQL("%s AS lead_id", SQL.identifier(query.table, "id")),
                SQL("%s::int AS rule_id", rule_id),
            )
            for rule_id, query in queries.items()
        ]
        return SQL(" UNION ALL ").join(selects) if selects else SQL("SELECT 0 AS lead_id, 0 AS rule_id WHERE FALSE")

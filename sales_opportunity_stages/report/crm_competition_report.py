from odoo import fields, models
from odoo.tools import SQL


class CrmCompetitionReport(models.Model):
    """Against whom, and with which products, opportunities are won and lost.

    One row for each opportunity, competitor in it (also the one it was lost to) and category of its product lines. What
    counts opportunities counts each once in any group; revenue is that of the category's lines, or of the opportunity
    where it has none, and counts for each competitor.
    """

    _name = "crm.competition.report"
    _description = "Win/Loss Analysis"
    _inherit = ["crm.lead.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "date_deadline desc, id desc"
    _depends = {
        "crm.lead": ["expected_revenue", "lost_reason_id", "lost_to_id"],
        "crm.opportunity.competitor": ["lead_id", "partner_id"],
        "crm.opportunity.line": ["lead_id", "price_subtotal", "product_id"],
        "product.product": ["product_tmpl_id"],
        "product.template": ["categ_id"],
    }

    competitor_id = fields.Many2one("res.partner", readonly=True)
    category_id = fields.Many2one("product.category", "Category of Products", readonly=True)
    lost_reason_id = fields.Many2one("crm.lost.reason", readonly=True)
    opportunity_count = fields.Integer(
        "Opportunities",
        readonly=True,
        help="Each opportunity is counted once in a group, with any number of competitors and products.",
    )
    open_count = fields.Integer("Open", readonly=True, help="Each is counted once in any group.")
    won_count = fields.Integer("Won", readonly=True, help="Each is counted once in any group.")
    lost_count = fields.Integer("Lost", readonly=True, help="To whomever. Each is counted once in any group.")
    lost_to_count = fields.Integer(
        "Lost to Competitor", readonly=True, help="Lost to this very competitor. Each is counted once in any group."
    )
    win_rate = fields.Float(
        readonly=True, aggregator="avg", help="Won / (Won + Lost). Each opportunity is counted once in any group."
    )
    revenue = fields.Monetary(
        readonly=True,
        help="What is quoted for products of the category, or expected of an opportunity without product lines. Counts "
        "for each competitor of the opportunity.",
    )

    # ------------------------------------------------------------
    # Query
    # ------------------------------------------------------------

    def _select_columns(self):
        won, lost = SQL("lead.won_status = 'won'"), SQL("lead.won_status = 'lost'")
        return {
            **super()._select_columns(),
            "id": SQL("ROW_NUMBER() OVER (ORDER BY lead.id, competitor.partner_id, category.id)"),
            "competitor_id": SQL("competitor.partner_id"),
            "category_id": SQL("category.id"),
            "lost_reason_id": SQL("lead.lost_reason_id"),
            "opportunity_count": SQL("1"),
            "open_count": SQL("(lead.won_status = 'pending')::int"),
            "won_count": SQL("(%s)::int", won),
            "lost_count": SQL("(%s)::int", lost),
            "lost_to_count": SQL("(%s AND lead.lost_to_id = competitor.partner_id)::int", lost),
            "win_rate": SQL("CASE WHEN %s THEN 1 WHEN %s THEN 0 END", won, lost),
            "revenue": SQL("COALESCE(category.revenue, lead.expected_revenue)"),
        }

    def _from(self):
        return SQL(
            """
            %s
            JOIN (SELECT lead_id, partner_id FROM crm_opportunity_competitor
                   UNION
                  SELECT id, lost_to_id FROM crm_lead WHERE lost_to_id IS NOT NULL) competitor
              ON competitor.lead_id = lead.id
            LEFT JOIN (SELECT line.lead_id, template.categ_id AS id, SUM(line.price_subtotal) AS revenue
                         FROM crm_opportunity_line line
                         JOIN product_product product ON product.id = line.product_id
                         JOIN product_template template ON template.id = product.product_tmpl_id
                        GROUP BY line.lead_id, template.categ_id) category
              ON category.lead_id = lead.id
            """,
            super()._from(),
        )

    # ------------------------------------------------------------
    # Aggregates
    # ------------------------------------------------------------

    def _get_aggregates(self):
        counts = {
            name: self._count_opportunities(name)
            for name in ("opportunity_count", "open_count", "won_count", "lost_count", "lost_to_count")
        }
        won, lost = counts["won_count"], counts["lost_count"]
        return {
            **super()._get_aggregates(),
            **counts,
            "win_rate": SQL("(%s)::float / NULLIF(%s + %s, 0)", won, won, lost),
        }

    def _count_opportunities(self, name) -> SQL:
        """Number of different opportunities in the group where the measure is 1."""
        return SQL("COUNT(DISTINCT %s) FILTER (WHERE %s = 1)", self._column("lead_id"), self._column(name))

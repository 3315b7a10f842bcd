from odoo import api, fields, models
from odoo.fields import Domain

from ...tools import learned_probability


class CrmOpportunityType(models.Model):
    """What a type learns from its closed opportunities: the probability of each of its stages."""

    _inherit = "crm.opportunity.type"

    learned_probability_ids = fields.One2many(
        "crm.stage.learned.probability",
        "opportunity_type_id",
        "Learned Probabilities",
        readonly=True,
        copy=False,
        groups="sales_team.group_sale_salesman",
    )
    learned_sample_size = fields.Integer(
        "Closed Opportunities", compute="_compute_learned", groups="sales_team.group_sale_salesman"
    )
    learned_date = fields.Datetime("Learned On", compute="_compute_learned", groups="sales_team.group_sale_salesman")
    smallest_sample = fields.Integer(compute="_compute_smallest_sample")

    @api.depends("learned_probability_ids.sample_size", "learned_probability_ids.date_learned")
    def _compute_learned(self):
        """All that were closed have reached the first stage, so the largest sample is that of the type."""
        for opportunity_type in self:
            learned = opportunity_type.learned_probability_ids
            opportunity_type.learned_sample_size = max(learned.mapped("sample_size"), default=0)
            opportunity_type.learned_date = max(learned.mapped("date_learned"), default=False)

    def _compute_smallest_sample(self):
        self.smallest_sample = self._get_smallest_sample()

    @api.model
    def _get_smallest_sample(self):
        """Closed opportunities that a type needs before what it learned counts; with fewer its stages' own figures do.

        Override it for another threshold.
        """
        return learned_probability.SMALLEST_SAMPLE

    # ------------------------------------------------------------
    # Learning
    # ------------------------------------------------------------

    def action_learn_probabilities(self):
        """Learn anew from what has been closed up to now.

        :raise AccessError: for who may not change the type
        """
        self.check_access("write")
        # sudo: it learns from everybody's opportunities, in rows that the system writes; access is checked above
        self.sudo()._learn_probabilities()

    @api.model
    def _cron_learn_probabilities(self):
        # sudo: all types, of all companies
        self.sudo().with_context(active_test=False).search(Domain.TRUE)._learn_probabilities()

    def _learn_probabilities(self):
        """Learn the probabilities of the stages of these types, from all companies that use them.

        What is open keeps its probability until it enters a stage.
        """
        outcomes, funnels = self._count_outcomes(), self._get_stage_map().funnels()
        vals_list = [
            vals
            for opportunity_type in self
            for vals in opportunity_type._prepare_learned_probabilities(funnels[opportunity_type.id], outcomes)
        ]
        Learned = self.env["crm.stage.learned.probability"]._as_ledger()
        Learned.search([("opportunity_type_id", "in", self.ids)]).unlink()
        Learned.create(vals_list)
        self.env.registry.clear_cache()

    def _count_outcomes(self):
        """How many opportunities that reached a stage were won and lost: the funnel's figures, by its definitions.

        :returns: ``{(type id, stage id, "won" or "lost"): number}``
        """
        # sudo: everybody's opportunities count; only numbers come of it
        rows = (
            self.env["crm.funnel.report"]
            .sudo()
            ._read_group(
                [("opportunity_type_id", "in", self.ids), ("won_status", "in", ["won", "lost"])],
                ["opportunity_type_id", "stage_id", "won_status"],
                ["reached:sum"],
            )
        )
        return {(type_.id, stage.id, status): number for type_, stage, status, number in rows}

    def _prepare_learned_probabilities(self, stage_ids, outcomes):
        """Values of what is learned of each stage. A won one needs nothing learned.

        :param stage_ids: ids of the stages of the type, in order
        :param dict outcomes: :meth:`_count_outcomes`
        """
        self.ensure_one()
        counts = [tuple(outcomes.get((self.id, stage_id, s), 0) for s in ("won", "lost")) for stage_id in stage_ids]
        stages, now = self._get_stage_map().stages, fields.Datetime.now()
        return [
            {
                "opportunity_type_id": self.id,
                "stage_id": stage_id,
                "probability": learned_probability.to_percent(learned.probability),
                "probability_low": 100 * learned.low,
                "probability_high": 100 * learned.high,
                "won_count": learned.won,
                "sample_size": learned.sample_size,
                "date_learned": now,
            }
            for stage_id, learned in zip(stage_ids, learned_probability.learn(counts), strict=False)
            if not stages[stage_id].is_won
        ]

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    def write(self, vals):
        """A type that is to learn does so at once."""
        result = super().write(vals)
        if vals.get("probability_mode") == "learned":
            # sudo: as action_learn_probabilities, after the write has checked access
            self.sudo()._learn_probabilities()
        return result

    @api.readonly
    def web_read(self, specification):
        """Let the stages in the form of a type show what was learned for that type: see ``crm.stage``."""
        stages = specification.get("stage_ids") or {}
        if len(self) == 1 and "fields" in stages:
            context = {**stages.get("context", {}), "learned_type_id": self.id}
            specification = {**specification, "stage_ids": {**stages, "context": context}}
        return super().web_read(specification)

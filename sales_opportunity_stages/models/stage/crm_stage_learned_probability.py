from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain


class CrmStageLearnedProbability(models.Model):
    """What the history of a type teaches of one of its stages: how likely an opportunity that comes there is won.

    Of all opportunities of the type, whoever has them. Written by the system alone, every night and when a Sales
    Administrator asks for it; see :meth:`crm.opportunity.type._learn_probabilities`.
    """

    _name = "crm.stage.learned.probability"
    _description = "Learned Probability"
    _inherit = ["sales.ledger.mixin"]
    _order = "opportunity_type_id, id"
    _rec_name = "stage_id"

    opportunity_type_id = fields.Many2one("crm.opportunity.type", required=True, readonly=True, ondelete="cascade")
    stage_id = fields.Many2one("crm.stage", required=True, readonly=True, index=True, ondelete="cascade")
    probability = fields.Float(
        "Learned Probability",
        readonly=True,
        help="(won + 4 × win rate of the type) / (closed + 4), in percent. Counted are opportunities "
        "of the type that reached the stage. With few of them the result is close to the win "
        "rate of the type.",
    )
    probability_low = fields.Float("Lowest", readonly=True)
    probability_high = fields.Float("Highest", readonly=True)
    interval = fields.Char(
        "95 % Interval",
        compute="_compute_interval",
        help="Where the win rate from the stage lies, with a confidence of 95 % (Wilson's interval).",
    )
    won_count = fields.Integer("Won", readonly=True, help="Won, of the closed opportunities that reached the stage.")
    sample_size = fields.Integer(
        "Closed", readonly=True, help="Won or lost opportunities of the type that reached the stage."
    )
    date_learned = fields.Datetime("Computed On", required=True, readonly=True)

    _one_of_each = models.UniqueIndex("(opportunity_type_id, stage_id)")

    @api.depends("probability_low", "probability_high")
    def _compute_interval(self):
        for learned in self:
            learned.interval = f"{learned.probability_low:.0f} – {learned.probability_high:.0f} %"

    @api.model
    def _get_applied_probabilities(self):
        """What counts instead of the stage's own figure, where a type learns and has closed enough for it.

        :returns: ``{(type id, stage id): percent}``
        """
        by_type = defaultdict(dict)
        largest = defaultdict(int)
        # sudo: a probability is given to opportunities by whoever moves them
        for learned in self.sudo().search(Domain.TRUE):
            type_id = learned.opportunity_type_id.id
            by_type[type_id][type_id, learned.stage_id.id] = learned.probability
            largest[type_id] = max(largest[type_id], learned.sample_size)
        smallest = self.env["crm.opportunity.type"]._get_smallest_sample()
        return {
            key: probability
            for type_id, probabilities in by_type.items()
            if largest[type_id] >= smallest
            for key, probability in probabilities.items()
        }

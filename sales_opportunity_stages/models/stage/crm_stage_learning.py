from odoo import api, fields, models


class CrmStage(models.Model):
    """What was learned of a stage, beside its own probability."""

    _inherit = "crm.stage"

    learned_probability_ids = fields.One2many(
        "crm.stage.learned.probability",
        "stage_id",
        "Learned Probabilities",
        readonly=True,
        copy=False,
        groups="sales_team.group_sale_salesman",
    )
    learned_probability = fields.Float(
        compute="_compute_learned",
        groups="sales_team.group_sale_salesman",
        help="Learned from the closed opportunities of the type that reached the stage.",
    )
    learned_interval = fields.Char("95 % Interval", compute="_compute_learned", groups="sales_team.group_sale_salesman")
    learned_sample_size = fields.Integer("Closed", compute="_compute_learned", groups="sales_team.group_sale_salesman")

    @api.depends("learned_probability_ids")
    @api.depends_context("learned_type_id")
    def _compute_learned(self):
        """For the type whose form shows the stage: one that several types share is learned for each of them."""
        type_id = self.env.context.get("learned_type_id")
        for stage in self:
            learned = stage.learned_probability_ids.filtered(lambda row: row.opportunity_type_id.id == type_id)
            stage.learned_probability = learned.probability
            stage.learned_interval = learned.interval
            stage.learned_sample_size = learned.sample_size

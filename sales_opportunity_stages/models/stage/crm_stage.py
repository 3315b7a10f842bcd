from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import format_list

from ...tools import Stage


class CrmStage(models.Model):
    _name = "crm.stage"
    _inherit = ["crm.stage", "sales.cached.label.mixin"]

    opportunity_type_ids = fields.Many2many(
        "crm.opportunity.type",
        "crm_opportunity_type_stage_rel",
        "stage_id",
        "opportunity_type_id",
        string="Opportunity Types",
        context={"active_test": False},  # what is of an archived type is not open to all
        help="Types whose opportunities go through this stage. Blank: every type.",
    )
    probability = fields.Float(
        aggregator="avg",
        help="Probability of winning, in percent. An opportunity gets it on entering the stage if its"
        " type takes the probability from the stage.",
    )
    rule_ids = fields.One2many("crm.stage.rule", "stage_id", string="Stage Rules", copy=True)
    rule_summary = fields.Char(compute="_compute_rule_summary", string="Rules")

    _check_probability = models.Constraint(
        "CHECK(probability >= 0 AND probability <= 100)",
        "The probability of a stage must be between 0 and 100 %.",
    )

    @api.depends("rule_ids.required", "rule_ids.promotes", "rule_ids.display_name")
    def _compute_rule_summary(self):
        for stage in self:
            stage.rule_summary = " · ".join(
                rule.display_name + ("*" if rule.required else "") + (" →" if rule.promotes else "")
                for rule in stage.rule_ids
            )

    @api.depends("name", "opportunity_type_ids.name")
    @api.depends_context("lang", "stage_with_type")
    def _compute_display_name(self):
        """Tell stages of one name apart by their types, where the context ``stage_with_type`` asks for it, as reports
        do: "Won (Project Sale)"."""
        result = super()._compute_display_name()
        if self.env.context.get("stage_with_type"):
            for stage in self._get_namesakes().filtered("opportunity_type_ids"):
                types = stage.with_context(active_test=False).opportunity_type_ids
                stage.display_name = self.env._(
                    "%(stage)s (%(types)s)", stage=stage.name, types=", ".join(types.mapped("name"))
                )
        return result

    def _get_namesakes(self):
        """Return those of these stages that share their name with another one."""
        # sudo: the name alone is looked at, whichever stages the user may read
        stages = self.sudo().search([("name", "in", self.mapped("name"))])
        counts = Counter(stages.mapped("name"))
        return self.filtered(lambda stage: counts[stage.name] > 1)

    @api.constrains("opportunity_type_ids", "team_ids")
    def _check_opportunity_type_ids(self):
        self.env["crm.lead"]._check_stages_suit_opportunities()

    @api.constrains("is_won", "rule_ids")
    def _check_won_stage_has_no_required_rule(self):
        for stage in self.filtered("is_won"):
            if stage.rule_ids.filtered(lambda rule: rule.required or rule.promotes):
                raise ValidationError(
                    self.env._(
                        "Won stage '%(stage)s' is the end of the pipeline: nothing can be required before a promotion "
                        "from it. Put its rules on the stages before.",
                        stage=stage.name,
                    )
                )

    @api.onchange("is_won")
    def _onchange_is_won(self):
        """Odoo's warning about many operations, only where there is something to recompute."""
        if self._origin and self._origin.is_won != self.is_won:
            return super()._onchange_is_won()
        return None

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_duplicate(self):
        """Copy the stages with their rules, as Odoo's own *Duplicate* does, from a list that has no such menu."""
        self.copy()

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model
    def default_get(self, fields):
        """Put a stage that is added to a type behind the open stages of that type, not before all others."""
        defaults = super().default_get(fields)
        if "sequence" in fields and "default_opportunity_type_ids" in self.env.context:
            defaults["sequence"] = self._get_last_sequence(self.env.context["default_opportunity_type_ids"]) + 1
        return defaults

    @api.model
    def _get_last_sequence(self, type_ids):
        """Return the highest sequence of the stages before the won ones, of some types or else of all."""
        open_stages = Domain("is_won", "=", False)
        of_types = open_stages & Domain("opportunity_type_ids", "in", type_ids or [])
        last = self.search(of_types, order="sequence desc", limit=1) or self.search(
            open_stages, order="sequence desc", limit=1
        )
        return last.sequence

    def copy_data(self, default=None):
        """Name the copies after their originals.

        A copy comes after the stages of the same sequence: a rule that promotes to one of them promotes the copy to
        the next stage instead.
        """
        vals_list = super().copy_data(default=default)
        for stage, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", stage.name)
            for _command, _id, rule in vals.get("rule_ids", ()):
                target = self.browse(rule.get("target_stage_id"))
                if target and not target.is_won and target.sequence <= vals["sequence"]:
                    rule["target_stage_id"] = False
        return vals_list

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._add_won_probability(vals) for vals in vals_list]
        stages = super().create(vals_list)
        self.env.registry.clear_cache()
        return stages

    def write(self, vals):
        result = super().write(self._add_won_probability(vals))
        if not vals.keys() & {"sequence", "is_won", "fold", "probability", "opportunity_type_ids", "team_ids"}:
            return result
        self.env.registry.clear_cache()
        if "is_won" in vals:
            self._get_standing_opportunities()._log_stage_visits()
        if vals.keys() & {"sequence", "is_won", "opportunity_type_ids"}:
            self.env["crm.lead"]._refresh_furthest_stages(self)
        return result

    def unlink(self):
        stage_ids = self.ids
        # sudo: everybody's opportunities follow
        affected = (
            self.env["crm.lead"].sudo().with_context(active_test=False).search([("furthest_stage_id", "in", stage_ids)])
        )
        result = super().unlink()
        self.env.registry.clear_cache()
        affected._store_furthest_stages()
        return result

    @api.model
    def name_create(self, name):
        """A column added in the kanban belongs to the type that the kanban shows, not to every type."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        type_id = (
            self.env["crm.lead"]._get_searched_type_id()
            or self.env.context.get("default_opportunity_type_id")
            or stage_map.default_type(self.env.company.id)
        )
        type_ids = [type_id] if type_id in stage_map.types else []
        return super(CrmStage, self.with_context(default_opportunity_type_ids=type_ids)).name_create(name)

    @staticmethod
    def _add_won_probability(vals):
        return dict(vals, probability=100) if vals.get("is_won") else vals

    def _get_standing_opportunities(self):
        """Opportunities in these stages, lost and archived ones included."""
        # sudo: everybody's opportunities follow
        return (
            self.env["crm.lead"]
            .sudo()
            .with_context(active_test=False)
            .search([("stage_id", "in", self.ids), ("type", "=", "opportunity")])
        )

    def _get_distinct_names(self):
        """Return ``{stage id: name}``. Stages that share a name are told apart by their types: *Won (Project Sale)*."""
        # sudo: names of stages and types are no secret
        stages = self.sudo().with_context(active_test=False)
        names = stages.mapped("display_name")
        return {
            stage.id: self.env._(
                "%(stage)s (%(types)s)",
                stage=stage.display_name,
                types=format_list(self.env, stage.opportunity_type_ids.mapped("name")),
            )
            if names.count(stage.display_name) > 1 and stage.opportunity_type_ids
            else stage.display_name
            for stage in stages
        }

    def _to_stage_map(self):
        self.ensure_one()
        return Stage(
            id=self.id,
            sequence=self.sequence,
            is_won=self.is_won,
            fold=self.fold,
            probability=self.probability,
            type_ids=frozenset(self.with_context(active_test=False).opportunity_type_ids.ids),
            team_ids=frozenset(self.with_context(active_test=False).team_ids.ids),
        )

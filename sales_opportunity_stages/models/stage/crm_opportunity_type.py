from odoo import api, fields, models, tools
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...tools import StageMap, Type


class CrmOpportunityType(models.Model):
    """A kind of sale with a pipeline of its own (销售机会类型).

    An opportunity has one type; it walks through the stages open to that type, in their order.
    """

    _name = "crm.opportunity.type"
    _inherit = ["sales.cached.label.mixin"]
    _description = "Opportunity Type"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    color = fields.Integer()
    company_id = fields.Many2one("res.company", index="btree_not_null", help="Blank: every company may use it.")
    description = fields.Text(translate=True)
    stage_ids = fields.Many2many(
        "crm.stage",
        "crm_opportunity_type_stage_rel",
        "opportunity_type_id",
        "stage_id",
        string="Stages",
        help="Stages of this type. Stages that name no type are open to this one too.",
    )
    shared_stage_ids = fields.Many2many("crm.stage", compute="_compute_shared_stage_ids", string="Shared Stages")
    probability_mode = fields.Selection(
        [
            ("stage", "From the stage"),
            ("learned", "Learned from closed opportunities"),
            ("native", "Odoo's predictive scoring"),
        ],
        required=True,
        default="stage",
        help="From the stage: an opportunity gets the probability of the stage that it enters. A "
        "manual probability stays until the next move. Learned: the same, with the share of "
        "closed opportunities of this type that were won from that stage. It is updated every "
        "night. Odoo's predictive scoring: Odoo sets the probability.",
    )
    reminder_days = fields.Integer(
        default=3, help="Days before the expected closing on which the salesperson is reminded. 0: never."
    )
    opportunity_count = fields.Integer(compute="_compute_opportunity_count", string="Open Opportunities")

    # ------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------

    def _compute_shared_stage_ids(self):
        self.shared_stage_ids = self.env["crm.stage"].search([("opportunity_type_ids", "=", False)])

    def _compute_opportunity_count(self):
        counts = dict(
            self.env["crm.lead"]._read_group(
                [("opportunity_type_id", "in", self.ids), ("won_status", "=", "pending")],
                ["opportunity_type_id"],
                ["__count"],
            )
        )
        for opportunity_type in self:
            opportunity_type.opportunity_count = counts.get(opportunity_type, 0)

    # ------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------

    @api.constrains("stage_ids")
    def _check_stage_ids(self):
        self.env["crm.lead"]._check_stages_suit_opportunities()

    @api.constrains("company_id")
    def _check_company_of_opportunities(self):
        """What has the type keeps it: it can be given to a company only while no other one uses it."""
        for opportunity_type in self.filtered("company_id"):
            domain = Domain("opportunity_type_id", "=", opportunity_type.id)
            domain &= Domain("company_id", "!=", opportunity_type.company_id.id)
            for model in ("crm.lead", "crm.team"):
                # sudo: what other companies have counts
                users = self.env[model].sudo().with_context(active_test=False).search(domain, limit=5)
                users._check_company(["opportunity_type_id"])

    def _check_no_stage_set_free(self, stages):
        """A stage taken from its only type would be open to every type: say so instead of letting it happen."""
        free = stages.exists().filtered(lambda stage: not stage.opportunity_type_ids)
        if free:
            raise UserError(
                self.env._(
                    "Stage '%(stage)s' belongs to this type alone: taken from it, it would be open to every type. "
                    "Give it another type first, or delete the stage.",
                    stage=free[0].name,
                )
            )

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        types = super().create(vals_list)
        self.env.registry.clear_cache()
        return types

    def write(self, vals):
        stages = self.stage_ids if "stage_ids" in vals else self.stage_ids.browse()
        result = super().write(vals)
        self._check_no_stage_set_free(stages)
        self.env.registry.clear_cache()
        if "stage_ids" in vals:
            self.env["crm.lead"]._refresh_furthest_stages((stages | self.stage_ids).exists())
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_use(self):
        # sudo: what others have counts
        Lead = self.env["crm.lead"].sudo().with_context(active_test=False)
        Visit = self.env["crm.stage.visit"].sudo()
        for opportunity_type in self:
            domain = Domain("opportunity_type_id", "=", opportunity_type.id)
            if Lead.search_count(domain, limit=1) or Visit.search_count(domain, limit=1):
                raise UserError(
                    self.env._(
                        "Opportunity type '%(type)s' has been used and cannot be deleted. Archive it instead.",
                        type=opportunity_type.name,
                    )
                )

    def unlink(self):
        """Its own stages go with it: left without a type they would be open to every other one."""
        own_stages = self.stage_ids.filtered(lambda stage: stage.opportunity_type_ids <= self)
        result = super().unlink()
        own_stages.unlink()
        self.env.registry.clear_cache()
        return result

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        return [
            dict(vals, name=self.env._("%s (copy)", opportunity_type.name))
            for opportunity_type, vals in zip(self, vals_list, strict=True)
        ]

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_open_pipeline(self):
        """Open the pipeline with the columns of this type alone; what is created there is of this type."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm.crm_lead_opportunities")
        action["display_name"] = self.name
        action["context"] = {"default_type": "opportunity", "search_default_opportunity_type_id": self.id}
        return action

    @api.depends("name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        """Take the names from the registry's cache: they are shown beside every opportunity."""
        labels = self._get_labels()[self._name]
        for opportunity_type in self:
            opportunity_type.display_name = labels.get(opportunity_type.id) or opportunity_type.name

    # ------------------------------------------------------------
    # Stage map
    # ------------------------------------------------------------

    @api.model
    @tools.ormcache("self.env.lang")
    def _get_labels(self):
        """Return the names of all types, stages and rules in the user's language; kept until one of them changes.

        :returns: ``{"crm.opportunity.type": {id: name}, "crm.stage": {id: name}, "crm.stage.rule": {id: name}}``
        """
        # sudo: names of types, stages and rules are no secret
        names = ("crm.opportunity.type", "crm.stage", "crm.stage.rule")
        models = [self.env[name].sudo().with_context(active_test=False) for name in names]
        return {
            model._name: {record.id: record.name or record.display_name for record in model.search(Domain.TRUE)}
            for model in models
        }

    @api.model
    @tools.ormcache()
    def _get_stage_map(self):
        """All types, stages, rules and learned probabilities as a :class:`StageMap`; kept until one of them changes.

        :rtype: StageMap
        """
        # sudo: one map for everybody; it holds no documents
        types = self.sudo().with_context(active_test=False).search(Domain.TRUE, order=self._order)
        stages = self.env["crm.stage"].sudo().search(Domain.TRUE)
        rules = self.env["crm.stage.rule"].sudo().search(Domain.TRUE)
        return StageMap(
            [type_._to_stage_map() for type_ in types],
            [stage._to_stage_map() for stage in stages],
            [rule._to_stage_map() for rule in rules],
            self.env["crm.stage.learned.probability"]._get_applied_probabilities(),
        )

    def _to_stage_map(self):
        self.ensure_one()
        return Type(
            id=self.id,
            active=self.active,
            company_id=self.company_id.id or None,
            probability_mode=self.probability_mode,
            options=frozenset(name for name in self._get_option_fields() if self[name]),
        )

    @api.model
    def _get_option_fields(self):
        """Return the names of the fields of a type that opportunities ask the stage map for. Extend it."""
        return []

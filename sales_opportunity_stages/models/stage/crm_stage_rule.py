from dateutil.relativedelta import relativedelta

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval, wrap_module

from ...tools import Rule

_datetime = wrap_module(__import__("datetime"), ["date", "datetime", "time", "timedelta"])


class CrmStageRule(models.Model):
    """What may and what must be done in a stage (动作档案, 阶段设置).

    - ``action``: an activity type allowed in the stage. Once a stage has any, only those can be scheduled on an
      opportunity standing there. It is met when an activity of that type, scheduled in that stage, has been done.
    - ``condition``: a domain on the opportunity, met while the opportunity matches it.
    - ``required``: must be met before the opportunity moves on, past this stage, to any later one.
    - ``promotes``: completing the action moves the opportunity on by itself, as soon as every required rule of the
      stage is met, to ``target_stage_id`` or else to the next stage.
    """

    _name = "crm.stage.rule"
    _inherit = ["sales.cached.label.mixin"]
    _description = "Stage Rule"
    _order = "stage_id, sequence, id"

    stage_id = fields.Many2one("crm.stage", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    kind = fields.Selection([("action", "Action"), ("condition", "Condition")], required=True, default="action")
    activity_type_id = fields.Many2one(
        "mail.activity.type",
        string="Action",
        index=True,
        ondelete="restrict",
        domain="['|', ('res_model', '=', False), ('res_model', '=', 'crm.lead')]",
    )
    name = fields.Char(
        "Label",
        translate=True,
        help="How the checklist names the rule. An action without a label is named after its activity type.",
    )
    domain = fields.Char(help="The condition is met while the opportunity matches this domain.")
    required = fields.Boolean(help="Must be met before an opportunity can be promoted from this stage.")
    promotes = fields.Boolean(
        help="Completing this action promotes the opportunity as soon as all that is required is met."
    )
    target_stage_id = fields.Many2one(
        "crm.stage",
        string="Promotes To",
        ondelete="set null",
        help="Blank: the next stage.",
    )

    _unique_action = models.UniqueIndex(
        "(stage_id, activity_type_id) WHERE kind = 'action'",
        "This action is already listed in the stage.",
    )

    @api.depends("name", "activity_type_id.name")
    def _compute_display_name(self):
        for rule in self:
            rule.display_name = rule.name or rule.activity_type_id.name or ""

    # ------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------

    @api.constrains("kind", "activity_type_id", "name", "domain", "promotes")
    def _check_kind(self):
        for rule in self:
            if rule.kind == "action" and not rule.activity_type_id:
                raise ValidationError(self.env._("A rule of stage '%s' needs an activity type.", rule.stage_id.name))
            if rule.kind == "condition" and not (rule.name and rule.domain):
                raise ValidationError(
                    self.env._("A condition of stage '%s' needs a label and a domain.", rule.stage_id.name)
                )
            if rule.kind == "condition" and rule.promotes:
                raise ValidationError(
                    self.env._("'%s' is a condition: only completing an action can promote.", rule.display_name)
                )

    @api.constrains("activity_type_id")
    def _check_activity_type_model(self):
        for rule in self:
            if rule.activity_type_id.res_model not in (False, "crm.lead"):
                raise ValidationError(
                    self.env._(
                        "Activity type '%(type)s' cannot be scheduled on opportunities.",
                        type=rule.activity_type_id.name,
                    )
                )

    @api.constrains("domain", "kind")
    def _check_domain(self):
        for rule in self.filtered(lambda rule: rule.kind == "condition" and rule.domain):
            try:
                # with the rights of who writes it, as constraints have not: later it is evaluated in superuser mode
                self.env["crm.lead"].sudo(False).search(rule._get_condition_domain(), limit=1)
            except Exception as error:  # whatever is wrong with what was typed, the user must hear of it
                raise ValidationError(
                    self.env._(
                        "The domain of condition '%(rule)s' cannot be used: %(error)s", rule=rule.name, error=error
                    )
                ) from error

    @api.constrains("target_stage_id", "stage_id", "promotes")
    def _check_target_stage(self):
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        for rule in self.filtered("target_stage_id"):
            if stage_map.rank(rule.target_stage_id.id) <= stage_map.rank(rule.stage_id.id):
                raise ValidationError(
                    self.env._(
                        "'%(rule)s' cannot promote from %(stage)s to %(target)s, which does not come later.",
                        rule=rule.display_name,
                        stage=rule.stage_id.name,
                        target=rule.target_stage_id.name,
                    )
                )

    @api.constrains("required", "promotes", "stage_id")
    def _check_stage_is_not_won(self):
        self.stage_id._check_won_stage_has_no_required_rule()

    # ------------------------------------------------------------
    # ORM
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        self.env.registry.clear_cache()
        return rules

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result

    # ------------------------------------------------------------
    # Rule engine
    # ------------------------------------------------------------

    def _get_condition_domain(self):
        """The condition as a :class:`Domain` on ``crm.lead``.

        Dates may be relative, as the domain editor writes them, or use ``context_today()``.
        :raise Exception: whatever evaluating a domain that is none raises
        """
        self.ensure_one()
        return self._evaluate_condition(self.domain)

    @tools.ormcache("self.id")
    def _get_condition_fields(self):
        """Return the names of the fields of ``crm.lead`` that the condition looks at, in its order."""
        conditions = self._get_condition_domain().iter_conditions()
        return list(dict.fromkeys(condition.field_expr.split(".")[0] for condition in conditions))

    @api.model
    def _evaluate_condition(self, text):
        return Domain(
            safe_eval(
                text or "[]",
                {
                    "uid": self.env.uid,
                    "datetime": _datetime,
                    "relativedelta": relativedelta,
                    "context_today": lambda: fields.Date.context_today(self),
                },
            )
        )

    def _filter_met(self, leads):
        """Which of these conditions each of the opportunities matches, whoever asks: a rule does not depend on what
        the user may read. One query, however many conditions and opportunities there are.

        :returns: set of ``(lead id, rule id)``
        """
        # sudo: a rule does not depend on what the user may read; which rules are met is all that comes of it
        Lead = leads.sudo().with_context(active_test=False)
        texts = self.env["crm.opportunity.type"]._get_stage_map().conditions
        conditions = {rule_id: self._evaluate_condition(texts[rule_id]) for rule_id in self.ids}
        queries = {rule_id: Lead._search(Domain("id", "in", leads.ids) & c) for rule_id, c in conditions.items()}
        selects = [
            query.select(SQL.identifier(query.table, "id"), SQL("%s", rule_id)) for rule_id, query in queries.items()
        ]
        return set(self.env.execute_query(SQL(" UNION ALL ").join(selects))) if selects else set()

    def _to_stage_map(self):
        self.ensure_one()
        return Rule(
            id=self.id,
            stage_id=self.stage_id.id,
            kind=self.kind,
            activity_type_id=self.activity_type_id.id or None,
            domain=self.domain,
            required=self.required,
            promotes=self.promotes,
            target_stage_id=self.target_stage_id.id or None,
        )

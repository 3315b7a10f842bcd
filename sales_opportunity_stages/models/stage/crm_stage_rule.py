from dateutil.relativedelta import relativedelta

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval, wrap_module

from ...tools import Rule

_datetime = wrap_module(__import__("datetime"), ["date", "datetime", "time", "timedelta"])


MEANING = {"stage_id", "activity_type_id", "evidence", "document_name", "document_tag", "signoff_group_id"}
"""What decides whether something that has been done meets a rule."""


class CrmStageRule(models.Model):
    """What may and what must be done in a stage (动作档案, 阶段设置).

    - ``action``: an activity type allowed in the stage. Once a stage has any, only those can be scheduled on an
      opportunity standing there. It is met when an activity of that type, scheduled in that stage, has been done,
      with the evidence that the rule requires.
    - ``condition``: a domain on the opportunity, met while the opportunity matches it.
    - ``field``: a field of the opportunity, met while the field is set and the opportunity matches the domain.
    - ``document``: an attachment of the opportunity, met while there is one with the name or the tag.
    - ``signoff``: a confirmation by a member of a group or by the team leader, see ``crm.stage.rule.signoff``.
    - ``required``: must be met before the opportunity moves on, past this stage, to any later one.
    - ``promotes``: completing the action moves the opportunity on by itself, as soon as every required rule of the
      stage is met, to ``target_stage_id`` or else to the next stage.

    Actions, documents and sign-offs that met a rule before it was edited still meet it (``kept_lead_ids``).
    """

    _name = "crm.stage.rule"
    _inherit = ["sales.cached.label.mixin", "sales.system.fields.mixin"]
    _description = "Stage Rule"
    _order = "stage_id, sequence, id"

    stage_id = fields.Many2one("crm.stage", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        [
            ("action", "Action"),
            ("condition", "Condition"),
            ("field", "Field"),
            ("document", "Document"),
            ("signoff", "Sign-Off"),
        ],
        required=True,
        default="action",
    )
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
        help="How the checklist names the rule. Blank: the activity type, the field, the document or the signer.",
    )
    domain = fields.Char(
        help="A condition is met while the opportunity matches this domain. A field rule needs the match as well."
    )
    field_id = fields.Many2one(
        "ir.model.fields",
        index="btree_not_null",
        ondelete="cascade",
        domain="[('model', '=', 'crm.lead'), ('store', '=', True)]",
        help="The field of the opportunity that must be set.",
    )
    evidence = fields.Selection(
        [("none", "None"), ("feedback", "Feedback"), ("attachment", "Attachment")],
        required=True,
        default="none",
        help="What must be given when the action is marked as done.",
    )
    document_name = fields.Char(help="Part of the name of the file. Blank: any name.")
    document_tag = fields.Char(
        help="A word in the description of the attachment. What is attached from the checklist gets it. Blank: none."
    )
    signoff_group_id = fields.Many2one(
        "res.groups",
        "Signed Off By",
        ondelete="restrict",
        help="A member of this group confirms, other than the salesperson. Blank: the leader of the sales team.",
    )
    kept_lead_ids = fields.Many2many(
        "crm.lead",
        "crm_stage_rule_kept_rel",
        "rule_id",
        "lead_id",
        readonly=True,
        copy=False,
        context={"active_test": False},
        help="Opportunities that met the rule before it was edited. They still meet it.",
    )
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

    @api.depends(
        *("name", "kind", "activity_type_id.name", "field_id.field_description", "document_name", "document_tag"),
        "signoff_group_id.name",
    )
    def _compute_display_name(self):
        for rule in self:
            rule.display_name = rule.name or rule._get_default_label()

    def _get_default_label(self):
        """Return what the checklist calls a rule without a label."""
        rule = self.sudo()  # sudo: names of fields and groups are no secret
        if rule.kind == "field":
            return rule.field_id.field_description or ""
        if rule.kind == "document":
            return rule.document_name or rule.document_tag or self.env._("Document")
        if rule.kind == "signoff" and rule.signoff_group_id:
            return self.env._("Sign-off: %s", rule.signoff_group_id.name)
        if rule.kind == "signoff":
            return self.env._("Sign-off: team leader")
        return rule.activity_type_id.name or ""

    # ------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------

    @api.constrains("kind", "activity_type_id", "name", "domain", "promotes", "field_id")
    def _check_kind(self):
        for rule in self:
            if rule.kind == "action" and not rule.activity_type_id:
                raise ValidationError(self.env._("A rule of stage '%s' needs an activity type.", rule.stage_id.name))
            if rule.kind == "condition" and not (rule.name and rule.domain):
                raise ValidationError(
                    self.env._("A condition of stage '%s' needs a label and a domain.", rule.stage_id.name)
                )
            if rule.kind == "field" and rule.field_id.model != "crm.lead":
                raise ValidationError(
                    self.env._("A field rule of stage '%s' needs a field of the opportunity.", rule.stage_id.name)
                )
            if rule.kind == "condition" and rule.promotes:
                raise ValidationError(
                    self.env._("'%s' is a condition: only completing an action can promote.", rule.display_name)
                )
            if rule.kind != "action" and rule.promotes:
                raise ValidationError(
                    self.env._("'%s' is no action: only completing an action can promote.", rule.display_name)
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

    @api.constrains("domain", "kind", "field_id")
    def _check_domain(self):
        for rule in self.filtered(lambda rule: rule.kind == "field" or (rule.kind == "condition" and rule.domain)):
            try:
                # with the rights of who writes it, as constraints have not: later it is evaluated in superuser mode
                self.env["crm.lead"].sudo(False).search(rule._get_condition_domain(), limit=1)
            except Exception as error:  # whatever is wrong with what was typed, the user must hear of it
                raise ValidationError(
                    self.env._(
                        "The domain of condition '%(rule)s' cannot be used: %(error)s",
                        rule=rule.display_name,
                        error=error,
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

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"kept_lead_ids"}

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_system_fields(vals)
        rules = super(CrmStageRule, self._without_system_defaults()).create(vals_list)
        self.env.registry.clear_cache()
        return rules

    def write(self, vals):
        vals = dict(vals)
        self._check_system_fields(vals)
        self._keep_what_was_met(vals)
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
        """The condition, or what a field rule asks for, as a :class:`Domain` on ``crm.lead``.

        Dates may be relative, as the domain editor writes them, or use ``context_today()``.
        :raise Exception: whatever evaluating a domain that is none raises
        """
        self.ensure_one()
        return self._get_met_domain(self._to_stage_map())

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

    @api.model
    def _get_met_domain(self, rule, lead_ids=None):
        """Return the domain of the opportunities that meet a rule.

        :param Rule rule: of the stage map
        :param lead_ids: the opportunities that are asked about, to search no others
        """
        domain = getattr(self, f"_get_met_domain_{rule.kind}")(rule, lead_ids)
        if not rule.has_kept:
            return domain
        kept = SQL("(SELECT lead_id FROM crm_stage_rule_kept_rel WHERE rule_id = %s)", rule.id)
        return domain | Domain("id", "in", kept)

    @api.model
    def _get_met_domain_condition(self, rule, _lead_ids):
        return self._evaluate_condition(rule.domain)

    @api.model
    def _get_met_domain_field(self, rule, _lead_ids):
        is_number = rule.field_type in ("integer", "float", "monetary")
        return Domain(rule.field_name, "!=", 0 if is_number else False) & self._evaluate_condition(rule.domain)

    @api.model
    def _get_met_domain_action(self, rule, lead_ids):
        evidence = {
            "none": Domain.TRUE,
            "feedback": Domain("feedback", "not in", (False, "")),
            "attachment": Domain("attachment_ids", "!=", False),
        }
        done = Domain(
            [
                ("active", "=", False),
                ("activity_type_id", "=", rule.activity_type_id),
                ("stage_visit_id.stage_id", "=", rule.stage_id),
            ]
        )
        if lead_ids is not None:
            done &= Domain("stage_visit_id.lead_id", "in", lead_ids)
        # sudo: as _filter_met; only ids of opportunities come of it
        activities = self.env["mail.activity"].sudo().with_context(active_test=False)
        found = activities._search(done & evidence[rule.evidence])
        visits = self.env["crm.stage.visit"].sudo()._search([("id", "in", found.subselect("stage_visit_id"))])
        return Domain("id", "in", visits.subselect("lead_id"))

    @api.model
    def _get_met_domain_document(self, rule, lead_ids):
        attached = Domain([("res_model", "=", "crm.lead"), ("res_id", "!=", False)])
        if lead_ids is not None:
            attached &= Domain("res_id", "in", lead_ids)
        named = [
            Domain(name, "ilike", text)
            for name, text in (("name", rule.document_name), ("description", rule.document_tag))
            if text
        ]
        # sudo: as _filter_met; only ids of opportunities come of it
        found = self.env["ir.attachment"].sudo()._search(attached & (Domain.OR(named) if named else Domain.TRUE))
        return Domain("id", "in", found.subselect("res_id"))

    @api.model
    def _get_met_domain_signoff(self, rule, lead_ids):
        given = Domain([("rule_id", "=", rule.id), ("withdrawn_date", "=", False)])
        if lead_ids is not None:
            given &= Domain("lead_id", "in", lead_ids)
        # sudo: as _filter_met; only ids of opportunities come of it
        return Domain("id", "in", self.env["crm.stage.rule.signoff"].sudo()._search(given).subselect("lead_id"))

    def _filter_met(self, leads, rules=None):
        """Which of these rules each of the opportunities meets, whoever asks: a rule does not depend on what the user
        may read. One query, however many rules and opportunities there are.

        :param rules: :class:`Rule` values; None: those of these records
        :returns: set of ``(lead id, rule id)``
        """
        if rules is None:
            known = self.env["crm.opportunity.type"]._get_stage_map().rules_by_id
            rules = [known[rule_id] for rule_id in self.ids]
        # sudo: a rule does not depend on what the user may read; which rules are met is all that comes of it
        Lead = leads.sudo().with_context(active_test=False)
        among = Domain("id", "in", leads.ids)
        queries = {rule.id: Lead._search(among & self._get_met_domain(rule, leads.ids)) for rule in rules}
        selects = [
            query.select(SQL.identifier(query.table, "id"), SQL("%s", rule_id)) for rule_id, query in queries.items()
        ]
        return set(self.env.execute_query(SQL(" UNION ALL ").join(selects))) if selects else set()

    # ------------------------------------------------------------
    # Editing
    # ------------------------------------------------------------

    def _keep_what_was_met(self, vals):
        """Let opportunities that have met an action, a document or a sign-off still meet it once it is edited."""
        changed = MEANING & vals.keys()
        for rule in self if changed else ():
            is_other = any(
                (rule[name].id if rule._fields[name].relational else rule[name]) != (vals[name] or False)
                for name in changed
            )
            if is_other and rule.kind in ("action", "document", "signoff") and vals.get("kind", rule.kind) == rule.kind:
                rule._store_kept()

    def _store_kept(self):
        # sudo: everybody's opportunities keep what they have met
        Lead = self.env["crm.lead"].sudo().with_context(active_test=False)
        met = Lead._search(Domain("won_status", "!=", "won") & self._get_met_domain(self._to_stage_map()))
        self.env.execute_query(
            SQL(
                """
                INSERT INTO crm_stage_rule_kept_rel (rule_id, lead_id)
                     SELECT %s, met.id FROM (%s) met
                ON CONFLICT DO NOTHING
                  RETURNING lead_id
                """,
                self.id,
                met.select(SQL("%s AS id", SQL.identifier(met.table, "id"))),
            )
        )
        self.invalidate_recordset(["kept_lead_ids"])

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
            evidence=self.evidence,
            field_name=self.field_id.name or None,
            field_type=self.field_id.ttype or None,
            document_name=self.document_name or None,
            document_tag=self.document_tag or None,
            signoff_group_id=self.signoff_group_id.id or None,
            has_kept=bool(self.kept_lead_ids),
        )

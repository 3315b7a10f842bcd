from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL


class CrmLead(models.Model):
    """The type of an opportunity, and the stages that follow from it."""

    _inherit = "crm.lead"

    opportunity_type_id = fields.Many2one(
        "crm.opportunity.type",
        compute="_compute_opportunity_type_id",
        store=True,
        readonly=False,
        index=True,
        tracking=True,
        check_company=True,
        ondelete="restrict",
        help="Decides which stages the opportunity goes through. A lead has none until it is converted.",
    )
    can_change_type = fields.Boolean(
        compute="_compute_can_change_type",
        help="Past the first stage only a Sales Administrator can change the type.",
    )
    probability_mode = fields.Selection(related="opportunity_type_id.probability_mode", related_sudo=True)
    stage_id = fields.Many2one(
        domain="['&', '|', ('team_ids', '=', False), ('team_ids', 'in', team_id),"
        " '|', ('opportunity_type_ids', '=', False), ('opportunity_type_ids', 'in', opportunity_type_id)]",
    )

    # ------------------------------------------------------------
    # Type
    # ------------------------------------------------------------

    @api.depends("type")
    def _compute_opportunity_type_id(self):
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        stage_field = self._fields["stage_id"]
        for lead in self:
            if lead.type != "opportunity":
                lead.opportunity_type_id = False
            elif not lead.opportunity_type_id:
                given_stage = not self.env.is_to_compute(stage_field, lead) and lead.stage_id.id
                lead.opportunity_type_id = lead._find_opportunity_type(stage_map, given_stage)

    def _find_opportunity_type(self, stage_map, stage_id=False):
        """The type that a new opportunity gets: the one that the pipeline is filtered to, its team's default, else the
        first of its company.

        Where the stage is given and belongs to other types, as in a column of the kanban, the first of those.

        :returns: id or False
        """
        self.ensure_one()
        company_id = self.company_id.id or self.team_id.company_id.id
        # sudo: the default counts for those too who may not read the team
        preferred_id = self._get_searched_type_id() or self.team_id.sudo().opportunity_type_id.id
        found = stage_map.default_type(company_id, preferred_id)
        if stage_id and found and not stage_map.is_open_to(stage_id, found):
            usable = stage_map.usable_types(company_id)
            found = next((t for t in usable if stage_map.is_open_to(stage_id, t)), found)
        return found or False

    @api.model
    def _get_searched_type_id(self):
        """The one type that the web client's search is filtered to, if any: see the search view."""
        searched = self.env.context.get("search_opportunity_type")
        is_one = isinstance(searched, list) and len(searched) == 1 and isinstance(searched[0], int)
        return searched[0] if is_one else False

    @api.constrains("type", "opportunity_type_id", "stage_id")
    def _check_opportunity_type(self):
        """An opportunity has a type and stands in one of its stages; a lead has none."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        for lead in self:
            opportunity_type = lead.opportunity_type_id
            if lead.type != "opportunity" and opportunity_type:
                raise ValidationError(
                    self.env._("'%s' is a lead: it gets an opportunity type when it is converted.", lead.name)
                )
            if lead.type == "opportunity" and not opportunity_type and lead._find_opportunity_type(stage_map):
                raise ValidationError(self.env._("Opportunity '%s' needs an opportunity type.", lead.name))
            if opportunity_type and lead.stage_id and not stage_map.is_open_to(lead.stage_id.id, opportunity_type.id):
                raise ValidationError(
                    self.env._(
                        "'%(lead)s' is of type %(type)s and cannot stand in stage %(stage)s. "
                        "Its stages are: %(stages)s.",
                        lead=lead.name,
                        type=opportunity_type.name,
                        stage=lead.stage_id.name,
                        stages=", ".join(lead._get_stage_path().mapped("name")),
                    )
                )

    @contextmanager
    def _checking_type_change(self, vals):
        """Check at the end of the block that the writer may change the type, where the write names one.

        A type is changed in the first stage, or by a Sales Administrator: else a type without rules would be a way
        around the rules.
        """
        is_free = self._may_change_any_type()
        # sudo: the opportunity may be out of the user's sight once it is written
        names_type = {"opportunity_type_id", "type"} & vals.keys()
        before = {} if is_free or not names_type else self.sudo()._read_stage_states()
        yield
        self.sudo()._check_type_changes(before)

    def _check_type_changes(self, before):
        """:raise UserError: naming an opportunity that has left the first stage of the type that it had

        :param dict before: :meth:`_read_stage_states` from before the write
        """
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        for lead in self if before else ():
            was = before.get(lead.id)
            if not was or not was.type_id or was.type_id == lead.opportunity_type_id.id:
                continue
            if stage_map.is_past_entry(was.type_id, was.team_id, was.stage_id):
                raise UserError(
                    self.env._(
                        "'%(lead)s' has left the first stage of %(type)s: only a Sales Administrator can give it "
                        "another type now.",
                        lead=lead.name,
                        type=self.env["crm.opportunity.type"].browse(was.type_id).name,
                    )
                )

    def _may_change_any_type(self):
        return self.env.su or self.env.user.has_group("sales_team.group_sale_manager")

    @api.depends("stage_id", "opportunity_type_id", "team_id")
    @api.depends_context("uid")
    def _compute_can_change_type(self):
        """Tell beforehand what :meth:`_check_type_changes` would say. A form asks for what is saved."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        may_change_any = self._may_change_any_type()
        for lead in self:
            saved = lead._origin
            type_id = saved.opportunity_type_id.id
            lead.can_change_type = (
                may_change_any
                or not type_id
                or not stage_map.is_past_entry(type_id, saved.team_id.id, saved.stage_id.id)
            )

    def convert_opportunity(self, partner, user_ids=False, team_id=False):
        """Convert and assign as one change: the first visit is that of the salesperson who gets it."""
        with self._change():
            return super().convert_opportunity(partner, user_ids=user_ids, team_id=team_id)

    def _convert_opportunity_data(self, customer, team_id=False):
        """Take over the type chosen in the conversion dialog. Anybody may choose it for a lead: the opportunity then
        starts in the first stage of the type, or where it has earned to stand."""
        values = super()._convert_opportunity_data(customer, team_id)
        if self.type != "opportunity":
            values.pop("stage_id", None)  # computed from the type
            type_id = self.env.context.get("convert_opportunity_type_id")
            if type_id:
                values["opportunity_type_id"] = type_id
        return values

    # ------------------------------------------------------------
    # Stages of the type
    # ------------------------------------------------------------

    @api.depends("opportunity_type_id")
    def _compute_stage_id(self):
        """A stage that the type or the team does not have gives way to the first one that both have."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        for lead in self.filtered("opportunity_type_id"):
            type_id, team_id = lead.opportunity_type_id.id, lead.team_id.id
            if not stage_map.suits(lead.stage_id.id, type_id, team_id):
                lead.stage_id = stage_map.entry_stage(type_id, team_id)
        return super()._compute_stage_id()

    def _stage_find(self, team_id=False, domain=None, order="sequence, id", limit=1):
        """Only stages of the type of these opportunities; for leads, of the type they would get."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        type_ids = {lead.opportunity_type_id.id or lead._find_opportunity_type(stage_map) for lead in self} - {False}
        if not self:
            type_ids = {stage_map.default_type(self.env.company.id)} - {None}
        if type_ids:
            domain = Domain(domain or Domain.TRUE) & self._get_type_stage_domain(type_ids)
        return super()._stage_find(team_id=team_id, domain=domain, order=order, limit=limit)

    @api.model
    def _get_type_stage_domain(self, type_ids):
        """Domain of the stages open to any of the types."""
        return Domain("opportunity_type_ids", "=", False) | Domain("opportunity_type_ids", "in", list(type_ids))

    def _get_stage_path(self):
        """The stages that this opportunity goes through, in order."""
        self.ensure_one()
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        return self.env["crm.stage"].browse(stage_map.path(self.opportunity_type_id.id, self.team_id.id))

    @api.model
    def _read_group_stage_ids(self, stages, domain):
        """Return the columns of the kanban: the stages in use, and the empty ones of the types shown.

        Where several types are shown together and the search names none, only the first stage of each is shown empty:
        something new is entered there.
        """
        columns = super()._read_group_stage_ids(stages, domain)
        type_ids = self._get_types_of_domain(domain)
        if type_ids is None:
            type_ids = self._get_types_found(domain)
            if len(type_ids) > 1:
                return columns.filtered(lambda stage: stage in stages or stage.id in self._get_entry_stages(type_ids))
        return columns.filtered(
            lambda stage: (
                stage in stages or not stage.opportunity_type_ids or type_ids & set(stage.opportunity_type_ids.ids)
            )
        )

    @api.model
    def _get_types_found(self, domain):
        """Return the ids of the types that the opportunities of a search have, or the user's own type if there is none.

        :param domain: a domain on ``crm.lead``
        """
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        found = set()
        if len(stage_map.types) > 1:
            found = {found_type.id for [found_type] in self._read_group(domain, ["opportunity_type_id"])} - {False}
        # sudo: the default counts for those too who may not read the team
        preferred_id = self.env.user.sudo().sale_team_id.opportunity_type_id.id
        return found or {stage_map.default_type(self.env.company.id, preferred_id)} - {None}

    @api.model
    def _get_entry_stages(self, type_ids):
        """Return the ids of the stages in which opportunities of the types start."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        team_id = self.env.context.get("default_team_id")
        return {stage_map.entry_stage(type_id, team_id) for type_id in type_ids}

    @api.model
    def _web_read_group_groupby_formatter(self, groupby_spec, values):
        """Tell stages of one name apart by their types, wherever they are groups side by side."""
        formatter = super()._web_read_group_groupby_formatter(groupby_spec, values)
        if groupby_spec != "stage_id":
            return formatter
        names = self.env["crm.stage"].union(*(value for value in values if value))._get_distinct_names()

        def format_stage(value):
            group, domain = formatter(value)
            return (group and (group[0], names[group[0]])), domain

        return format_stage

    @api.model
    def _get_types_of_domain(self, domain):
        """Ids of the types that a search is restricted to, or None when it is not.

        :param domain: a domain on ``crm.lead``
        """
        type_ids = None
        Type = self.env["crm.opportunity.type"].with_context(active_test=False)
        for condition in Domain(domain).iter_conditions():
            if condition.field_expr != "opportunity_type_id" or condition.operator in Domain.NEGATIVE_OPERATORS:
                continue
            if condition.operator in ("any", "any!"):
                is_domain = isinstance(condition.value, (Domain, list))
                types = Type.search(Domain(condition.value) if is_domain else Domain("id", "in", condition.value))
            else:
                name = "display_name" if isinstance(condition.value, str) else "id"
                types = Type.search(Domain(name, condition.operator, condition.value))
            type_ids = (type_ids or set()) | set(types.ids)
        return type_ids

    @api.model
    def _check_stages_suit_opportunities(self):
        """Whoever changes the stages of a type must not leave opportunities behind in them."""
        self.env["crm.opportunity.type"].flush_model()
        self.env["crm.stage"].flush_model()
        self.flush_model(["stage_id", "opportunity_type_id"])
        self.env.registry.clear_cache()
        rows = self.env.execute_query(
            SQL("""
                SELECT lead.id
                  FROM crm_lead lead
                 WHERE lead.opportunity_type_id IS NOT NULL
                   AND EXISTS (SELECT 1 FROM crm_opportunity_type_stage_rel rel WHERE rel.stage_id = lead.stage_id)
                   AND NOT EXISTS (
                           SELECT 1 FROM crm_opportunity_type_stage_rel rel
                            WHERE rel.stage_id = lead.stage_id
                              AND rel.opportunity_type_id = lead.opportunity_type_id)
                 LIMIT 1
            """)
        )
        if rows:
            # sudo: opportunities of all companies count, one is named as an example
            lead = self.sudo().browse(rows[0])
            raise ValidationError(
                self.env._(
                    "Opportunity '%(lead)s' of type %(type)s stands in stage %(stage)s, which would no longer be open "
                    "to its type. Move such opportunities first.",
                    lead=lead.name,
                    type=lead.opportunity_type_id.name,
                    stage=lead.stage_id.name,
                )
            )

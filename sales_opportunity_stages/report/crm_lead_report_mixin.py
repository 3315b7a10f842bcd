from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.report_query import ReportQuery, find_names


class CrmLeadReportMixin(models.AbstractModel):
    """An analysis over opportunities: who, whose and where from, as it is on the opportunity, beside its own measures.

    The query is ``SELECT columns FROM … WHERE …``, each part a method that returns ``SQL``. To add a column, declare
    the field, extend :meth:`_select_columns` and name what it reads in ``_depends``; :meth:`_from` and :meth:`_where`
    say over what. The alias of ``crm_lead`` is ``lead``.

    A statement has only the columns that it names, and only the joins of :meth:`_get_joins` that these columns name.

    A measure that a sum or an average of the rows would get wrong has its own aggregate in :meth:`_get_aggregates`.
    """

    _name = "crm.lead.report.mixin"
    _description = "Analysis of Opportunities"
    _depends = {
        "crm.lead": [
            "active",
            "campaign_id",
            "company_id",
            "create_date",
            "date_deadline",
            "medium_id",
            "opportunity_type_id",
            "partner_id",
            "source_id",
            "team_id",
            "type",
            "user_id",
            "won_status",
        ],
        "res.company": ["currency_id"],
    }

    lead_id = fields.Many2one("crm.lead", "Opportunity", readonly=True)
    opportunity_type_id = fields.Many2one("crm.opportunity.type", readonly=True)
    user_id = fields.Many2one("res.users", "Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", "Sales Team", readonly=True)
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True)
    collaborator_ids = fields.Many2many(
        "res.users",
        string="Collaborators",
        compute="_compute_collaborator_ids",
        search="_search_collaborator_ids",
        compute_sudo=True,
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    source_id = fields.Many2one("utm.source", readonly=True)
    campaign_id = fields.Many2one("utm.campaign", readonly=True)
    medium_id = fields.Many2one("utm.medium", readonly=True)
    create_date = fields.Datetime("Created On", readonly=True)
    date_deadline = fields.Date("Expected Closing", readonly=True)
    won_status = fields.Selection([("pending", "Open"), ("won", "Won"), ("lost", "Lost")], "Result", readonly=True)
    product_category_id = fields.Many2one(
        "product.category",
        compute="_compute_product_category_id",
        search="_search_product_category_id",
        help="To search by: opportunities with a product of the category, or of one below it.",
    )

    # ------------------------------------------------------------
    # Query
    # ------------------------------------------------------------

    @property
    def _table_query(self):
        return self._get_table_query(self._select_columns())

    def _get_table_query(self, columns, tables=None, where=None) -> SQL:
        """Return the query of these columns, with the joins that they need.

        :param dict columns: expressions by name
        :param SQL tables: instead of those of :meth:`_from`
        :param SQL where: instead of :meth:`_where`
        """
        where = self._where() if where is None else where
        select = SQL(", ").join([SQL("%s AS %s", sql, SQL.identifier(name)) for name, sql in columns.items()])
        joins = self._get_joins_of(SQL("%s %s", select, where))
        return SQL("SELECT %s FROM %s %s WHERE %s", select, tables or self._from(), joins, where)

    def _get_joins_of(self, sql) -> SQL:
        """Return the joins whose alias a statement names, and those whose alias these joins name in turn."""
        needed = []
        for alias, join in reversed(self._get_joins().items()):
            if find_names(alias, SQL("%s %s", sql, SQL(" ").join(needed))):
                needed.insert(0, join)
        return SQL(" ").join(needed)

    def _select_columns(self) -> dict[str, SQL]:
        """The columns, by name. Extend it by what a field of yours shows.

        :returns: ``{name of the field: expression}``; a name that is no field is for :meth:`_get_aggregates`
        """
        names = [
            *("opportunity_type_id", "user_id", "team_id", "partner_id", "company_id", "source_id", "campaign_id"),
            *("medium_id", "create_date", "date_deadline", "won_status"),
        ]
        return {
            "id": SQL("lead.id"),
            "lead_id": SQL("lead.id"),
            "currency_id": SQL("COALESCE(company.currency_id, %s)", self.env.company.currency_id.id),
            **{name: SQL("lead.%s", SQL.identifier(name)) for name in names},
        }

    def _from(self) -> SQL:
        """Return the tables that make the rows."""
        return self._from_leads()

    def _from_leads(self) -> SQL:
        """Return the table of opportunities."""
        return SQL("crm_lead lead")

    def _get_joins(self) -> dict[str, SQL]:
        """Return the joins that make no row and drop none. Extend it where a column of yours needs one.

        :returns: ``{alias: "LEFT JOIN … alias ON …"}``; it is made where a column names something as ``alias.name``. A
            join may name the aliases before it.
        """
        return {"company": SQL("LEFT JOIN res_company company ON company.id = lead.company_id")}

    def _where(self) -> SQL:
        """Which opportunities are reported: those in the pipeline and those that left it won or lost.

        What was archived without being lost is in no analysis.
        """
        return SQL("lead.type = 'opportunity' AND (lead.active OR lead.won_status = 'lost')")

    # ------------------------------------------------------------
    # Aggregates
    # ------------------------------------------------------------

    def _get_aggregates(self) -> dict[str, SQL]:
        """Measures that are more than the sum or average of their rows: ``{name: expression over the grouped rows}``.

        Asked for with the aggregator of the field. An expression names the columns of the query through
        :meth:`_column`, and is empty where it would divide by zero.
        """
        return {}

    def _column(self, name) -> SQL:
        """A column of the query, to be aggregated."""
        return SQL.identifier(self._table, name)

    def _read_group_select(self, aggregate_spec, query):
        name, _colon, function = aggregate_spec.partition(":")
        aggregator = name in self._fields and self._fields[name].aggregator
        if function == aggregator and name in (aggregates := self._get_aggregates()):
            return aggregates[name]
        if function == "sum_currency" and aggregator == "avg":
            return SQL("NULL::numeric")  # asked for where a group has several currencies: a sum is no average
        return super()._read_group_select(aggregate_spec, query)

    # ------------------------------------------------------------
    # Search
    # ------------------------------------------------------------

    @api.model
    def _search(self, *args, **kwargs):
        query = super()._search(*args, **kwargs)
        return query if query.is_empty() else ReportQuery(query, self)

    def _compute_collaborator_ids(self):
        for row in self:
            row.collaborator_ids = row.lead_id.collaborator_ids

    @api.model
    def _search_collaborator_ids(self, operator, value):
        return self._search_leads("collaborator_ids", operator, value)

    def _compute_product_category_id(self):
        for row in self:
            row.product_category_id = row.lead_id.opportunity_line_ids.product_id.categ_id[:1]

    @api.model
    def _search_product_category_id(self, operator, value):
        return self._search_leads("opportunity_line_ids.product_id.categ_id", operator, value)

    def _search_leads(self, path, operator, value):
        """Ask the opportunities once: a path through ``lead_id`` would look up the opportunity of each row."""
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented  # the ORM turns it around
        leads = self.env["crm.lead"].with_context(active_test=False)
        return Domain("lead_id", "in", leads._search([(path, operator, value)], bypass_access=True))

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    @api.readonly
    def action_open_lead(self):
        """Open the opportunity of this row.

        :raise AccessError: where it is not the user's to read
        """
        self.ensure_one()
        return self.lead_id.get_formview_action()

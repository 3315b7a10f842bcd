from odoo.tools import SQL
from odoo.tools.query import Query

from .report_query import ReportQuery, find_names

AMOUNTS = ("expected_revenue", "prorated_revenue")
KEYS = ("opportunity_type_id", "furthest_stage_id", "won_status")  # what the rows of an opportunity depend on
ROW_TABLES = ("stage", "funnel", "stay")  # what tells the rows of one opportunity apart


class FunnelQuery(ReportQuery):
    """Select from the funnel. For sums, opportunities that are alike are taken together first.

    An opportunity has a row for each stage that it reached. Opportunities of the same type, furthest stage and result
    have the same rows, so a sum needs these rows once for all of them, with their number as ``weight``. They are
    counted by whatever else the statement names. Conditions on the opportunity are checked before they are counted.
    """

    def __init__(self, query: Query, report, is_sum: bool):
        """Take over a query of the funnel.

        :param is_sum: whether every measure takes the weight of its rows into account
        """
        super().__init__(query, report)
        self.is_sum = is_sum
        self.lead_columns = {
            name: sql for name, sql in self.columns.items() if not any(find_names(table, sql) for table in ROW_TABLES)
        }

    def add_lead_column(self, name: str, expression: SQL) -> SQL:
        """Add a column that is made of ``lead`` alone. Return how a statement names it."""
        self.columns[name] = self.lead_columns[name] = expression
        return SQL.identifier(self.table, name)

    def select(self, *args):
        return (self.is_sum and self._select_sums(args)) or super().select(*args)

    def _select_sums(self, args) -> SQL | None:
        """Return the statement over opportunities taken together; None if it looks at single ones."""
        clauses = self._where_clauses
        lead_clauses = [clause for clause in clauses if self._is_about_leads(clause)]
        self._where_clauses = [clause for clause in clauses if clause not in lead_clauses]
        self._tables[self.table] = SQL.identifier(self.table)
        try:
            names = find_names(self.table, Query.select(self, *args))
            if not self._may_take_together(names):
                return None
            table = self._get_weighed_table(names, lead_clauses)
            self._tables[self.table] = SQL("(%s)", table, to_flush=self._whole_table.to_flush)
            return Query.select(self, *args)
        finally:
            self._where_clauses = clauses

    def _is_about_leads(self, clause) -> bool:
        names = find_names(self.table, clause)
        return names <= self.lead_columns.keys() and not any(find_names(alias, clause) for alias in self._joins)

    def _may_take_together(self, names) -> bool:
        """Whether the columns are the same for opportunities that are alike, and amounts are in sums alone."""
        if names & {"id", "lead_id"} or self._get_row_names() & self._get_amounts():
            return False
        if any(find_names("ordered", self.columns[name]) for name in names & self.columns.keys()):
            return False
        measures = SQL(", ").join(
            [self.columns[name] for name in names - self._get_dimensions() if name in self.columns]
        )
        return find_names("lead", measures) <= {*KEYS, *AMOUNTS} and not find_names("stay", measures)

    def _get_row_names(self) -> set[str]:
        """Return the columns that the statement looks at in each row, besides those that it adds up."""
        joins = [SQL("%s %s", table, condition) for _kind, table, condition in self._joins.values()]
        parts = [*self._where_clauses, *joins, self.groupby or SQL()]
        return find_names(self.table, SQL(" ").join(parts))

    def _get_amounts(self) -> set[str]:
        return {name for name, sql in self.columns.items() if find_names("lead", sql) & {*AMOUNTS}}

    def _get_dimensions(self) -> set[str]:
        """Return the columns of the opportunity that are no measures."""
        fields = self.report._fields
        return {
            name
            for name in self.lead_columns
            if name not in fields or fields[name].type not in ("integer", "float", "monetary")
        } - {"weight"}

    def _get_weighed_table(self, names, lead_clauses) -> SQL:
        dimensions = names & self._get_dimensions()
        keys = {*KEYS, *dimensions}
        columns = {
            **{name: sql for name, sql in self.columns.items() if name in names},
            **{name: SQL.identifier("lead", name) for name in dimensions},
            "weight": SQL("lead.weight"),
        }
        leads = self._get_leads(keys, lead_clauses)
        return self.report._get_table_query(columns, self.report._from_funnel(SQL("(%s) lead", leads)), SQL("TRUE"))

    def _get_leads(self, keys, clauses) -> SQL:
        """Return opportunities taken together by ``keys``: their number and their amounts."""
        used = keys.union(*(find_names(self.table, clause) for clause in clauses))
        columns = {
            "furthest_stage_id": SQL("lead.furthest_stage_id"),
            **{name: sql for name, sql in self.lead_columns.items() if name in used or name in AMOUNTS},
        }
        return SQL(
            "SELECT %(keys)s, COUNT(*)::int AS weight, %(amounts)s FROM (%(leads)s) AS %(alias)s WHERE %(where)s"
            " GROUP BY %(keys)s",
            keys=SQL(", ").join([SQL.identifier(name) for name in sorted(keys)]),
            amounts=SQL(", ").join([SQL("SUM(%(name)s) AS %(name)s", name=SQL.identifier(name)) for name in AMOUNTS]),
            leads=self.report._get_table_query(columns, self.report._from_leads()),
            alias=SQL.identifier(self.table),
            where=SQL(" AND ").join([SQL("TRUE"), *clauses]),
        )

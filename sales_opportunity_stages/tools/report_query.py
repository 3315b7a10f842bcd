import re

from odoo.tools import SQL
from odoo.tools.query import Query


class ReportQuery(Query):
    """Select from a report, of which only the columns are made that the statement names.

    Which columns these are is read in the finished statement. Filters, groups, record rules, sorting and the
    expressions of measures all end up in it, so none is forgotten and none has to be announced. A statement names a
    column together with the table, as the ORM does.
    """

    def __init__(self, query: Query, report):
        """Take over a query of ``report``.

        :param report: has ``_select_columns()``, and ``_get_table_query(columns)``, which returns what the table is
            with some of these columns
        """
        vars(self).update(vars(query))
        self.report = report
        self.columns = report._select_columns()
        self._whole_table = self._tables[self.table]

    def select(self, *args):
        return self._make(super().select, args)

    def subselect(self, *args):
        return self._make(super().subselect, args)

    def _make(self, select, args) -> SQL:
        """Return ``select(*args)``, first with the name of the table instead of the table to see what it names."""
        self._tables[self.table] = SQL.identifier(self.table)
        names = find_names(self.table, select(*args))
        table = self._get_table({name: sql for name, sql in self.columns.items() if name in names})
        self._tables[self.table] = SQL("(%s)", table, to_flush=self._whole_table.to_flush)
        return select(*args)

    def _get_table(self, columns) -> SQL:
        return self.report._get_table_query(columns)


def find_names(alias: str, sql: SQL) -> set[str]:
    """Return the names that stand behind ``alias.`` in a statement.

    >>> sorted(find_names("lead", SQL('lead.id, "lead"."user_id", misleading.name, "lead__user_id"."name"')))
    ['id', 'user_id']
    """
    return set(re.findall(rf'(?<![\w"])"?{re.escape(alias)}"?\."?(\w+)', sql.code))

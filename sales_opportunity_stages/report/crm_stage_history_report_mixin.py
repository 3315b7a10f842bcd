from datetime import date, datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from ..tools.tracked_values import TRACKED

LEDGER_COLUMNS = {"expected_revenue": "old_amount", "probability": "old_amount", "date_deadline": "old_date"}
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)  # with a day before and after in any time zone

# Keys of the context that say which days a report is of.
DAYS = ("snapshot_date", "flow_date_from", "flow_date_to", "change_date_from", "change_date_to", "tz")


class CrmStageHistoryReportMixin(models.AbstractModel):
    """An analysis over the stays in stages, as of days that the user has chosen: one row for each stay concerned.

    Type and stage are those of the stay. Revenue, salesperson, team, expected closing and probability are those of
    then, read from the change ledger. All else is as it is on the opportunity now, which decides too who may see it.
    The alias of ``crm_stage_visit`` is ``visit``.

    Days come in the context of the action, are those of the user's time zone, and count as a whole: what happened *on*
    a day has happened as of it. What was archived without being lost is left out, for days before that too, as nothing
    says when it was. What has become a lead again was an opportunity then.
    """

    _name = "crm.stage.history.report.mixin"
    _description = "Analysis of Opportunities as of Chosen Days"
    _inherit = ["crm.lead.report.mixin"]
    _depends = {
        "crm.lead": ["probability", "expected_revenue"],
        "crm.lead.change": ["change_date", "field_name", "lead_id", "old_amount", "old_date", "old_record_id"],
        "crm.stage.visit": [
            "date_end",
            "date_start",
            "expected_revenue",
            "lead_id",
            "opportunity_type_id",
            "outcome",
            "stage_id",
            "user_id",
        ],
    }

    stage_id = fields.Many2one("crm.stage", readonly=True)
    visit_user_id = fields.Many2one(
        "res.users",
        "Salesperson Then",
        readonly=True,
        depends_context=DAYS,
        help="Who was responsible on that day.",
    )
    team_then_id = fields.Many2one("crm.team", "Sales Team Then", readonly=True, depends_context=DAYS)
    deadline_then = fields.Date("Expected Closing Then", readonly=True, depends_context=DAYS)
    is_exact = fields.Boolean(
        "Exact",
        readonly=True,
        depends_context=DAYS,
        help="The change ledger has every change since that day. Earlier revenue, salesperson and team are those that "
        "the chatter has tracked. Earlier expected closing and probability are those of the day when it began.",
    )
    exact_from = fields.Datetime(
        readonly=True, help="The change ledger has every change of the opportunity since then."
    )
    date_start = fields.Datetime("Entered", readonly=True)
    date_end = fields.Datetime("Left", readonly=True)

    # ------------------------------------------------------------
    # Days
    # ------------------------------------------------------------

    def _get_chosen_day(self, key, default):
        """A day that the context asks for.

        :param str key: of the context
        :param date default: where the context asks for none
        :raise UserError: where what it asks for is no day
        """
        value = self.env.context.get(key)
        if not value:
            return default
        try:
            return min(max(fields.Date.to_date(value), FIRST_DAY), LAST_DAY)
        except (AttributeError, TypeError, ValueError) as error:
            raise UserError(
                self.env._("'%(value)s' is not a day. Write it like %(day)s.", value=value, day=default)
            ) from error

    def _get_day_start(self, day) -> datetime:
        """When a day begins where the user is, in UTC."""
        start = self.env.tz.localize(datetime.combine(day, time.min))
        return start.astimezone(pytz.utc).replace(tzinfo=None)

    def _get_day_end(self, day) -> datetime:
        """When the day after it begins: what is before has happened as of the day."""
        return self._get_day_start(day + timedelta(days=1))

    # ------------------------------------------------------------
    # The change ledger
    # ------------------------------------------------------------

    def _get_moments(self) -> dict[str, datetime]:
        """Return the moments that values are shown of, by a name for each."""
        return {}

    def _get_value_at(self, moment_name, name) -> SQL:
        """Return the expression of the value that an opportunity had at a moment.

        :param str moment_name: of :meth:`_get_moments`
        :param str name: of the field of ``crm.lead``
        """
        present = SQL("lead.%s", SQL.identifier(name))
        if self._get_moments()[moment_name] > fields.Datetime.now():
            return present
        change = SQL.identifier(f"{moment_name}_{name}")
        return SQL("CASE WHEN %s.lead_id IS NULL THEN %s ELSE %s.value END", change, present, change)

    def _get_joins(self):
        joins = {
            f"{moment_name}_{name}": self._join_first_changes(f"{moment_name}_{name}", name, moment)
            for moment_name, moment in self._get_moments().items()
            for name in TRACKED
        }
        return {**super()._get_joins(), **joins}

    def _join_first_changes(self, alias, name, moment) -> SQL:
        """Return the join of the first change of a field from a moment on: its old value is that of the moment."""
        return SQL(
            """
            LEFT JOIN (SELECT DISTINCT ON (lead_id) lead_id, %(column)s AS value
                         FROM crm_lead_change
                        WHERE field_name = %(name)s AND change_date >= %(moment)s
                        ORDER BY lead_id, change_date, id) %(alias)s ON %(alias)s.lead_id = lead.id
            """,
            column=SQL.identifier(LEDGER_COLUMNS.get(name, "old_record_id")),
            name=name,
            moment=moment,
            alias=SQL.identifier(alias),
        )

    def _get_first_moment(self):
        """Return the earliest moment that the report shows values of."""
        return min(self._get_moments().values())

    def _is_exact(self) -> SQL:
        start = self.env["crm.lead.change"]._get_start()
        return SQL("(%s OR lead.create_date >= %s)", self._get_first_moment() >= start, start)

    @api.model
    @api.readonly
    def get_history_notice(self):
        """Return from when the figures are exact, as a sentence; False where they are for the chosen days."""
        self.browse().check_access("read")
        start = self.env["crm.lead.change"]._get_start()
        if self._get_first_moment() >= start:
            return False
        return self.env._(
            "Figures are exact from %(moment)s on. Before that, revenue, salesperson and team are as far as the "
            "chatter tracked them; expected closing and probability are as they were at that moment.",
            moment=format_datetime(self.env, start, dt_format="short"),
        )

    # ------------------------------------------------------------
    # Query
    # ------------------------------------------------------------

    def _select_columns(self):
        names = ["id", "opportunity_type_id", "stage_id", "date_start", "date_end"]
        return {
            **super()._select_columns(),
            **{name: SQL("visit.%s", SQL.identifier(name)) for name in names},
            "is_exact": self._is_exact(),
            "exact_from": SQL("GREATEST(lead.create_date, %s)", self.env["crm.lead.change"]._get_start()),
        }

    def _from(self):
        return SQL("%s JOIN crm_stage_visit visit ON visit.lead_id = lead.id", super()._from())

    def _where(self):
        return SQL("(lead.active OR lead.won_status = 'lost')")

from datetime import date, datetime, time, timedelta

import pytz

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)  # with a day before and after in any time zone


class CrmStageHistoryReportMixin(models.AbstractModel):
    """An analysis over the stays in stages, as of days that the user has chosen: one row for each stay concerned.

    Type, stage, salesperson and revenue are those of then, as the stay recorded them on entering the stage. All else is
    as it is on the opportunity now, which decides too who may see it. The alias of ``crm_stage_visit`` is ``visit``.

    Days come in the context of the action, are those of the user's time zone, and count as a whole: what happened *on*
    a day has happened as of it. What was archived without being lost is left out, for days before that too, as nothing
    says when it was. What has become a lead again was an opportunity then.
    """

    _name = "crm.stage.history.report.mixin"
    _description = "Analysis of Opportunities as of Chosen Days"
    _inherit = ["crm.lead.report.mixin"]
    _depends = {
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
        "res.users", "Salesperson Then", readonly=True, help="Who was responsible when it entered the stage."
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
    # Query
    # ------------------------------------------------------------

    def _select_columns(self):
        names = ["id", "opportunity_type_id", "stage_id", "date_start", "date_end"]
        return {
            **super()._select_columns(),
            **{name: SQL("visit.%s", SQL.identifier(name)) for name in names},
            "visit_user_id": SQL("visit.user_id"),
        }

    def _from(self):
        return SQL("%s JOIN crm_stage_visit visit ON visit.lead_id = lead.id", super()._from())

    def _where(self):
        return SQL("(lead.active OR lead.won_status = 'lost')")

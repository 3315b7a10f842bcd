from ast import literal_eval
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.misc import format_date

MODULE = "sales_opportunity_stages"
REPORTS = {"snapshot": "crm.snapshot.report", "flow": "crm.flow.report", "changes": "crm.pipeline.change.report"}
DAY_KEYS = {"snapshot": "snapshot_date", "flow": "flow_date_from", "changes": "change_date_from"}


class CrmPipelineHistory(models.TransientModel):
    """For which day, or between which days, is the pipeline to be shown? Changes nothing."""

    _name = "crm.pipeline.history"
    _description = "Pipeline in the Past"

    kind = fields.Selection(
        [("snapshot", "As of a Day"), ("flow", "Between Two Days"), ("changes", "What Changed")],
        "Show",
        required=True,
        default="snapshot",
    )
    date = fields.Date(
        "Day",
        default=fields.Date.context_today,
        help="The pipeline as it stood when this day ended in your time zone.",
    )
    date_from = fields.Date(
        "From", compute="_compute_date_from", store=True, readonly=False, help="From the start of this day."
    )
    date_to = fields.Date("To", default=fields.Date.context_today, help="To the end of this day.")
    notice = fields.Char("Exact From", compute="_compute_notice")

    @api.depends("kind")
    def _compute_date_from(self):
        """Offer this month, or the last seven days for what changed."""
        today = fields.Date.context_today(self)
        for wizard in self:
            wizard.date_from = today - timedelta(days=6) if wizard.kind == "changes" else today.replace(day=1)

    @api.depends("kind", "date", "date_from")
    def _compute_notice(self):
        """Tell from when figures are exact, where the chosen day is earlier."""
        for wizard in self:
            kind = wizard.kind or "snapshot"
            day = wizard.date if kind == "snapshot" else wizard.date_from
            report = self.env[REPORTS[kind]].with_context(**{DAY_KEYS[kind]: day and fields.Date.to_string(day)})
            wizard.notice = report.get_history_notice()

    @api.constrains("kind", "date", "date_from", "date_to")
    def _check_days(self):
        for wizard in self:
            error = wizard._get_error()
            if error:
                raise ValidationError(error)

    def _get_error(self):
        """Why these days cannot be shown, or False."""
        self.ensure_one()
        if self.kind == "snapshot" and not self.date:
            return self.env._("Choose the day that the pipeline is to be shown for.")
        if self.kind == "snapshot" and self.date > fields.Date.context_today(self):
            return self.env._(
                "What the pipeline will be on %(day)s is not known yet. Choose today or an earlier day.",
                day=format_date(self.env, self.date),
            )
        if self.kind != "snapshot" and not (self.date_from and self.date_to):
            return self.env._("Choose the first and the last day of the period.")
        if self.kind != "snapshot" and self.date_from > self.date_to:
            return self.env._(
                "The period ends on %(end)s, before it starts on %(start)s. Swap the two days.",
                start=format_date(self.env, self.date_from),
                end=format_date(self.env, self.date_to),
            )
        return False

    def action_show(self):
        """Open the report, which carries the days in its title and context."""
        self.ensure_one()
        return getattr(self, f"_get_{self.kind}_action")()

    def _get_snapshot_action(self):
        title = self.env._("Pipeline on %(day)s", day=format_date(self.env, self.date))
        return self._get_report_action("crm_snapshot_report_action", title, snapshot_date=self.date)

    def _get_flow_action(self):
        title = self.env._(
            "Flow from %(start)s to %(end)s",
            start=format_date(self.env, self.date_from),
            end=format_date(self.env, self.date_to),
        )
        return self._get_report_action(
            "crm_flow_report_action", title, flow_date_from=self.date_from, flow_date_to=self.date_to
        )

    def _get_changes_action(self):
        title = self.env._(
            "Changes from %(start)s to %(end)s",
            start=format_date(self.env, self.date_from),
            end=format_date(self.env, self.date_to),
        )
        return self._get_report_action(
            "crm_pipeline_change_report_action", title, change_date_from=self.date_from, change_date_to=self.date_to
        )

    def _get_report_action(self, name, title, **days):
        action = self.env["ir.actions.act_window"]._for_xml_id(f"{MODULE}.{name}")
        context = {**literal_eval(action["context"]), **{key: fields.Date.to_string(day) for key, day in days.items()}}
        return {**action, "name": title, "display_name": title, "context": context}

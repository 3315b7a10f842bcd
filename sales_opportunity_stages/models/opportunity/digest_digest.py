from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

REPORT = "crm.pipeline.change.report"
FIGURES = ("end", "new", "won", "lost", "bigger", "smaller", "pulled_in", "pushed_out", "moved_back", "handed_over")
WEEKLY = "sales_opportunity_stages.digest_digest_pipeline"


def _value():
    return fields.Monetary(compute="_compute_pipeline_values")


class DigestDigest(models.Model):
    """What changed in the pipeline, in Odoo's digest: of the teams that the reader leads, or of all that they see."""

    _inherit = "digest.digest"

    kpi_pipeline_end = fields.Boolean("Pipeline at End")
    kpi_pipeline_end_value = _value()
    kpi_pipeline_new = fields.Boolean("Pipeline: New")
    kpi_pipeline_new_value = _value()
    kpi_pipeline_won = fields.Boolean("Pipeline: Won")
    kpi_pipeline_won_value = _value()
    kpi_pipeline_lost = fields.Boolean("Pipeline: Lost")
    kpi_pipeline_lost_value = _value()
    kpi_pipeline_bigger = fields.Boolean("Pipeline: Bigger")
    kpi_pipeline_bigger_value = _value()
    kpi_pipeline_smaller = fields.Boolean("Pipeline: Smaller")
    kpi_pipeline_smaller_value = _value()
    kpi_pipeline_pulled_in = fields.Boolean("Pipeline: Pulled In")
    kpi_pipeline_pulled_in_value = _value()
    kpi_pipeline_pushed_out = fields.Boolean("Pipeline: Pushed Out")
    kpi_pipeline_pushed_out_value = _value()
    kpi_pipeline_moved_back = fields.Boolean("Pipeline: Moved Back")
    kpi_pipeline_moved_back_value = _value()
    kpi_pipeline_handed_over = fields.Boolean("Pipeline: Handed Over")
    kpi_pipeline_handed_over_value = _value()

    @api.depends_context("start_datetime", "end_datetime", "uid", "allowed_company_ids")
    def _compute_pipeline_values(self):
        """Ask the report once for all figures of a period.

        :raise AccessError: for users who see no opportunities; the digest leaves the figures out
        """
        if not self.env.user.has_group("sales_team.group_sale_salesman"):
            raise AccessError(self.env._("You need the Sales role to see figures of the pipeline."))
        values = self._read_pipeline_changes()
        for digest in self:
            for name in FIGURES:
                digest[f"kpi_pipeline_{name}_value"] = values.get(name, 0)

    def _read_pipeline_changes(self):
        """``{figure: revenue}`` of the days in the context."""
        start, end, companies = self._get_kpi_compute_parameters()
        start, end = fields.Datetime.to_datetime(start), fields.Datetime.to_datetime(end)
        report = self.env[REPORT].with_context(
            change_date_from=fields.Date.to_string(start.date() + timedelta(days=1)),
            change_date_to=fields.Date.to_string(end.date()),
        )
        domain = [("company_id", "in", [*companies.ids, False])]
        # sudo: the teams that the reader leads, in all companies
        teams = self.env["crm.team"].sudo().search([("user_id", "=", self.env.uid)])
        if teams:
            domain.append(("team_then_id", "in", teams.ids))
        (row,) = report._read_group(domain, [], [f"{name}_revenue:sum" for name in FIGURES])
        return dict(zip(FIGURES, (value or 0 for value in row), strict=True))

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        menu_id = self.env.ref("crm.crm_menu_root").id
        action = f"sales_opportunity_stages.crm_pipeline_change_report_action?menu_id={menu_id}"
        return actions | {f"kpi_pipeline_{name}": action for name in FIGURES}

    @api.model
    def _subscribe_team_leaders(self, teams):
        """Send the weekly digest of the pipeline to the leaders of teams. They may unsubscribe."""
        # sudo: whoever names a team leader need not manage digests
        digest = self.env.ref(WEEKLY, raise_if_not_found=False)
        if digest:
            digest._action_subscribe_users(teams.sudo().user_id.filtered(lambda user: user._is_internal()))

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models

DAYS = 90


class SaleApprovalRule(models.Model):
    """The dry run of a rule: which quotations of the last 90 days would have needed it. Nothing is asked or stored."""

    _inherit = "sale.approval.rule"

    dry_run_total = fields.Integer("Quotations of the Last 90 Days", compute="_compute_dry_run", compute_sudo=True)
    dry_run_count = fields.Integer("Would Have Needed It", compute="_compute_dry_run", compute_sudo=True)
    dry_run_order_ids = fields.Many2many(
        "sale.order", compute="_compute_dry_run", compute_sudo=True, string="Quotations That Would Have Needed It"
    )

    @api.depends("min_amount", "domain", "company_id")
    def _compute_dry_run(self):
        for rule in self:
            orders = rule._get_recent_quotations()
            terms = rule._get_trial_terms()
            needing = orders.filtered(lambda order, terms=terms: terms and order._filter_terms([terms]))
            rule.dry_run_total, rule.dry_run_count = len(orders), len(needing)
            rule.dry_run_order_ids = needing.sudo(False)._filtered_access("read").ids

    def _get_trial_terms(self):
        """Return the terms as they stand on the form, None while the conditions cannot be evaluated."""
        try:
            return self._get_default_terms().with_conditions(
                self.min_amount, self.domain or "[]", list(self._evaluate_domain(self.domain))
            )
        except Exception:  # what is being typed is no domain yet
            return None

    def _get_recent_quotations(self):
        since = fields.Datetime.now() - relativedelta(days=DAYS)
        return self.env["sale.order"].search(
            [("company_id", "=", self.company_id.id), ("create_date", ">=", since), ("state", "!=", "cancel")]
        )

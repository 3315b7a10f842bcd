from odoo import api, models
from odoo.tools import SQL


class SaleApprovalRule(models.Model):
    """What a database from before the approval flow is given: approvals stay given, requests become steps."""

    _inherit = "sale.approval.rule"

    @api.model
    def _upgrade_to_flow(self):
        """Make the settings of each company its first rule, and steps of approvals and requests. Idempotent."""
        # sudo: an upgrade is of all companies
        companies = self.env["res.company"].sudo().search([("quotation_approval", "=", "required")])
        companies._sync_approval_rule()
        self.env.flush_all()
        for order in self._get_orders_without_steps("approved"):
            order._adopt_approval()
        for order in self._get_orders_without_steps("open"):
            order._adopt_request()

    def _get_orders_without_steps(self, approval_state):
        """Return the orders that were approved, or whose approval was requested, before there were steps."""
        query = SQL(
            """
            SELECT id
              FROM sale_order o
             WHERE approval_state = %s
               AND (approval_state = 'approved' OR approval_requested_by_id IS NOT NULL AND state IN ('draft', 'sent'))
               AND NOT EXISTS (SELECT FROM sale_order_approval step WHERE step.order_id = o.id)
          ORDER BY id
            """,
            approval_state,
        )
        # sudo: an upgrade is of all orders
        return self.env["sale.order"].sudo().browse(row[0] for row in self.env.execute_query(query))


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _adopt_approval(self):
        """Store the approval that this order has been given as a step."""
        rule = self.env["sale.approval.rule"].search(
            [("company_id", "=", self.company_id.id), ("from_settings", "=", True)]
        )
        terms = rule._get_terms() if rule else self.env["sale.approval.rule"]._get_default_terms()
        self._write_derived({"approval_round": 1})
        self._create_steps([terms])
        step = self._get_live_steps("waiting")
        step._write_step(
            {
                "state": "approved",
                "approver_ids": [(4, id_) for id_ in self.approved_by_id.ids],
                "decided_by_id": self.approved_by_id.id,
                "decided_date": self.approved_date,
                "amount": self.approved_amount,
            }
        )

    def _adopt_request(self):
        """Let the pending request of this quotation be a request of the flow; who was asked keeps the activity."""
        requester = self.approval_requested_by_id
        if self._requires_approval():
            self.with_user(requester).sudo()._start_round(requester)  # sudo: in the name of who requested it

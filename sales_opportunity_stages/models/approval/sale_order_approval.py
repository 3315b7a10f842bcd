from odoo import api, fields, models

from ...tools import ApprovalTerms

LIVE = ("waiting", "requested", "approved")


class SaleOrderApproval(models.Model):
    """One step of the approval of a quotation: what was asked of whom, and who decided, for whom and why.

    Written by the system alone, whatever asks or decides. A rule that all approvers have to agree to is a step for
    each of them. Steps of an earlier request stay; ``round`` says which request of the quotation a step belongs to.
    """

    _name = "sale.order.approval"
    _description = "Approval Step"
    _inherit = ["sales.ledger.mixin"]
    _order = "order_id, round desc, level, id"
    _rec_name = "rule_id"

    order_id = fields.Many2one("sale.order", "Quotation", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="cascade")
    rule_id = fields.Many2one(
        "sale.approval.rule",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="Blank: an approval that no rule asked for, or whose rule has been deleted.",
    )
    level = fields.Integer(required=True, readonly=True, aggregator=None)
    round = fields.Integer("Request", required=True, readonly=True, aggregator=None)
    state = fields.Selection(
        [
            ("waiting", "Not Asked Yet"),
            ("requested", "Requested"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("returned", "Returned for Change"),
            ("withdrawn", "Withdrawn"),
            ("lapsed", "Lapsed"),
        ],
        required=True,
        readonly=True,
        index=True,
        help="Lapsed: the quotation was changed, or the request ended without this decision.",
    )
    requested_date = fields.Datetime("Requested On", readonly=True)
    requested_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    approver_ids = fields.Many2many(
        "res.users",
        "sale_order_approval_approver_rel",
        "approval_id",
        "user_id",
        string="Approvers",
        readonly=True,
        help="Who may decide: the people the rule named when it was asked, and those it was escalated to.",
    )
    escalated_ids = fields.Many2many(
        "res.users",
        "sale_order_approval_escalated_rel",
        "approval_id",
        "user_id",
        string="Escalated To",
        readonly=True,
    )
    escalation_count = fields.Integer("Escalations", readonly=True, aggregator=None)
    escalated_date = fields.Datetime("Escalated On", readonly=True)
    escalate_days = fields.Integer("Escalate After", readonly=True, aggregator=None)
    decided_by_id = fields.Many2one("res.users", readonly=True, index=True, ondelete="restrict")
    on_behalf_of_id = fields.Many2one(
        "res.users", readonly=True, ondelete="restrict", help="In whose place a deputy decided."
    )
    decided_date = fields.Datetime("Decided On", readonly=True)
    reason = fields.Text(readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True, ondelete="restrict")
    amount = fields.Monetary(
        readonly=True, aggregator=None, help="The total that was asked for or decided on, taxes included."
    )
    content_digest = fields.Char(readonly=True, help="Equal digests: the content was the same.")
    seen = fields.Json(readonly=True, help="What the rule looks at, as it was when it was asked or decided on.")
    terms = fields.Json(readonly=True, help="The rule as it was when the approval was requested.")

    _order_round = models.Index("(order_id, round)")
    _requested = models.Index("(order_id) WHERE state = 'requested'")

    @api.depends("rule_id.name", "level")
    def _compute_display_name(self):
        for step in self:
            # sudo: the rule of a step is named to everybody who reads the step
            name = step.rule_id.sudo().name or self.env._("Quotation Approval")
            step.display_name = self.env._("%(level)s. %(rule)s", level=step.level, rule=name)

    def _get_terms(self):
        """Return the terms that were asked."""
        self.ensure_one()
        return ApprovalTerms.from_json(self.terms)

    # ------------------------------------------------------------
    # Writing
    # ------------------------------------------------------------

    def _write_step(self, vals):
        """Store what has happened to these steps."""
        self._as_ledger().write(vals)

    def _set_state(self, state):
        """End these steps without a decision of their own."""
        if self:
            self._write_step({"state": state})

    def _see(self):
        """Store what these steps ask to approve now."""
        for step in self:
            step._write_step(step.order_id._prepare_seen(step._get_terms()))

    def _decide(self, state, user, reason=None):
        """Store a decision of a user; in whose place follows from the step.

        :param state: ``approved``, ``refused`` or ``returned``
        """
        principals = user._get_approval_principals()
        for step in self:
            step._write_step(
                {
                    **step.order_id._prepare_seen(step._get_terms()),
                    "state": state,
                    "decided_by_id": user.id,
                    "on_behalf_of_id": (step._find_principal(user, principals) or user.browse()).id,
                    "decided_date": fields.Datetime.now(),
                    "reason": reason,
                }
            )

    # ------------------------------------------------------------
    # Who decides
    # ------------------------------------------------------------

    def _find_principal(self, user, principals):
        """Return in whose place a user may decide on this step, or None.

        Four-eyes (四眼原则) counts a deputy and who they stand in for. A deputy decides on nothing that they have
        worked on themselves, whatever the company asks for.

        :param principals: the users in whose place the user decides today
        :returns: an empty recordset where it is in their own
        """
        self.ensure_one()
        order, nobody = self.order_id, user.browse()
        barred = order._get_barred_users()
        if self.state != "requested" or user in barred or not self._can_take_part(user):
            return None
        named = self.approver_ids - self.escalated_ids
        if user in named:
            return nobody
        if user in self.escalated_ids:
            # sudo: preferences of other users
            principals |= named.sudo().filtered(lambda approver: approver.approval_deputy_id == user)
        principals = (named & principals).filtered(lambda principal: principal.active) - barred
        if principals:
            return None if user in order._get_involved_users() else principals[:1]
        return nobody if user in self.escalated_ids else None

    def _can_take_part(self, user):
        """Return whether a user works in the company, and has not decided for this rule already: one person agrees in
        the place of one approver, not of several."""
        siblings = self.order_id._get_round_steps().filtered(
            lambda step: step.state == "approved" and step.level == self.level and step.rule_id == self.rule_id
        )
        return user.active and self.company_id in user.company_ids and user not in siblings.decided_by_id

    def _get_deciders(self):
        """Return ``{user: in whose place}`` of everybody who may decide on this step now, deputies included."""
        self.ensure_one()
        # sudo: other users, and what they prefer
        approvers = self.approver_ids.sudo()
        places = {user: user.browse() for user in approvers}
        for principal, deputy in approvers._get_active_deputies().items():
            places[deputy] = places.get(deputy, principal.browse()) | principal
        found = {user: self._find_principal(user, principals) for user, principals in places.items()}
        return {user: principal for user, principal in found.items() if principal is not None}

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL

from ...tools import AMOUNT, ApprovalTerms, get_digest
from .sale_order_approval import LIVE


class SaleOrder(models.Model):
    """The approval flow of a quotation: which rules it needs, whom its steps ask, and when it is through.

    A request pins the rules of the company. Only the next level is asked; the last approval makes the quotation
    effective, see ``_set_approved``.
    """

    _inherit = "sale.order"

    approval_step_ids = fields.One2many("sale.order.approval", "order_id", "Approval Steps", readonly=True, copy=False)
    approval_progress = fields.Selection(
        [("none", "Not Requested"), ("requested", "Waiting for Approval"), ("refused", "Refused")],
        string="Approval Request",
        default="none",
        required=True,
        readonly=True,
        copy=False,
        index=True,
    )
    approval_round = fields.Integer(readonly=True, copy=False, prefetch="approval", aggregator=None)
    approval_requested_date = fields.Datetime("Requested On", readonly=True, copy=False, prefetch="approval")
    approval_flow = fields.Json(
        readonly=True, copy=False, prefetch="approval_flow", help="The rules when the approval was requested."
    )

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {
            "approval_step_ids",
            "approval_progress",
            "approval_round",
            "approval_requested_date",
            "approval_flow",
        }

    # ------------------------------------------------------------
    # Rules
    # ------------------------------------------------------------

    def _get_live_flow(self):
        """Return the terms of the rules of the company as they are now; empty where it has none."""
        return self.env["sale.approval.rule"]._get_flow(self.company_id.id) if self.company_id else ()

    def _get_flow_in_force(self):
        """Return the terms that hold for this order: those of its request while that is pending."""
        self.ensure_one()
        if self.approval_progress == "requested" and self.approval_flow:
            return tuple(ApprovalTerms.from_json(values) for values in self.approval_flow)
        return self._get_live_flow()

    def _filter_terms(self, flow):
        """Return those of some terms that this order matches now: by its total and by their conditions."""
        self.ensure_one()
        if not flow:
            return []
        if any(path == "is_first_order" for terms in flow for path, _worse in terms.criteria):
            self.invalidate_recordset(["is_first_order"])  # orders of others are no dependency
        currency, amount = self.company_id.currency_id, self._get_company_amount()
        return [
            terms
            for terms in flow
            if currency.compare_amounts(amount, terms.min_amount) >= 0 and self._matches_conditions(terms.domain)
        ]

    def _matches_conditions(self, text):
        if text.replace(" ", "") in ("", "[]"):
            return True
        return bool(self.filtered_domain(self.env["sale.approval.rule"]._evaluate_domain(text)))

    def _get_needed_terms(self):
        """Return the terms that this order needs the approval of: where no rule asks, that of any approver."""
        return self._filter_terms(self._get_flow_in_force()) or [self.env["sale.approval.rule"]._get_default_terms()]

    def _get_seen(self, flow):
        """Return what some terms look at, as ``{path: plain value}``."""
        paths = {path for terms in flow for path, _worse in terms.criteria}
        return {AMOUNT: round(self._get_company_amount(), 6)} | {path: self._get_plain_path(path) for path in paths}

    def _get_plain_path(self, path):
        """Return the value of a field of this order, or of its lines or customer, as JSON can tell it."""
        value = self.mapped(path)
        if isinstance(value, models.BaseModel):
            return sorted(value.ids)
        values = [round(each, 6) if isinstance(each, float) else each for each in value]
        values = [each if isinstance(each, int | float | str) else str(each) for each in values]
        return values[0] if len(values) == 1 else sorted(values, key=str)

    def _prepare_seen(self, terms):
        """Return the values of a step that say what is asked for or decided on."""
        return {
            "amount": self.amount_total,
            "currency_id": self.currency_id.id,
            "content_digest": self._get_content_digest(),
            "seen": self._get_seen([terms]),
        }

    def _get_content_digest(self):
        content = self._get_content()
        return get_digest(sorted((f"{record}", name, str(value)) for (record, name), value in content.items()))

    # ------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------

    def _get_round_steps(self):
        """Return the steps of the last request."""
        self.ensure_one()
        steps = self.approval_step_ids
        # read together with the steps of other orders
        return steps.filtered(lambda step: step.round == self.approval_round).with_prefetch(steps._prefetch_ids)

    def _get_live_steps(self, *states):
        """Return the steps of the last request that still hold, or those of some states."""
        steps = self._get_round_steps()
        return steps.filtered(lambda step: step.state in (states or LIVE)).with_prefetch(steps._prefetch_ids)

    def _start_round(self, requester):
        """Pin the rules and ask the first level.

        :param requester: empty where an approver decides without having been asked
        """
        self._end_round("lapsed")
        flow, needed = self._get_live_flow(), self._get_needed_terms()
        self._write_derived(
            {
                "approval_progress": "requested",
                "approval_requested_by_id": requester.id,
                "approval_requested_date": fields.Datetime.now(),
                "approval_round": self.approval_round + 1,
                "approval_flow": [terms.to_json() for terms in flow],
            }
        )
        self._remember_request()
        self._create_steps(needed)
        self._ask_next_level()

    def _create_steps(self, needed):
        """Make a step for each of some terms, which waits for its level."""
        candidates = self.env["sale.approval.rule"]._get_candidates
        self.env["sale.order.approval"]._as_ledger().create(
            [
                {**self._prepare_step(terms), "approver_ids": [Command.set(candidates(terms, self).ids)]}
                for terms in needed
            ]
        )

    def _prepare_step(self, terms):
        """Return the values of a step that waits for its level."""
        rule = self.env["sale.approval.rule"].browse(terms.rule_id).exists()
        return {
            "order_id": self.id,
            "company_id": self.company_id.id,
            "rule_id": rule.id,
            "level": terms.level,
            "round": self.approval_round,
            "state": "waiting",
            "requested_by_id": self.approval_requested_by_id.id,
            "escalate_days": terms.escalate_days,
            "terms": terms.to_json(),
            **self._prepare_seen(terms),
        }

    def _ask_next_level(self):
        """Ask the lowest level that waits, unless another one is being asked."""
        waiting = self._get_live_steps("waiting")
        if waiting and not self._get_live_steps("requested"):
            level = min(waiting.mapped("level"))
            for step in waiting.filtered(lambda step: step.level == level):
                self._ask_step(step)

    def _ask_step(self, step):
        """Ask the approvers of a step: one of them, or each by a step of their own."""
        terms = step._get_terms()
        approvers = self.env["sale.approval.rule"]._get_candidates(terms, self) - self._get_barred_users()
        if self.approval_requested_by_id:
            approvers -= self.env.ref("base.user_root")
        groups = [approvers] if terms.quorum == "any" or not approvers else list(approvers)
        asked = {"state": "requested", "requested_date": fields.Datetime.now(), **self._prepare_seen(terms)}
        step._write_step(asked | {"approver_ids": [Command.set(groups[0].ids)]})
        self.env["sale.order.approval"]._as_ledger().create(
            [self._prepare_step(terms) | asked | {"approver_ids": [Command.set(users.ids)]} for users in groups[1:]]
        )

    def _advance(self):
        """Ask the next level when this one has approved; after the last one the quotation is effective."""
        if not self._get_live_steps("requested"):
            self._ask_next_level()
        if not self._get_live_steps("requested"):
            self._set_approved()
        self._sync_approval_requests()

    def _end_round(self, state):
        """End the steps of the last request that still hold."""
        for order in self:
            order._get_live_steps()._set_state(state)

    def _end_request(self, state, progress="none"):
        """End a pending request and what it asks of people.

        :param state: of the steps that still hold
        :param progress: ``none`` or ``refused``
        """
        for order in self:
            order._end_round(state)
            order._write_derived({"approval_progress": progress})
            order._sync_approval_requests()

    # ------------------------------------------------------------
    # Requesting
    # ------------------------------------------------------------

    def action_request_approval(self):
        """Ask those whom the rules of the company name, each by an activity.

        A request that reaches nobody can be repeated once the rules are mended.

        :raise UserError: when one of the orders is not an open quotation, or nobody can approve it
        """
        self.check_access("write")
        self._check_allowed("request")
        # sudo: system fields, and activities for others; access is checked above
        for order in self.sudo():
            if order.approval_progress != "requested" or not order._get_approvers():
                order._start_round(self.env.user)
                order._check_has_approver()
            order._sync_approval_requests()
        return True

    def _check_has_approver(self):
        """:raise UserError: when a request would reach nobody, not even a Sales Administrator"""
        if not self._get_approvers() and not self.env["sale.approval.rule"]._get_sales_administrators(self):
            raise UserError(
                self.env._(
                    "Nobody can approve %(order)s: every quotation approver of %(company)s has worked on it. Ask an "
                    "administrator to add a quotation approver.",
                    order=self.name,
                    company=self.company_id.name,
                )
            )

    def _lock_rows(self):
        """Lock the order rows: of two people who decide at the same time, one sees what the other has done."""
        if self:
            self.env.cr.execute(SQL("UPDATE sale_order SET write_uid = write_uid WHERE id = ANY(%s)", self.ids))

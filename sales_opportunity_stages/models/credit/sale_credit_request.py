from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_amount, format_date, format_list, plaintext2html

REQUEST_ACTIVITY = "sales_opportunity_stages.mail_activity_type_credit"
RELEASE_DAYS = 7
DECISION_READERS = (
    "account.group_account_invoice,account.group_account_readonly,sales_opportunity_stages.group_credit_manager"
)


class SaleCreditRequest(models.Model):
    """Somebody asks a credit manager to let quotations pass that the credit check has refused.

    Nobody writes it by hand: it is made by :meth:`sale.order.action_request_credit` and decided by the methods below.
    A release lets exactly these orders pass, up to the amount that is pinned here and until a date; it is used once. A
    grant raises the limit of the unit for some time.
    """

    _name = "sale.credit.request"
    _description = "Credit Request"
    _inherit = ["mail.thread", "mail.activity.mixin", "sales.ledger.mixin"]
    _order = "id desc"
    _rec_name = "unit_id"
    _is_sealed = True

    order_ids = fields.Many2many("sale.order", string="Orders", readonly=True)
    document_names = fields.Char("Documents", readonly=True, help="Kept when the orders change.")
    unit_id = fields.Many2one(
        "res.partner", "Credit Unit", required=True, readonly=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True, ondelete="set null")
    user_id = fields.Many2one("res.users", "Salesperson", readonly=True, ondelete="set null")
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount = fields.Monetary(
        readonly=True,
        help="What the orders use of the credit of the unit. A release lets them pass up to this amount.",
    )
    excess = fields.Monetary(readonly=True, help="Amount over the limit of the unit, these orders counted.")
    overdue_days = fields.Integer("Days Overdue", readonly=True, aggregator="max")
    reason = fields.Text(readonly=True)
    requested_by_id = fields.Many2one("res.users", readonly=True)
    requested_date = fields.Datetime("Requested On", required=True, readonly=True, default=fields.Datetime.now)
    age_days = fields.Integer("Age (Days)", compute="_compute_age_days", help="Days since it was requested.")
    check_id = fields.Many2one(
        "sale.credit.check", "Credit Decision", readonly=True, ondelete="set null", help="The decision that refused it."
    )
    state = fields.Selection(
        [
            ("requested", "Requested"),
            ("granted", "Granted"),
            ("refused", "Refused"),
            ("lapsed", "Lapsed"),
            ("used", "Used"),
        ],
        required=True,
        readonly=True,
        default="requested",
        index=True,
    )
    decision = fields.Selection([("release", "Release"), ("grant", "Grant")], readonly=True)
    assigned_id = fields.Many2one(
        "res.users", "Assigned To", readonly=True, help="The credit manager that it was forwarded to."
    )
    decided_by_id = fields.Many2one("res.users", readonly=True)
    decided_date = fields.Datetime("Decided On", readonly=True)
    decision_reason = fields.Text(readonly=True)
    valid_until = fields.Date(readonly=True, help="The last day on which the orders can be confirmed by this release.")
    grant_id = fields.Many2one("sale.credit.grant", readonly=True, ondelete="set null")
    lapse_reason = fields.Char(readonly=True)
    pinned = fields.Json(
        readonly=True, help="Customer, payer and company of each order. The request lapses when one of them changes."
    )

    receivable = fields.Monetary(related="check_id.receivable")
    uninvoiced = fields.Monetary(related="check_id.uninvoiced")
    draft_invoiced = fields.Monetary(related="check_id.draft_invoiced")
    credit_limit = fields.Monetary(related="check_id.credit_limit")
    exposure = fields.Monetary(related="check_id.exposure")
    can_decide = fields.Boolean(compute="_compute_can_decide")
    decide_refusal = fields.Char("Why Not", compute="_compute_can_decide")
    payment_record = fields.Html(compute="_compute_outlook", sanitize=False, groups=DECISION_READERS)
    projection = fields.Html("When Can It Be Confirmed?", compute="_compute_outlook", sanitize=False)

    _open_idx = models.Index("(unit_id, company_id) WHERE state IN ('requested', 'granted')")

    # ------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------

    @api.depends("requested_date")
    def _compute_age_days(self):
        now = fields.Datetime.now()
        for request in self:
            request.age_days = (now - request.requested_date).days if request.requested_date else 0

    @api.depends("state")
    @api.depends_context("uid")
    def _compute_can_decide(self):
        for request in self:
            refusals = request._get_decider_refusals() if request.state == "requested" else [""]
            request.can_decide = not refusals
            request.decide_refusal = " ".join(refusals) or False

    @api.depends("unit_id")
    @api.depends_context("uid", "company")
    def _compute_outlook(self):
        """Say how the unit pays, and when the orders could be confirmed. Only for who may read amounts."""
        for request in self:
            unit = request.unit_id._origin.with_company(request.company_id)
            request.payment_record = unit._describe_payment_record(request.company_id)
            added = request.amount if request.state == "requested" else 0.0
            request.projection = Markup("<br/>").join(unit._describe_projection(request.company_id, added)) or False

    # ------------------------------------------------------------
    # Who decides
    # ------------------------------------------------------------

    def _get_involved_users(self):
        """Return who may not decide: whoever has requested it, and who is responsible for one of the orders."""
        self.ensure_one()
        # sudo: who is involved counts, whoever asks
        request = self.sudo()
        return request.requested_by_id | request.user_id | request.order_ids.user_id

    def _get_decider_refusals(self, excess=None):
        """Return why the user may not decide on this request, as sentences.

        :param excess: amount over the limit that is to be released or granted; None where the request is refused
        """
        self.ensure_one()
        user = self.env.user
        # sudo: amounts and settings count, whoever asks
        request = self.sudo()
        deciders = self.env["sale.credit.authority"]._get_deciders(request.company_id)
        if user not in deciders:
            return [self._say_who_decides(deciders, self.env._("You may not decide on credit requests."))]
        if user in self._get_involved_users():
            refusal = self.env._("You have requested this or are responsible for one of its orders.")
            return [self._say_who_decides(deciders, refusal)]
        rows = deciders[user]
        if excess is not None and rows and not rows._suffices(excess, self._get_percent(excess), request.overdue_days):
            refusal = self.env._("It is more than you may decide on.")
            return [self._say_who_decides(deciders, refusal)]
        return []

    def _say_who_decides(self, deciders, refusal):
        """Return the refusal, and who can decide instead."""
        others = [user.name for user in deciders if user not in self._get_involved_users() and user != self.env.user]
        if not others:
            return self.env._("%s Ask an administrator to name another credit manager.", refusal)
        return self.env._(
            "%(refusal)s Ask %(users)s, or forward it.", refusal=refusal, users=format_list(self.env, others[:3])
        )

    def _get_percent(self, excess):
        """Return an amount in % of the limit of the decision, None without a limit."""
        if not excess:
            return 0.0
        limit = self.sudo().check_id.credit_limit  # sudo: as the caller
        return 100 * excess / limit if limit else None

    def _check_decider(self, excess=None):
        """:raise AccessError: when the user may not decide on one of the requests"""
        self.check_access("read")
        for request in self:
            least = None if excess is None else max(excess, request.sudo().excess)  # sudo: the amount counts
            if refusals := request._get_decider_refusals(least):
                raise AccessError(
                    self.env._(
                        "The credit request for %(orders)s cannot be decided. %(reasons)s",
                        orders=request.document_names,
                        reasons=" ".join(refusals),
                    )
                )

    def _check_open(self, reason):
        """:raise UserError: when one of the requests is decided, or no reason is given"""
        if not (reason or "").strip():
            raise UserError(self.env._("Enter a reason for the decision."))
        for request in self.filtered(lambda each: each.state != "requested"):
            raise UserError(
                self.env._(
                    "The credit request for %(orders)s is closed already: %(state)s. Request credit again.",
                    orders=request.document_names,
                    state=dict(request._fields["state"]._description_selection(self.env))[request.state],
                )
            )

    # ------------------------------------------------------------
    # Decisions
    # ------------------------------------------------------------

    def action_release(self, reason, valid_until=None):
        """Let the orders of these requests pass, up to the amount requested, once.

        :param str reason: why
        :param valid_until: the last day on which they can be confirmed; in a week, where none is given
        :raise AccessError: when the user may not decide on one of them
        :raise UserError: when one is decided already, has ended, or is of an opportunity that may not be released
        """
        self._check_decider(excess=0.0)
        self._check_open(reason)
        today = fields.Date.context_today(self)
        valid_until = fields.Date.to_date(valid_until) or today + timedelta(days=RELEASE_DAYS)
        if valid_until < today:
            raise UserError(self.env._("The last day of a release cannot be in the past. Choose a later one."))
        # sudo: a ledger; who decides is checked above
        for request in self.sudo():
            request._check_releasable()
            request._check_not_stopped()
            request._decide("granted", reason, decision="release", valid_until=valid_until)
            request._tell(
                self.env._(
                    "Credit released until %(date)s: %(reason)s",
                    date=format_date(self.env, valid_until),
                    reason=reason.strip(),
                )
            )
        return True

    def _check_releasable(self):
        """:raise UserError: when an order comes from an opportunity, and the company releases none of those"""
        self.ensure_one()
        from_crm = self._get_unreleasable_orders()
        if from_crm:
            raise UserError(
                self.env._(
                    "%(orders)s cannot be released: orders of an opportunity always keep to the limit. Grant the "
                    "credit unit a temporary limit instead.",
                    orders=format_list(self.env, from_crm.mapped("name")),
                )
            )

    def _check_not_stopped(self):
        """:raise UserError: when the unit gets no order at all"""
        unit = self.unit_id.with_company(self.company_id)
        if unit.credit_control == "stop":
            raise UserError(
                self.env._("Orders of %s are stopped: no release lets one pass. Change its credit control.", unit.name)
            )

    def _get_unreleasable_orders(self):
        """Return the orders that no release lets pass: those of opportunities, unless the company allows it."""
        if self.company_id.credit_release_crm:
            return self.order_ids.browse()
        return self.order_ids.filtered("opportunity_id")

    def action_grant(self, amount, date_to, reason):
        """Raise the limit of the unit of this request by an amount until a date.

        :param float amount: on top of the limit, in the company's currency
        :param date_to: the last day
        :param str reason: why
        :raise AccessError: when the user may not decide on it
        :raise UserError: when it is decided already, or the amount or the date makes no sense
        """
        self.ensure_one()
        self._check_decider(excess=amount or 0.0)
        self._check_open(reason)
        date_to = fields.Date.to_date(date_to)
        if not date_to:
            raise UserError(self.env._("Enter the last day of the temporary limit."))
        # sudo: ledgers; who decides is checked above
        request = self.sudo()
        grant = request.env["sale.credit.grant"]._grant(
            request.unit_id,
            amount,
            company_id=request.company_id.id,
            root_company_id=request.company_id.root_id.id,
            date_to=date_to,
            reason=reason.strip(),
            requested_by_id=request.requested_by_id.id,
            granted_by_id=self.env.uid,
        )
        request._decide("granted", reason, decision="grant", grant_id=grant.id)
        request._tell(
            self.env._(
                "Temporary limit of %(amount)s granted until %(date)s: %(reason)s",
                amount=format_amount(self.env, amount, request.currency_id),
                date=format_date(self.env, date_to),
                reason=reason.strip(),
            )
        )
        return True

    def action_refuse(self, reason):
        """Refuse these requests.

        :param str reason: why; the salesperson reads it
        :raise AccessError: when the user may not decide on one of them
        :raise UserError: when one is decided already
        """
        self._check_decider()
        self._check_open(reason)
        # sudo: a ledger; who decides is checked above
        for request in self.sudo():
            request._decide("refused", reason)
            request._tell(self.env._("Credit request refused: %s", reason.strip()))
        return True

    def action_forward(self, user_id, reason):
        """Ask another user to decide on these requests.

        :param int user_id: id of a user who decides on credit in the company
        :param str reason: why
        :raise UserError: when that user may not decide on one of them
        """
        self.check_access("read")
        self._check_open(reason)
        user = self.env["res.users"].browse(user_id).exists()
        # sudo: a ledger; who may forward is checked for each request
        for request in self.sudo():
            deciders = self.env["sale.credit.authority"]._get_deciders(request.company_id)
            if self.env.user not in deciders:
                raise AccessError(self.env._("Only who decides on credit can forward a request."))
            if user.sudo() not in deciders or user in request._get_involved_users():  # sudo: as above
                raise UserError(
                    self.env._(
                        "%(user)s cannot decide on the request for %(orders)s. Choose another credit manager.",
                        user=user.sudo().name,
                        orders=request.document_names,
                    )
                )
            request._as_ledger().write({"assigned_id": user.id})
            request.activity_unlink([REQUEST_ACTIVITY])
            request._schedule_for(user, reason)
            request._tell(
                self.env._("Credit request forwarded to %(user)s: %(reason)s", user=user.sudo().name, reason=reason)
            )
        return True

    def _decide(self, state, reason, **values):
        """Store a decision of the user, and complete what asked for it."""
        self._as_ledger().write(
            {
                "state": state,
                "decided_by_id": self.env.uid,
                "decided_date": fields.Datetime.now(),
                "decision_reason": reason.strip(),
                **values,
            }
        )
        self._mark_orders()
        self.activity_feedback([REQUEST_ACTIVITY], user_id=self.env.uid, feedback=reason.strip())
        self.activity_unlink([REQUEST_ACTIVITY])

    def action_decide(self):
        """Open the dialog that decides on these requests."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("sales_opportunity_stages.sale_credit_decide_action")
        return {**action, "context": {"default_request_ids": self.ids}}

    def action_view_receivable(self):
        """Show the open receivables of the unit."""
        return self._get_unit().action_view_credit_receivable()

    def action_view_uninvoiced(self):
        """Show the confirmed orders of the unit that are not wholly invoiced."""
        return self._get_unit().action_view_credit_uninvoiced()

    def action_view_draft_invoiced(self):
        """Show the draft invoices of the unit."""
        return self._get_unit().action_view_credit_draft_invoiced()

    def _get_unit(self):
        """Return the unit of one request, with the company of the request in force."""
        self.ensure_one()
        self.check_access("read")
        return self.unit_id.with_company(self.company_id)

    # ------------------------------------------------------------
    # Telling
    # ------------------------------------------------------------

    def _tell_credit_managers(self):
        """Ask by an activity whoever may decide on this request."""
        for user in self._get_users_to_ask():
            self._schedule_for(user, self.reason)

    def _get_users_to_ask(self):
        self.ensure_one()
        users = self.env["res.users"].browse()
        for user, rows in self.env["sale.credit.authority"]._get_deciders(self.company_id).items():
            excess, days = self.excess, self.overdue_days
            if user not in self._get_involved_users() and (
                not rows or rows._suffices(excess, self._get_percent(excess), days)
            ):
                users |= user
        return users

    def _schedule_for(self, user, note):
        # sudo: in the system's name: a salesperson or a customer may not schedule activities on a ledger
        self.with_user(self.env.ref("base.user_root")).sudo().activity_schedule(
            REQUEST_ACTIVITY,
            user_id=user.id,
            summary=self.env._("Decide on the credit request for %s", self.document_names),
            note=plaintext2html(note or ""),
        )

    def _tell(self, message):
        """Tell the salesperson and whoever requested it, on the orders, and note it here."""
        self.ensure_one()
        users = (self.user_id | self.requested_by_id) - self.env.user - self.env.ref("base.user_root")
        partners = users.filtered(lambda user: user.active and not user.share).partner_id
        for order in self.order_ids:
            order.message_post(
                body=message,
                author_id=self.env.user.partner_id.id,
                partner_ids=partners.ids,
                subtype_xmlid="mail.mt_note",
            )
        self._message_log(body=message, author_id=self.env.user.partner_id.id)

    # ------------------------------------------------------------
    # Lapsing and using
    # ------------------------------------------------------------

    @api.model
    def _get_open_states(self):
        """Return the states in which a request may still be decided or used."""
        return ("requested", "granted")

    def _is_open(self):
        """Check whether the request waits for a decision, or is a release that was not used."""
        self.ensure_one()
        return self.state == "requested" or (self.state == "granted" and self.decision == "release")

    def _covers(self, orders, amount):
        """Check whether this release lets some of its orders pass.

        :param orders: the orders, as they would be confirmed
        :param float amount: what they use of the credit of the unit, in the company's currency
        """
        self.ensure_one()
        pinned = self.pinned or {}
        return (
            self.company_id.currency_id.compare_amounts(amount, self.amount) <= 0
            and all(pinned.get(str(order.id)) == order._get_credit_pin() for order in orders)
            and not orders & self._get_unreleasable_orders()
        )

    def _get_lapse_reason(self):
        """Return why the request does not hold for its orders as they are now, or None."""
        self.ensure_one()
        orders, pinned = self.order_ids, self.pinned or {}
        quotations = orders.filtered(lambda order: order.state in ("draft", "sent"))
        if any(order.state == "cancel" for order in orders) or not orders:
            return self.env._("The quotation was cancelled.")
        if not quotations:
            return self.env._("The order was confirmed without it.")
        if any(pinned.get(str(order.id)) != order._get_credit_pin() for order in quotations):
            return self.env._("The customer, the payer or the company has changed.")
        amount = sum(order._get_credit_amount() for order in orders)
        if self.company_id.currency_id.compare_amounts(amount, self.amount) > 0:
            return self.env._(
                "The amount has grown to %(amount)s, more than the %(pinned)s requested.",
                amount=format_amount(self.env, amount, self.currency_id),
                pinned=format_amount(self.env, self.amount, self.currency_id),
            )
        return None

    def _say_open(self):
        """Return what has become of this open request, and what to do."""
        self.ensure_one()
        if self.state == "requested":
            return self.env._(
                "Credit for %(orders)s is requested already, by %(user)s. Wait for the decision.",
                orders=self.document_names,
                user=self.requested_by_id.name,
            )
        return self.env._(
            "Credit for %(orders)s is released until %(date)s: confirm the quotation.",
            orders=self.document_names,
            date=format_date(self.env, self.valid_until),
        )

    @api.model
    def _check_may_read_on(self, records):
        """:raise AccessError: for who may not read the records, or what is requested for them"""
        records.check_access("read")
        self.check_access("read")

    def _lapse(self, reason):
        """End these requests: what they were about has changed.

        :param str reason: what has changed
        """
        for request in self.filtered(lambda each: each._is_open()):
            request._as_ledger().write({"state": "lapsed", "lapse_reason": reason})
            request.activity_unlink([REQUEST_ACTIVITY])
            request._tell(self.env._("Credit request lapsed: %s", reason))
            request._mark_orders()

    def _use(self):
        """Use these releases up. The caller has the lock of the unit."""
        self._as_ledger().write({"state": "used"})
        self._mark_orders()

    def _mark_orders(self):
        """Let the orders know whether a request for them is still open."""
        orders = self.order_ids.filtered(lambda order: order.has_credit_request and not order._get_open_requests())
        if orders:
            orders._write_derived({"has_credit_request": False})

    @api.model
    def _cron_lapse_expired(self):
        """Let releases lapse whose last day is over. They are of no use from that day on; this only tells it."""
        yesterday = fields.Date.today() - timedelta(days=1)  # wherever the user is, the day is over
        # sudo: a ledger
        self.sudo().search(
            [("state", "=", "granted"), ("decision", "=", "release"), ("valid_until", "<", yesterday)]
        )._lapse(self.env._("The last day of the release is over."))

from collections import defaultdict
from datetime import datetime, time, timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tools import SQL

from .clock import at
from .deals import DEALS

MODULE = "sales_opportunity_stages"
DAYS_TO_CLOSE = 90
PUSH = 30
QUOTED = 0.95  # of the list price


class Story:
    """Half a year of a sales department, lived through the models day by day, each step by whoever would take it.

    So the stays, the chatter, the quotations and the deadlines are what they would be: nothing is written into a log.
    """

    def __init__(self, env, deals=DEALS):
        self.env = env(context={**env.context, "mail_create_nosubscribe": True})
        self.deals = deals
        self.today = fields.Date.today()
        self.rules = self._get_actions()

    def tell(self):
        """Let everything happen in the order of the days; nothing where it has happened before."""
        if self.env.ref(f"{MODULE}.lead_{self.deals[0].key}", raise_if_not_found=False):
            return
        # sudo: demo data is told by the system, in the names of others
        last_message = self.env["mail.message"].sudo().search([], order="id desc", limit=1).id
        leads = {}
        for days_ago, events in sorted(self._get_events().items(), reverse=True):
            with at(self.env, self._noon(days_ago)):
                for deal, number in events:
                    self._play(deal, number, days_ago, leads)
        self._date_messages(last_message)

    def _play(self, deal, number, days_ago, leads):
        """The event of this number in the life of an opportunity: 0 is its beginning."""
        day = self.today - timedelta(days=days_ago)
        if number == 0:
            leads[deal] = self._begin(deal, day)
        elif number == len(deal.stays) and deal.end:
            self._end(deal, leads[deal])
        else:
            self._push_deadline(leads[deal], day)
            self._leave_stage(leads[deal])
        lead = leads[deal]
        if lead.won_status == "pending" and (deal.planned or number < len(deal.stays)):
            self._plan_actions(lead, day)

    def _get_events(self):
        """``{days ago: [(deal, number of the event)]}``"""
        events = defaultdict(list)
        for deal in self.deals:
            for number, day in enumerate(deal.days):
                events[day].append((deal, number))
        return events

    def _noon(self, days_ago):
        return datetime.combine(self.today - timedelta(days=days_ago), time(9, 30))

    def _ref(self, name):
        return self.env.ref(name if "." in name else f"{MODULE}.{name}")

    # ------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------

    def _begin(self, deal, day):
        user = self._get_user(deal)
        lead = self.env["crm.lead"].with_user(user).create(self._prepare_lead(deal, user, day))
        # sudo: a salesperson keeps no external ids
        self.env["ir.model.data"].sudo()._update_xmlids(
            [{"xml_id": f"{MODULE}.lead_{deal.key}", "record": lead, "noupdate": True}]
        )
        return lead

    def _prepare_lead(self, deal, user, day):
        partner = self._ref(f"partner_{deal.customer}")
        roles = zip(("decision", "technical"), partner.child_ids, strict=False)
        rival = self._ref(f"partner_{deal.rival}") if deal.rival else None
        return {
            "name": deal.name,
            "type": "opportunity",
            "partner_id": partner.id,
            "opportunity_type_id": self._ref("opportunity_type_project").id,
            "user_id": user.id,
            "team_id": self._ref("sales_team.team_sales_department").id,
            "priority": deal.priority,
            "date_deadline": day + timedelta(days=DAYS_TO_CLOSE),
            "source_id": self._ref(f"utm_source_{deal.source}").id if deal.source else False,
            "campaign_id": self._ref("utm_campaign_fair").id if deal.source == "fair" else False,
            "opportunity_line_ids": [
                Command.create(
                    {"product_id": product.id, "product_uom_qty": quantity, "price_unit": product.lst_price * QUOTED}
                )
                for product, quantity in ((self._ref(f"product_{name}"), quantity) for name, quantity in deal.lines)
            ],
            "opportunity_contact_ids": [
                Command.create({"partner_id": contact.id, "role": role}) for role, contact in roles if deal.lines
            ],
            "opportunity_competitor_ids": [
                Command.create({"partner_id": rival.id, "competing_product_id": product.id, "price": product.price})
                for product in (self._get_competing_product(deal, rival) if rival else ())
            ],
            **({} if deal.lines else {"expected_revenue": deal.revenue}),
        }

    def _plan_actions(self, lead, day):
        """Schedule what the stage wants to be done; what an open opportunity still has to do lies ahead, or is late."""
        for number, activity_type in enumerate(self.rules[lead.stage_id.id]):
            deadline = day + timedelta(days=10 + 4 * number)
            lead.activity_schedule(activity_type_id=activity_type.id, date_deadline=deadline, user_id=lead.user_id.id)

    def _leave_stage(self, lead):
        """Do what was planned; the last of it promotes, or else the salesperson does."""
        stage = lead.stage_id
        if stage == self._ref("stage_solution"):
            self._quote(lead)
        lead.activity_ids.sorted("id").action_done()
        if lead.stage_id == stage:
            lead.action_promote()

    def _end(self, deal, lead):
        if deal.end == "won":
            lead.activity_ids.action_done()
            self._order(lead.order_ids)
            lead.action_set_won()
        else:
            self._lose(deal, lead)

    def _lose(self, deal, lead):
        wizard = self.env["crm.lead.lost"].with_user(lead.user_id)
        rival = self._ref(f"partner_{deal.rival}") if deal.rival else self.env["res.partner"]
        wizard.create(
            {
                "lead_ids": [Command.set(lead.ids)],
                "lost_reason_id": self._ref(deal.end.removeprefix("lost ")).id,
                "lost_to_id": rival.id,
            }
        ).action_lost_reason_apply()
        for order in lead.order_ids:
            order.action_close_quotation(lead.lost_reason_id.name)

    def _quote(self, lead):
        wizard = self.env["crm.opportunity.generate"].with_user(lead.user_id).create({"lead_id": lead.id})
        wizard.action_generate()
        lead.order_ids.date_order = fields.Datetime.now()
        lead.order_ids.order_line.tax_ids = False

    def _order(self, order):
        """Confirm it, approved by the manager where its amount asks for that."""
        if order.approval_required:
            order.action_request_approval()
            order.with_user(self._ref("user_manager")).action_approve()
        order.action_confirm()

    def _push_deadline(self, lead, day):
        if lead.date_deadline < day + timedelta(days=25):
            lead.date_deadline += timedelta(days=PUSH)

    # ------------------------------------------------------------
    # What they need
    # ------------------------------------------------------------

    def _get_user(self, deal):
        return self._ref("base.user_admin" if deal.user == "admin" else f"user_{deal.user}")

    def _get_competing_product(self, deal, rival):
        """What the rival offers against the first product, else whatever it makes."""
        offered = self.env["crm.competing.product"].search([("partner_id", "=", rival.id)])
        ours = self._ref(f"product_{deal.lines[0][0]}")
        return (offered.filtered(lambda product: product.product_id == ours) or offered)[:1]

    def _get_actions(self):
        """``{stage id: activity types that it requires}``, what promotes last."""
        rules = self._ref("opportunity_type_project").stage_ids.rule_ids
        required = rules.filtered(lambda rule: rule.kind == "action" and rule.required)
        actions = defaultdict(list)
        for rule in required.sorted(lambda rule: (rule.promotes, rule.sequence)):
            actions[rule.stage_id.id].append(rule.activity_type_id)
        return actions

    def _date_messages(self, last_message):
        """The notes were taken on the day that they were made: Odoo's default for their date is deaf to our clock."""
        self.env.flush_all()
        self.env.cr.execute(SQL("UPDATE mail_message SET date = create_date WHERE id > %s", last_message or 0))
        self.env.invalidate_all()

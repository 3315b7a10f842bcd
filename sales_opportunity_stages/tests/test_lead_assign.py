from odoo import Command
from odoo.exceptions import AccessError, UserError

from .common import OpportunityStagesCase


class TestLeadAssign(OpportunityStagesCase):
    """Many opportunities get their people at once, in one transaction, with the rights of whoever asks."""

    def _assign(self, leads, user=None, **values):
        wizard = (
            self.env["crm.lead.assign"]
            .with_user(user or self.supervisor)
            .with_context(active_model="crm.lead", active_ids=leads.ids)
            .create(values)
        )
        return wizard.action_assign()

    def test_one_salesperson_team_and_collaborators(self):
        leads = self._create_opportunities(3)
        team = self.env["crm.team"].create({"name": "Key Accounts"})
        leads[0].write({"collaborator_ids": [Command.link(self.manager.id)]})
        action = self._assign(
            leads,
            user_id=self.colleague.id,
            team_id=team.id,
            add_collaborator_ids=[Command.set((self.salesman | self.colleague).ids)],
            remove_collaborator_ids=[Command.set(self.manager.ids)],
        )
        self.assertEqual(leads.user_id, self.colleague)
        self.assertEqual(leads.team_id, team)
        self.assertEqual(leads.collaborator_ids, self.salesman, "the salesperson is no collaborator of his own")
        self.assertEqual(action["params"]["title"], "3 opportunities assigned")
        for part in (f"{self.colleague.name}: 3", "Key Accounts", "Added", "Removed"):
            self.assertIn(part, action["params"]["message"])

    def test_people_are_told_once_and_only_of_what_is_new(self):
        leads = self._create_opportunities(2)
        leads[0].with_user(self.supervisor).user_id = self.colleague
        before = self.env["mail.message"].search([], order="id desc", limit=1).id
        self._assign(leads, user_id=self.colleague.id, add_collaborator_ids=[Command.set(self.manager.ids)])
        Message = self.env["mail.message"]
        new = Message.search(
            [("id", ">", before), ("model", "=", "crm.lead"), ("message_type", "=", "user_notification")]
        )
        self.assertEqual(
            new.filtered(lambda m: self.colleague.partner_id in m.partner_ids).mapped("res_id"), leads[1].ids
        )
        told = new.filtered(lambda m: self.manager.partner_id in m.partner_ids)
        self.assertEqual(set(told.mapped("res_id")), set(leads.ids))
        self.assertEqual(len(told), 2)

    def test_even_distribution_by_open_workload(self):
        busy = self.env["crm.lead"].create(
            [
                {"name": "Busy", "type": "opportunity", "user_id": self.colleague.id, "team_id": self.team.id}
                for _ in range(3)
            ]
        )
        busy[2].action_set_lost()
        leads = self._create_opportunities(6)
        action = self._assign(leads, mode="distribute", user_ids=[Command.set((self.colleague | self.manager).ids)])
        counts = [
            len(leads.filtered(lambda lead, user=user: lead.user_id == user)) for user in (self.colleague, self.manager)
        ]
        self.assertEqual(counts, [2, 4], "two open ones count, the lost one does not")
        self.assertIn(f"{self.manager.name}: 4", action["params"]["message"])

    def test_what_is_distributed_is_nobodys_work_yet(self):
        leads = self._create_opportunities(4)
        self._assign(leads, mode="distribute", user_ids=[Command.set((self.salesman | self.manager).ids)])
        self.assertEqual(len(leads.filtered(lambda lead: lead.user_id == self.salesman)), 2)

    def test_keeping_the_salespeople(self):
        leads = self._create_opportunities(2)
        self._assign(leads, mode="keep", add_collaborator_ids=[Command.set(self.colleague.ids)])
        self.assertEqual((leads.user_id, leads.collaborator_ids), (self.salesman, self.colleague))

    def test_a_salesperson_assigns_what_is_his(self):
        mine = self._create_opportunities(2)
        self._assign(
            mine, user=self.salesman, user_id=self.colleague.id, add_collaborator_ids=[Command.set(self.salesman.ids)]
        )
        self.assertEqual((mine.user_id, mine.collaborator_ids), (self.colleague, self.salesman))

    def test_not_what_is_somebody_elses(self):
        mine, other = self._create_opportunities(2)
        other.write({"collaborator_ids": [Command.link(self.colleague.id)]})
        mine.with_user(self.supervisor).user_id = self.colleague
        with self.assertRefused("You are not responsible for 'Deal 1'", AccessError):
            self._assign(mine | other, user=self.colleague, user_id=self.colleague.id)
        with self.assertRaises(AccessError):
            self._assign(other, user=self.colleague, mode="keep", add_collaborator_ids=[Command.set(self.manager.ids)])
        self.assertEqual((mine.sudo().user_id, other.user_id), (self.colleague, self.salesman))
        with self.assertRaises(AccessError):
            self._assign(mine, user=self.employee, user_id=self.employee.id)

    def test_not_what_is_another_companys(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        lead = self.env["crm.lead"].create(
            {"name": "There", "type": "opportunity", "company_id": company.id, "user_id": False, "team_id": False}
        )
        with self.assertRaises(AccessError):
            self._assign(lead, mode="keep", add_collaborator_ids=[Command.set(self.colleague.ids)])
        self.assertFalse(lead.collaborator_ids)

    def test_nobody_chosen(self):
        lead = self._create_opportunity()
        for mode in ("set", "distribute"):
            with self.assertRefused("Choose who", UserError):
                self._assign(lead, mode=mode)

    def test_a_move_by_team_change_is_gated(self):
        self.stage_contact.team_ids = self.team
        leads = self._create_opportunities(2)
        team = self.env["crm.team"].create({"name": "Export"})
        with self.assertRefused("2 opportunities cannot be moved"):
            self._assign(leads, user_id=self.colleague.id, team_id=team.id)
        self.assertEqual((leads.user_id, leads.team_id), (self.salesman, self.team))

    def test_queries_do_not_grow(self):
        """A thousand cost what ten do, apart from Odoo's notifications and tracking, its search for a team where none
        is given, and the statements that it makes for each hundred records."""

        def count(number):
            leads = self._create_opportunities(number)
            wizard = (
                self.env["crm.lead.assign"]
                .with_user(self.supervisor)
                .with_context(
                    active_model="crm.lead",
                    active_ids=leads.ids,
                    tracking_disable=True,
                    mail_auto_subscribe_no_notify=True,
                )
                .create(
                    {
                        "mode": "distribute",
                        "user_ids": [Command.set((self.colleague | self.manager).ids)],
                        "team_id": self.team.id,
                        "add_collaborator_ids": [Command.set(self.supervisor.ids)],
                    }
                )
            )
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            wizard.action_assign()
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        few, many = count(10), count(1000)
        statements_of_a_hundred = 2 * (1000 // 100)
        self.assertLessEqual(many - few, statements_of_a_hundred)

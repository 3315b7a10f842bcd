from odoo.tests import Form

from .common import OpportunityStagesCase


class TestStageChecklist(OpportunityStagesCase):
    """The checklist shows each rule with its state, and what is still missing."""

    def _get_states(self, lead):
        return {item["label"]: item["state"] for item in lead.stage_checklist["items"]}

    def test_states_who_and_when(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_needs)
        self.assertEqual(lead.stage_progress, "0/3")
        planned = self._schedule(lead, self.act_visit)
        self.assertEqual(
            self._get_states(lead),
            {"Visit A": "scheduled", "Signature A": "todo", "Call A": "todo", "Revenue set": "todo"},
        )
        item = lead.stage_checklist["items"][0]
        self.assertEqual((item["activity_id"], item["user"]), (planned.id, self.salesman.name))
        planned.with_user(self.supervisor).action_feedback()
        item = lead.stage_checklist["items"][0]
        self.assertEqual(
            (item["state"], item["user"], item["date"]), ("done", self.supervisor.name, str(planned.date_done))
        )
        lead.expected_revenue = 4
        self.assertEqual(lead.stage_progress, "2/3")
        self.assertEqual(lead.stage_checklist["missing"], ["Signature A"])
        self.assertEqual(lead.stage_checklist["next_stage"], "Solution")
        self.assertFalse(lead.can_promote)

    def test_done_in_an_earlier_stay(self):
        lead = self._create_opportunity()
        self._complete(lead, self.act_call)
        lead.write({"stage_id": self.stage_contact.id})
        self.assertEqual(self._get_states(lead), {"Call A": "done", "Email A": "todo"})
        self.assertTrue(lead.can_promote)

    def test_nothing_to_show(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_closing)
        self.assertEqual(lead.stage_checklist["items"], [])
        self.assertFalse(lead.stage_progress)
        self.assertTrue(lead.can_promote)
        self._force(lead, self.stage_won)
        self.assertFalse(lead.can_promote)
        raw = self.env["crm.lead"].create({"name": "Raw", "type": "lead"})
        self.assertFalse(raw.stage_checklist or raw.can_promote or raw.stage_progress)

    def test_ready_to_promote_is_found(self):
        ready, quoted, not_ready, free, lost, won = leads = self._create_opportunities(6)
        self.rule_call.promotes = False
        self._complete(ready, self.act_call)
        self._force(quoted, self.stage_solution)
        quoted.referred = "quoted"
        self._force(free, self.stage_closing)
        self._complete(lost, self.act_call)
        lost.action_set_lost()
        self._force(won, self.stage_won)
        Lead = self.env["crm.lead"].with_user(self.salesman).with_context(active_test=False)
        found = Lead.search([("can_promote", "=", True), ("id", "in", leads.ids)])
        self.assertEqual(set(found), {ready, quoted, free})
        self.assertEqual(set(found), set(leads.filtered("can_promote")), "the search agrees with the field")
        found = Lead.search([("can_promote", "=", False), ("id", "in", leads.ids)])
        self.assertEqual(set(found), {not_ready, lost, won})
        found = Lead.search(
            [("can_promote", "=", True), ("stage_id.rule_ids.required", "=", True), ("id", "in", leads.ids)]
        )
        self.assertEqual(set(found), {ready, quoted})

    def test_form_of_a_new_opportunity(self):
        with Form(self.env["crm.lead"].with_user(self.salesman).with_context(default_type="opportunity")) as form:
            form.name = "New"
        self.assertTrue(form.record.stage_id)


class TestLabels(OpportunityStagesCase):
    """Cards show the names of rules and stages as they are now, in the user's language."""

    def test_renamed(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        lead = self._create_opportunity()
        several = lead | self._create_opportunity()
        self.assertEqual(several.mapped("stage_outlook"), ["Still required: Call A"] * 2)
        self.act_call.name = "Ring"
        several.invalidate_recordset()
        self.assertEqual(several.mapped("stage_outlook"), ["Still required: Ring"] * 2)
        self.act_call.update_field_translations("name", {"fr_FR": "Appel"})
        several.invalidate_recordset()
        self.assertEqual(several.with_context(lang="fr_FR").mapped("stage_outlook"), ["Still required: Appel"] * 2)
        self.stage_needs.name = "Wishes"
        self.assertEqual(lead._get_stage_outlook(True, []), "Ready for Wishes")

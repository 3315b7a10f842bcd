from odoo.fields import Command

from .common import OpportunityStagesCase


class TestRuleReport(OpportunityStagesCase):
    """Does a rule pay: what met it before moving on, was forced past it or missed it when lost, and what came of it."""

    def _read(self, rule, user=None):
        self.env.flush_all()
        names = (
            *("opportunity_count", "met_count", "forced_count", "lost_count", "missing_at_loss_count"),
            *("won_rate_met", "won_rate_unmet", "closed_met_count", "closed_unmet_count"),
        )
        aggregates = [f"{name}:{'avg' if 'rate' in name else 'sum'}" for name in names]
        rows = (
            self.env["crm.rule.report"]
            .with_user(user or self.salesman)
            ._read_group([("rule_id", "=", rule.id)], [], aggregates)
        )
        return dict(zip(names, rows[0], strict=True))

    def test_counts(self):
        self.rule_call.promotes = False
        won, forced, lost, lost_met = leads = self._create_opportunities(4)
        self._complete(won, self.act_call)
        won.action_promote()
        self._force(won, self.stage_won)
        self._force(forced, self.stage_won)
        lost.action_set_lost()
        self._complete(lost_met, self.act_call)
        lost_met.action_set_lost()
        self.assertEqual(
            self._read(self.rule_call),
            {
                "opportunity_count": len(leads),
                "met_count": 1,
                "forced_count": 1,
                "lost_count": 2,
                "missing_at_loss_count": 1,
                "won_rate_met": 0.5,
                "won_rate_unmet": 0.5,
                "closed_met_count": 2,
                "closed_unmet_count": 2,
            },
        )
        self.assertFalse(self._read(self.rule_call, self.colleague)["opportunity_count"])

    def test_conditions(self):
        lead, other = self._create_opportunities(2)
        lead.expected_revenue = 5
        self._force(lead | other, self.stage_needs)
        (lead | other).action_set_lost()
        values = self._read(self.rule_revenue)
        self.assertEqual((values["lost_count"], values["missing_at_loss_count"]), (2, 1))


class TestStandingReport(OpportunityStagesCase):
    def test_value_that_stands_still(self):
        self.stage_contact.write({"rotting_threshold_days": 3, "escalate_days": 90})
        lead, fresh, snoozed = self._create_opportunities(3, expected_revenue=100)
        for opportunity in (lead, snoozed):
            opportunity.sudo().stage_visit_ids._as_ledger().write({"date_start": "2026-01-05 08:00:00"})
        snoozed.write({"snooze_until": "2999-01-01", "snooze_reason": "x"})
        self.stage_contact.escalate_days = 0
        self.env.flush_all()
        rows = (
            self.env["crm.standing.report"]
            .with_user(self.salesman)
            ._read_group(
                [("lead_id", "in", (lead | fresh | snoozed).ids)],
                ["status"],
                ["opportunity_count:sum", "expected_revenue:sum", "standing_revenue:sum"],
            )
        )
        self.assertEqual(
            {status: values for status, *values in rows},
            {"moving": [1, 100, 0], "standing": [1, 100, 100], "snoozed": [1, 100, 0]},
        )
        self.assertFalse(self.env["crm.standing.report"].with_user(self.colleague).search([("lead_id", "=", lead.id)]))
        lead.sudo().collaborator_ids = [Command.link(self.colleague.id)]
        self.assertTrue(self.env["crm.standing.report"].with_user(self.colleague).search([("lead_id", "=", lead.id)]))

from odoo.tests import HttpCase, new_test_user, tagged

from .common import OpportunityStagesSetup

ROLES = {
    "accountant": "account.group_account_invoice,base.group_partner_manager",
    "credit_manager": "sales_opportunity_stages.group_credit_manager",
    "administrator": "sales_team.group_sale_manager,base.group_system",
}


class SetupTours(OpportunityStagesSetup, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_pipeline()
        for role, groups in ROLES.items():
            setattr(cls, role, new_test_user(cls.env, f"setup_{role}", groups=groups))

    def _run(self, tour, user, action=None, record=None):
        path = f"/odoo/action-{action}" if action else "/odoo"
        self.start_tour(
            f"{path}/{record.id}" if record else path, f"sales_opportunity_stages_setup_{tour}", login=user.login
        )
        self.env.invalidate_all()

    def _set_up_settings(self):
        company = self.env.company
        company.write({"account_use_credit_limit": True, "quotation_approval_four_eyes": False})
        self._run("settings", self.administrator, "sale.action_sale_config_settings")
        self.assertEqual(
            (
                company.quotation_approval,
                company.quotation_approval_min_amount,
                company.quotation_approval_four_eyes,
                company.credit_policy,
                company.credit_check_keep_days,
            ),
            ("required", 7500, True, "warn", 45),
        )


@tagged("post_install", "-at_install")
class TestSetupTours(SetupTours):
    """What a guide says can be set up is filled in on the screens, by the role that does it, and still there after
    the page was loaded again."""

    def test_approval_and_credit_settings(self):
        self._set_up_settings()

    def test_approver_and_credit_manager_in_one(self):
        self._run("user", self.administrator, "base.action_res_users", self.colleague)
        for group in ("group_quotation_approver", "group_credit_manager"):
            self.assertTrue(self.colleague.has_group(f"sales_opportunity_stages.{group}"))

    def test_type_with_stages_and_rules(self):
        """A Sales Administrator makes a type with stages and rules of all kinds, and copies a stage."""
        self._run("type", self.manager)
        created = self.env["crm.opportunity.type"].search([("name", "=", "Tour Sale")])
        self.assertEqual(
            (created.probability_mode, created.reminder_days, created.description),
            ("learned", 5, "What the tour sells"),
        )
        copied, zero, first, second = created.stage_ids.sorted(
            lambda stage: (stage.sequence, stage.name != "Tour Zero (copy)", stage.id)
        )
        self.assertEqual([zero.name, first.name, second.name], ["Tour Zero", "Tour First", "Tour Second"])
        self.assertEqual(first.opportunity_type_ids, created)
        self.assertEqual(zero.probability, 15)
        self.assertEqual(
            [
                (rule.display_name, rule.kind, rule.required, rule.promotes, rule.target_stage_id)
                for rule in zero.rule_ids
            ],
            [
                ("Call A", "action", True, True, zero.browse()),
                ("Visit A", "action", True, True, second),
                ("Revenue known", "condition", True, False, zero.browse()),
            ],
        )
        self.assertIn("expected_revenue", zero.rule_ids[2].domain)
        self.assertEqual(copied.rule_ids.mapped("display_name"), zero.rule_ids.mapped("display_name"))
        self.assertEqual(copied.opportunity_type_ids, created)

    def test_order_of_stages(self):
        """The order by hand holds whether stages are moved, opened or added first, and on each further save."""
        created = self.env["crm.opportunity.type"].create({"name": "Ordered Sale"})
        names = ["Alpha", "Beta", "Gamma", "Delta"]
        created.stage_ids = self.env["crm.stage"].create(
            [{"name": name, "sequence": 10 * n, "opportunity_type_ids": created.ids} for n, name in enumerate(names)]
        )
        self.start_tour(
            f"/odoo/action-sales_opportunity_stages.crm_opportunity_type_action/{created.id}",
            "sales_opportunity_stages_stage_order",
            login=self.manager.login,
        )
        self.env.invalidate_all()
        self.assertEqual(
            [(stage.name, stage.probability) for stage in created.stage_ids.sorted("sequence")],
            [("Beta", 25), ("Omega", 5), ("Delta", 35), ("Gamma", 0), ("Alpha", 15)],
        )

    def test_default_type_of_a_team(self):
        self._run("team", self.manager, "sales_team.crm_team_action_config")
        self.assertEqual(self.team.opportunity_type_id, self.type_quick)

    def test_competitors_and_their_products(self):
        self._run("competition", self.manager)
        rival = self.env["res.partner"].search([("name", "=", "Tour Rival")])
        self.assertTrue(rival.is_competitor)
        products = rival.competing_product_ids.sorted("name")
        self.assertEqual(
            [(product.name, product.price) for product in products], [("Rival Pump", 70), ("Rival Valve", 30)]
        )

    def _set_up_credit(self, user):
        self.env.company.account_use_credit_limit = True
        unit, member = self.env["res.partner"].create(
            [{"name": name, "is_company": True} for name in ("Tour Unit", "Tour Member")]
        )
        self._run("credit", user, "sales_opportunity_stages.res_partner_action_credit")
        self.assertEqual((unit.credit_limit, unit.credit_term_days), (9000, 30))
        self._run("credit_member", user, "base.action_partner_form", member)
        self.assertEqual(member.credit_unit_id, unit)

    def test_credit_unit_by_an_accountant(self):
        self._set_up_credit(self.accountant)

    def test_credit_unit_by_a_credit_manager(self):
        self._set_up_credit(self.credit_manager)


@tagged("post_install", "-at_install")
class TestSetupToursOnAPhone(SetupTours):
    browser_size = "390x844"
    touch_enabled = True

    def test_approval_and_credit_settings(self):
        self._set_up_settings()

from contextlib import contextmanager

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tests.common import TransactionCase


class OpportunityStagesSetup:
    """A type with five stages and rules, a rival type sharing one of them, and a user per role.

    ======== ============================================== ==========================
    stage    required                                       also allowed
    ======== ============================================== ==========================
    contact  call (promotes)                                email
    needs    visit, signature (promotes), revenue set       call
    solution quotation noted (a condition on the name)      anything: no action listed
    closing  --                                             --
    won      --                                             --
    ======== ============================================== ==========================
    """

    @classmethod
    def _set_up_pipeline(cls):
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=False, no_reset_password=True))
        cls.team = cls.env["crm.team"].create({"name": "Field Sales"})
        cls._set_up_users()
        ActivityType = cls.env["mail.activity.type"]
        cls.act_call, cls.act_email, cls.act_visit, cls.act_sign, cls.act_other = ActivityType.create(
            [
                {"name": name, "res_model": "crm.lead"}
                for name in ("Call A", "Email A", "Visit A", "Signature A", "Other A")
            ]
        )
        cls.type_project, cls.type_quick = cls.env["crm.opportunity.type"].create(
            [
                {"name": "Plant", "sequence": 900, "probability_mode": "stage"},
                {"name": "Spare Parts", "sequence": 901, "probability_mode": "native"},
            ]
        )
        cls.stage_contact = cls._create_stage("Contact", 1000, 10)
        cls.stage_needs = cls._create_stage("Needs", 1010, 25)
        cls.stage_solution = cls._create_stage("Solution", 1020, 50)
        cls.stage_closing = cls._create_stage("Closing", 1030, 75)
        cls.stage_won = cls._create_stage("Done Deal", 1040, 100, is_won=True)
        cls.stage_quick, cls.stage_quick_won = cls.env["crm.stage"].create(
            [
                {"name": "Asked", "sequence": 1000, "opportunity_type_ids": [Command.set(cls.type_quick.ids)]},
                {
                    "name": "Sold",
                    "sequence": 1005,
                    "is_won": True,
                    "opportunity_type_ids": [Command.set(cls.type_quick.ids)],
                },
            ]
        )
        cls._set_up_rules()
        cls.team.opportunity_type_id = cls.type_project

    @classmethod
    def _set_up_users(cls):
        kwargs = {"context": {"no_reset_password": True}}
        cls.salesman = new_test_user(cls.env, "sos_salesman", groups="sales_team.group_sale_salesman", **kwargs)
        cls.colleague = new_test_user(cls.env, "sos_colleague", groups="sales_team.group_sale_salesman", **kwargs)
        cls.supervisor = new_test_user(
            cls.env, "sos_supervisor", groups="sales_team.group_sale_salesman_all_leads", **kwargs
        )
        cls.manager = new_test_user(cls.env, "sos_manager", groups="sales_team.group_sale_manager", **kwargs)
        cls.employee = new_test_user(cls.env, "sos_employee", groups="base.group_user", **kwargs)
        cls.team.member_ids = cls.salesman | cls.colleague

    @classmethod
    def _create_stage(cls, name, sequence, probability, **values):
        return cls.env["crm.stage"].create(
            {
                "name": name,
                "sequence": sequence,
                "probability": probability,
                "opportunity_type_ids": [Command.set(cls.type_project.ids)],
                **values,
            }
        )

    @classmethod
    def _set_up_rules(cls):
        def action(stage, activity_type, **values):
            return {"stage_id": stage.id, "kind": "action", "activity_type_id": activity_type.id, **values}

        def condition(stage, name, domain):
            return {"stage_id": stage.id, "kind": "condition", "name": name, "domain": domain, "required": True}

        rules = cls.env["crm.stage.rule"].create(
            [
                action(cls.stage_contact, cls.act_call, required=True, promotes=True),
                action(cls.stage_contact, cls.act_email),
                action(cls.stage_needs, cls.act_visit, required=True),
                action(cls.stage_needs, cls.act_sign, required=True, promotes=True),
                action(cls.stage_needs, cls.act_call),
                condition(cls.stage_needs, "Revenue set", "[('expected_revenue', '>', 0)]"),
                condition(cls.stage_solution, "Quotation noted", "[('referred', '=', 'quoted')]"),
            ]
        )
        cls.rule_call, cls.rule_email, cls.rule_visit, cls.rule_sign = rules[:4]
        cls.rule_revenue, cls.rule_quoted = rules[5:]

    @classmethod
    def _create_opportunity(cls, name="Acme line 3", user=None, **values):
        return (
            cls.env["crm.lead"]
            .with_user(user or cls.salesman)
            .create(
                {
                    "name": name,
                    "type": "opportunity",
                    "team_id": cls.team.id,
                    "user_id": cls.salesman.id,
                    "opportunity_type_id": cls.type_project.id,
                    **values,
                }
            )
        )

    @classmethod
    def _create_opportunities(cls, count, **values):
        return (
            cls.env["crm.lead"]
            .with_user(cls.salesman)
            .create(
                [
                    {
                        "name": f"Deal {index}",
                        "type": "opportunity",
                        "team_id": cls.team.id,
                        "user_id": cls.salesman.id,
                        "opportunity_type_id": cls.type_project.id,
                        **values,
                    }
                    for index in range(count)
                ]
            )
        )

    @classmethod
    def _schedule(cls, lead, activity_type, **values):
        return lead.activity_schedule(
            activity_type_id=activity_type.id, user_id=lead.env.uid, automated=False, **values
        )

    @classmethod
    def _complete(cls, lead, *activity_types):
        for activity_type in activity_types:
            cls._schedule(lead, activity_type).action_feedback()

    @classmethod
    def _force(cls, leads, stage):
        """Stand somewhere without having earned it: a Sales Administrator's way."""
        cls.env["crm.lead.stage.force"].with_user(cls.manager).create(
            {"lead_ids": [Command.set(leads.ids)], "target_stage_id": stage.id, "reason": "set-up"}
        ).action_force()

    @classmethod
    def _get_visits(cls, lead):
        """The visits in order, as (stage, outcome, trigger)."""
        visits = lead.sudo().stage_visit_ids.sorted("id")
        return [(visit.stage_id, visit.outcome, visit.trigger) for visit in visits]

    @contextmanager
    def assertRefused(self, pattern, exception=UserError):
        """The block is refused with a message that matches, and leaves nothing behind."""
        with self.assertRaises(exception) as caught:
            yield caught
        self.assertRegex(str(caught.exception), pattern)


@tagged("post_install", "-at_install")
class OpportunityStagesCase(OpportunityStagesSetup, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_pipeline()

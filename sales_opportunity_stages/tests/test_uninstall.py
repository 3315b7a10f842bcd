from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import mute_logger

from odoo.addons.sales_opportunity_stages.hooks import uninstall_hook

from .common import OpportunityStagesCase

LOGGER = "odoo.addons.sales_opportunity_stages.uninstall"


class TestReferences(OpportunityStagesCase):
    """What users have made that looks at fields which go along."""

    def _uninstall(self):
        with self.assertLogs(LOGGER, "WARNING") as logs:
            uninstall_hook(self.env)
        return logs.output

    def _create_favourites(self, *vals_list):
        return self.env["ir.filters"].create(
            [{"name": f"Favourite {index}", **vals} for index, vals in enumerate(vals_list)]
        )

    def test_favourites_that_would_stop_their_users_go_along(self):
        gone = self._create_favourites(
            {"model_id": "crm.lead", "domain": "[('opportunity_type_id.name', '=', 'X')]"},
            {"model_id": "crm.lead", "domain": "['|', ('name', '=', 'A'), ('order_ids.approval_state', '=', 'open')]"},
            {"model_id": "crm.lead", "domain": "[('order_ids', 'any', [('approval_state', '=', 'open')])]"},
            {"model_id": "crm.lead", "domain": "[('furthest_stage_id', '=', uid)]"},
            {"model_id": "crm.lead", "context": "{'group_by': ['stage_id', 'furthest_stage_id']}"},
            {"model_id": "sale.order", "context": "{'group_by': ['approved_date:month']}"},
            {"model_id": "sale.order", "sort": '["approval_state desc"]', "active": False},
            {"model_id": "res.users", "domain": "[('partner_id.credit_unit_id', '!=', False)]"},
            {"model_id": "crm.funnel.report"},
        )
        self.assertEqual(len(self._uninstall()), len(gone))
        self.assertFalse(gone.exists())

    @mute_logger(LOGGER)
    def test_other_favourites_stay(self):
        kept = self._create_favourites(
            {"model_id": "crm.lead", "domain": "[('stage_id.name', '=', 'approval')]"},
            {"model_id": "crm.lead", "domain": "[('name', '=', 'opportunity_type_id')]"},
            {"model_id": "crm.lead", "domain": "[('order_ids', 'any', [('state', '=', 'approval_state')])]"},
            {"model_id": "sale.order", "domain": "[('create_date', '>', context_today())]", "sort": '["name desc"]'},
            {"model_id": "res.users", "domain": "[('name', '=', 'opportunity_type_id')]"},
        )
        uninstall_hook(self.env)
        self.assertEqual(kept.exists(), kept)

    def test_a_record_rule_has_to_be_mended_first(self):
        """Without it more might be seen than should be, with it nobody could read anything."""
        rule = self.env["ir.rule"].create(
            {
                "name": "Plant only",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "domain_force": "[('opportunity_type_id.name', '=', 'Plant')]",
            }
        )
        with self.assertRaisesRegex(UserError, "Record rule 'Plant only' of Lead.*Change its domain or delete it"):
            uninstall_hook(self.env)
        rule.domain_force = "[('name', '!=', 'opportunity_type_id')]"
        uninstall_hook(self.env)
        self.assertTrue(rule.exists())

    def test_views_of_users_are_archived(self):
        ours, own, other = self.env["ir.ui.view"].create(
            [
                {
                    "name": name,
                    "model": model,
                    "inherit_id": parent and self.env.ref(parent).id,
                    "mode": "extension" if parent else "primary",
                    "arch": arch,
                }
                for name, model, parent, arch in (
                    (
                        "Typed",
                        "crm.lead",
                        "crm.crm_lead_view_form",
                        "<field name='partner_id' position='after'><field name='opportunity_type_id'/></field>",
                    ),
                    ("Of a model that goes", "crm.stage.visit", False, "<list><field name='stage_id'/></list>"),
                    (
                        "Untouched",
                        "crm.lead",
                        "crm.crm_lead_view_form",
                        "<field name='partner_id' position='after'><field name='won_status'/></field>",
                    ),
                )
            ]
        )
        logs = self._uninstall()
        self.assertFalse(ours.active)
        self.assertTrue(other.active)
        self.assertFalse(own.exists())
        self.assertEqual(len(logs), 2)
        self.assertIn("'Typed' is archived", "".join(logs))

    def test_no_view_of_odoo_is_touched(self):
        View = self.env["ir.ui.view"]
        before = View.search([])
        uninstall_hook(self.env)
        self.assertEqual(View.search([]), before)

    def test_domains_of_lead_assignment_are_cleared(self):
        other = self.team.copy({"assignment_domain": "[('type', '=', 'lead')]"})
        self.team.assignment_domain = "[('opportunity_type_id', '=', 1)]"
        self._uninstall()
        self.assertFalse(self.team.assignment_domain)
        self.assertEqual(other.assignment_domain, "[('type', '=', 'lead')]")

    def test_windows_open_without_what_goes(self):
        looking, other, gone = self.env["ir.actions.act_window"].create(
            [
                {
                    "name": "Looking",
                    "res_model": "crm.lead",
                    "domain": "[('opportunity_type_id', '=', 1)]",
                    "context": "{'search_default_won': 1, 'group_by': ['opportunity_type_id']}",
                },
                {"name": "Other", "res_model": "crm.lead", "domain": "[('type', '=', 'lead')]"},
                {"name": "Gone", "res_model": "crm.funnel.report", "view_mode": "pivot"},
            ]
        )
        expression = looking.copy(
            {"domain": "[]", "context": "{'search_default_user_id': uid, 'group_by': 'furthest_stage_id'}"}
        )
        self.assertEqual(len(self._uninstall()), 4)
        self.assertFalse(looking.domain)
        self.assertEqual(looking.context, "{'search_default_won': 1}")
        self.assertEqual((expression.domain, expression.context), ("[]", "{}"))
        self.assertEqual(other.domain, "[('type', '=', 'lead')]")
        self.assertFalse(gone.exists())

    def test_mails_still_make_leads(self):
        """An alias that sets a field which is not there lets every mail bounce."""
        self.team.alias_name = "wanted"
        team = self.team.alias_id
        team.alias_defaults = repr({"type": "lead", "team_id": self.team.id, "opportunity_type_id": 1})
        self._uninstall()
        self.assertEqual(team.alias_defaults, repr({"type": "lead", "team_id": self.team.id}))

    def test_templates_that_could_not_be_filled_are_archived(self):
        templates = self.env["mail.template"].create(
            [
                {"name": name, "model_id": self.env["ir.model"]._get_id("sale.order"), **vals}
                for name, vals in (
                    ("Subject", {"subject": "{{ object.close_reason }}"}),
                    ("Sentence", {"subject": "Closed: {{ object.close_reason or '' }}!"}),
                    ("Body", {"body_html": "<p>By <t t-out='object.opportunity_id.opportunity_type_id.name'/></p>"}),
                    ("Other", {"subject": "{{ object.name }}", "body_html": "<p>Yours</p>"}),
                )
            ]
        )
        self._uninstall()
        self.assertEqual(templates.filtered("active").mapped("name"), ["Other"])

    def test_saved_exports_lose_what_goes(self):
        export = self.env["ir.exports"].create(
            {
                "name": "Mine",
                "resource": "crm.lead",
                "export_fields": [
                    Command.create({"name": name})
                    for name in ("name", "opportunity_type_id", "order_ids/approval_state", "order_ids/state")
                ],
            }
        )
        self._uninstall()
        self.assertEqual(export.export_fields.mapped("name"), ["name", "order_ids/state"])

    def test_code_that_will_not_run_is_named(self):
        model = self.env["ir.model"]._get_id("crm.lead")
        for name, code in (
            ("Reads a field", "for record in records:\n    log(record.opportunity_type_id.name)"),
            ("Reads a model", "stays = env['crm.stage.visit'].search([])\nlog(str(stays))"),
            ("Neither", "for record in records:\n    log(record.name)"),
        ):
            self.env["ir.actions.server"].create(
                {"name": name, "model_id": model, "state": "code", "code": code},
            )
        logs = "".join(self._uninstall())
        self.assertIn("'Reads a field' will not run any more", logs)
        self.assertIn("'Reads a model' will not run any more", logs)
        self.assertNotIn("Neither", logs)


class TestRelease(OpportunityStagesCase):
    """What the add-on has brought to Odoo's own models."""

    def _ref(self, name):
        return self.env.ref(f"sales_opportunity_stages.{name}", raise_if_not_found=False)

    def test_a_stage_in_use_stays_and_is_the_users_own(self):
        used, lost, unused = (
            self._ref(name) for name in ("stage_solution", "stage_negotiation", "stage_needs_analysis")
        )
        lead, archived = self._create_opportunities(2, opportunity_type_id=self._ref("opportunity_type_project").id)
        self._put(lead, used)
        self._put(archived, lost)
        archived.action_archive()
        uninstall_hook(self.env)
        self.assertEqual((used | lost | unused).exists(), used | lost)
        self.assertFalse(self._ref("stage_solution") or self._ref("stage_negotiation"))
        self.assertEqual((lead.stage_id, archived.stage_id), (used, lost))

    def _put(self, lead, stage):
        self.env.flush_all()
        self.env.cr.execute("UPDATE crm_lead SET stage_id = %s WHERE id = %s", [stage.id, lead.id])
        self.env.invalidate_all()

    def test_no_stage_of_others_is_deleted(self):
        """Deleting a type would take along the stages that only it has: all of Odoo's, where nobody stands in them."""
        self.env["crm.lead"].with_context(active_test=False).search([]).unlink()
        others = self.env["crm.stage"].search([("id", "not in", self._get_brought("crm.stage").ids)])
        uninstall_hook(self.env)
        self.env["crm.opportunity.type"].search([]).unlink()
        self.assertEqual(others.exists(), others)

    def _get_brought(self, model):
        data = self.env["ir.model.data"].search([("model", "=", model), ("module", "=", "sales_opportunity_stages")])
        return self.env[model].browse(data.mapped("res_id")).exists()

    def test_an_activity_type_in_use_stays(self):
        done, planned, unused = (
            self._ref(f"mail_activity_type_{name}") for name in ("approval", "site_visit", "presentation")
        )
        order = self.env["sale.order"].create({"partner_id": self.env.user.partner_id.id})
        activity = order.activity_schedule(activity_type_id=done.id)
        activity.action_done()
        order.activity_schedule(activity_type_id=planned.id)
        uninstall_hook(self.env)
        self.assertEqual((done | planned | unused).exists(), done | planned)
        self.assertEqual(activity.activity_type_id, done)
        self.assertFalse(self._ref("mail_activity_type_approval"))

    def test_a_rule_does_not_keep_its_activity_type(self):
        unused = self._ref("mail_activity_type_presentation")
        self.env["crm.stage.rule"].create({"stage_id": self.stage_closing.id, "activity_type_id": unused.id})
        uninstall_hook(self.env)
        self.assertFalse(unused.exists())

    def test_a_record_that_may_not_be_deleted_stays(self):
        """Demo data that has been worked with."""
        product = self.env["product.product"].create({"name": "Press"})
        orders = self.env["sale.order"].create(
            [
                {"partner_id": self.env.user.partner_id.id, "order_line": [Command.create({"product_id": product.id})]}
                for _ in range(2)
            ]
        )
        orders[0].action_confirm()
        for index, record in enumerate([product, *orders]):
            self.env["ir.model.data"].create(
                {
                    "module": "sales_opportunity_stages",
                    "name": f"demo_{index}",
                    "model": record._name,
                    "res_id": record.id,
                }
            )
        uninstall_hook(self.env)
        self.assertEqual(orders.exists(), orders[0])
        self.assertTrue(product.exists(), "the confirmed order needs it")
        self.assertFalse(any(self._ref(f"demo_{index}") for index in range(3)))

    def test_names_of_its_own_records_are_forgotten(self):
        self.type_quick.export_data(["id"])
        names = [("model", "=", "crm.opportunity.type")]
        self.assertIn("__export__", self.env["ir.model.data"].search(names).mapped("module"))
        uninstall_hook(self.env)
        self.assertFalse(self.env["ir.model.data"].search(names))
        self.assertTrue(self.type_quick.exists(), "its table goes with the model")

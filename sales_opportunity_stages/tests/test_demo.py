from odoo.tests import TransactionCase, tagged
from odoo.tools import convert_file


@tagged("post_install", "-at_install")
class TestDemo(TransactionCase):
    def test_demo_data_loads_and_tells_a_story(self):
        """Odoo installs without demo data that fails to load, and says so only in the log."""
        admin = self.env.ref("base.user_admin")
        admin.group_ids |= self.env.ref("sales_team.group_sale_manager")
        for name in (
            "res_partner_demo",
            "product_demo",
            "crm_lead_demo",
            "crm_opportunity_line_demo",
            "crm_opportunity_competitor_demo",
        ):
            convert_file(self.env, "sales_opportunity_stages", f"demo/{name}.xml", {}, "init", noupdate=False)
        project = self.env.ref("sales_opportunity_stages.opportunity_type_project")
        leads = self.env["crm.lead"].search([("opportunity_type_id", "=", project.id), ("user_id", "=", admin.id)])
        self.assertEqual(leads.stage_id, project.stage_ids, "every stage has something to show")
        self.assertIn(True, leads.mapped("can_promote"))
        line = self.env.ref("sales_opportunity_stages.lead_packaging_line").with_user(admin)
        self.assertEqual(line.stage_progress, "2/3")
        self.assertEqual(line.stage_checklist["items"][0]["user"], admin.name)

from odoo.tests import TransactionCase, tagged
from odoo.tools import convert_file

from odoo.addons.sales_opportunity_stages_expense.hooks import pre_init_hook, uninstall_hook

from .common import ExpenseCase


class TestPreInit(ExpenseCase):
    """What is in a database when the module is installed is linked as it would be now."""

    def _forget(self, expenses):
        """As Odoo alone has left them."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE hr_expense SET opportunity_id = NULL, quotation_id = NULL, customer_id = NULL WHERE id = ANY(%s)",
            [expenses.ids],
        )
        self.env.invalidate_all()

    def test_what_is_reinvoiced_is_linked(self):
        lead = self._create_opportunity(partner_id=self.customer.id)
        order, alone = self._create_quotation(opportunity_id=lead.id), self._create_quotation()
        (order | alone).action_confirm()
        with_lead, without, other = (
            self._spend(product_id=self.travel.id, sale_order_id=reinvoiced.id)
            for reinvoiced in (order, alone, self.env["sale.order"])
        )
        expected = [self._get_links(expense) for expense in (with_lead, without, other)]
        self.assertEqual(expected[0], (lead, order, self.customer))
        self._forget(with_lead | without | other)
        pre_init_hook(self.env)
        self.env.invalidate_all()
        self.assertEqual([self._get_links(expense) for expense in (with_lead, without, other)], expected)
        elsewhere = self._create_opportunity("Other")
        with_lead.sudo().write({"quotation_id": False, "opportunity_id": elsewhere.id})
        self.env.flush_all()
        pre_init_hook(self.env)
        self.env.invalidate_all()
        self.assertEqual(with_lead.opportunity_id, elsewhere, "what is linked keeps it")

    def test_opportunity_that_has_gone_to_another_company(self):
        lead = self._create_opportunity(partner_id=self.customer.id)
        order = self._create_quotation(opportunity_id=lead.id)
        order.action_confirm()
        expense = self._spend(product_id=self.travel.id, sale_order_id=order.id)
        self._forget(expense)
        there = self.env["res.company"].create({"name": "Elsewhere"})
        self.env.cr.execute("UPDATE crm_lead SET company_id = %s WHERE id = %s", [there.id, lead.id])
        pre_init_hook(self.env)
        self.env.invalidate_all()
        self.assertEqual(self._get_links(expense), (self.env["crm.lead"], order, self.customer))


@tagged("post_install", "-at_install")
class TestDemo(TransactionCase):
    def test_demo_data_loads_and_tells_a_story(self):
        """Odoo installs without demo data that fails to load, and says so only in the log."""
        admin = self.env.ref("base.user_admin")
        admin.group_ids |= self.env.ref("sales_team.group_sale_manager")
        core = (
            "res_users_demo",
            "res_partner_demo",
            "product_demo",
            "crm_competing_product_demo",
            "crm_lead_demo",
            "crm_opportunity_line_demo",
            "crm_opportunity_competitor_demo",
            "sale_order_demo",
        )
        for module, names in (
            ("sales_opportunity_stages", core),
            ("sales_opportunity_stages_expense", ("hr_expense_demo",)),
        ):
            for name in names:
                convert_file(self.env, module, f"demo/{name}.xml", {}, "init", noupdate=False)
        lead = self.env.ref("sales_opportunity_stages.lead_packaging_line").with_user(admin)
        order = self.env.ref("sales_opportunity_stages.order_packaging_line").with_user(admin)
        self.assertEqual((lead.expense_total, order.expense_total), (269.5, 58.9))
        self.assertEqual(set(lead.spent_expense_ids.mapped("state")), {"approved", "submitted"})
        self.assertEqual(lead.spent_expense_ids.customer_id, lead.partner_id)
        self.assertEqual(self.env.ref("sales_opportunity_stages.lead_ward_furniture").expense_total, 0, "refused")


class TestUninstall(ExpenseCase):
    def test_what_looks_at_expenses_goes_along(self):
        condition, other = self.env["crm.stage.rule"].create(
            [
                {"stage_id": self.stage_closing.id, "kind": "condition", "name": name, "domain": domain}
                for name, domain in (
                    ("Visited", "[('spent_expense_ids', '!=', False)]"),
                    ("Big", "[('expected_revenue', '>', 1000)]"),
                )
            ]
        )
        favourite = self.env["ir.filters"].create(
            {"name": "Visits", "model_id": "hr.expense", "domain": "[('opportunity_id', '!=', False)]"}
        )
        with self.assertLogs("odoo.addons.sales_opportunity_stages.uninstall", "WARNING"):
            uninstall_hook(self.env)
        self.assertFalse(condition.exists() or favourite.exists())
        self.assertTrue(other.exists())

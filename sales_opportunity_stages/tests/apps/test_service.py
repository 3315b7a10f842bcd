from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user

from .common import AppsCase


class TestService(AppsCase):
    """Needs ``sale_timesheet`` and ``sale_purchase``. What a confirmation makes: projects, tasks, purchase orders."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls.env["project.project"].create(
            {"name": "Assembly", "allow_billable": True, "company_id": cls.company.id}
        )
        values = {"type": "service", "taxes_id": [Command.clear()], "list_price": 100}
        cls.task_service, cls.project_service, cls.hours = cls.env["product.product"].create(
            [
                {
                    "name": "Assembly",
                    "service_tracking": "task_global_project",
                    "project_id": cls.project.id,
                    "invoice_policy": "order",
                    **values,
                },
                {"name": "Plant", "service_tracking": "project_only", "invoice_policy": "order", **values},
                {
                    "name": "Hours",
                    "service_tracking": "task_global_project",
                    "project_id": cls.project.id,
                    "service_policy": "delivered_timesheet",
                    "uom_id": cls.env.ref("uom.product_uom_hour").id,
                    **values,
                },
            ]
        )
        vendor = cls.env["res.partner"].create({"name": "Crane Hire"})
        cls.bought = cls.env["product.product"].create(
            {
                "name": "Crane",
                "service_to_purchase": True,
                "seller_ids": [Command.create({"partner_id": vendor.id, "price": 50})],
                **values,
            }
        )
        cls.employee_record = cls.env["hr.employee"].create(
            {"name": "Fitter", "company_id": cls.company.id, "user_id": cls.employee.id}
        )

    def _quote(self, *products, quantity=5):
        return self._create_quotation(
            order_line=[
                Command.create(
                    {
                        "product_id": product.id,
                        "product_uom_qty": quantity,
                        "price_unit": 100.0,
                        "technical_price_unit": 0.0,
                    }
                )
                for product in products
            ]
        )

    def _count(self):
        return {
            model: self.env[model].search_count([])
            for model in ("project.project", "project.task", "purchase.order", "mail.mail", "account.analytic.account")
        }

    def _get_everything(self):
        return self.task_service | self.project_service | self.hours | self.bought

    def test_refused_by_credit_leaves_nothing_behind(self):
        order = self._quote(*self._get_everything())
        order.with_user(self.approver).action_approve()
        self.unit.credit_limit = 1999
        counts = self._count()
        with self.assertRefused("credit limit of Holding is exceeded"), self.env.cr.savepoint():
            order.with_context(send_email=True).action_confirm()
        self.assertEqual(self._count(), counts)
        self.assertEqual(order.state, "draft")

    def test_refused_by_approval_leaves_nothing_behind(self):
        order, counts = self._quote(*self._get_everything()), self._count()
        with self.assertRefused("has to be approved first"), self.env.cr.savepoint():
            order.with_context(send_email=True).action_confirm()
        self.assertEqual(self._count(), counts)

    def test_approved_and_at_full_credit(self):
        order = self._quote(*self._get_everything())
        order.with_user(self.approver).action_approve()
        self.unit.credit_limit = 2000
        order.action_confirm()
        self.assertEqual((order.state, order.approval_state), ("sale", "approved"))
        self.assertEqual(len(order.sudo().tasks_ids), 2)
        self.assertEqual(len(order.sudo().project_ids), 2)
        self.assertEqual(order.sudo()._get_purchase_orders().order_line.product_qty, 5)
        self.assertEqual(self._get_results(order), ["passed"])

    def test_hours_are_logged_on_an_approved_order(self):
        """More than was ordered, at full credit: whoever works is not stopped, and it is counted."""
        order = self._quote(self.hours)
        order.with_user(self.approver).action_approve()
        self.unit.credit_limit = 500
        order.action_confirm()
        worker = new_test_user(
            self.env,
            "sos_fitter",
            groups="hr_timesheet.group_hr_timesheet_user,project.group_project_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.employee_record.user_id = worker
        self.env["account.analytic.line"].with_user(worker).create(
            {
                "name": "Fitting",
                "project_id": self.project.id,
                "task_id": order.sudo().tasks_ids.id,
                "employee_id": self.employee_record.id,
                "unit_amount": 8,
            }
        )
        self.env.flush_all()
        self.assertEqual((order.order_line.qty_delivered, order.credit_uninvoiced), (8, 800))
        self.assertEqual(order.approval_state, "approved")

    def test_a_milestone_is_reached(self):
        self.task_service.service_policy = "delivered_milestones"
        order = self._quote(self.task_service)
        order.with_user(self.approver).action_approve()
        self.unit.credit_limit = 500
        order.action_confirm()
        milestone = self.env["project.milestone"].create(
            {
                "name": "Half",
                "project_id": self.project.id,
                "sale_line_id": order.order_line.id,
                "quantity_percentage": 0.5,
            }
        )
        milestone.is_reached = True
        self.assertEqual(order.order_line.qty_delivered, 2.5)
        self.assertEqual(order.credit_uninvoiced, 500)

    def test_an_order_made_from_a_project_obeys(self):
        """``sale_project`` creates and confirms it in one operation."""
        self.unit.credit_limit = 50
        counts = self._count()
        with self.assertRefused("credit limit of Holding is exceeded"), self.env.cr.savepoint():
            self.env["sale.order"].with_context(
                create_for_project_id=self.project.id, default_project_id=self.project.id
            ).create(
                {
                    "partner_id": self.customer.id,
                    "order_line": [
                        Command.create({"product_id": self.task_service.id, "product_uom_qty": 1, "price_unit": 100.0})
                    ],
                }
            )
        self.assertEqual(self._count(), counts)

    def test_material_of_a_project(self):
        """Material that a transfer takes for a project is re-invoiced: it is used already."""
        order = self._confirmed()
        self.unit.credit_limit = 500
        self.project.write({"reinvoiced_sale_order_id": order.id, "partner_id": self.customer.id})
        material = self.env["product.product"].create(
            {
                "name": "Cable",
                "type": "consu",
                "expense_policy": "cost",
                "invoice_policy": "delivery",
                "standard_price": 30,
                "taxes_id": [Command.clear()],
            }
        )
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", self.company.id)], limit=1)
        warehouse.out_type_id.analytic_costs = True
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": warehouse.out_type_id.id,
                "location_id": warehouse.lot_stock_id.id,
                "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                "project_id": self.project.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": material.id,
                            "product_uom_qty": 2,
                            "quantity": 2,
                            "location_id": warehouse.lot_stock_id.id,
                            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                            "picked": True,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        picking.move_ids.write({"quantity": 2, "picked": True})
        keeper = new_test_user(
            self.env,
            "sos_material",
            groups="stock.group_stock_user,project.group_project_user,sales_team.group_sale_salesman_all_leads",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        picking.with_user(keeper).button_validate()
        line = order.order_line.filtered(lambda each: each.product_id == material)
        self.assertEqual((line.qty_delivered, line.price_unit), (2, 30))
        self.assertIn("Added by another application after the approval", self._get_notes(order))
        self.assertEqual(self._get_results(order), ["passed", "warned"])

    def test_a_purchase_follows_the_quantity(self):
        """More of a bought service on an order at its limit buys nothing."""
        self.company.quotation_approval = "off"
        order = self._quote(self.bought)
        order.action_confirm()
        self.unit.credit_limit = 500
        bought = order.sudo()._get_purchase_orders().order_line
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.order_line.product_uom_qty = 8
        self.assertEqual(bought.product_qty, 5)
        self.unit.credit_limit = 800
        order.order_line.product_uom_qty = 8
        self.assertEqual(bought.product_qty, 8)

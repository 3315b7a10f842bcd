import json

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form

from .common import AppsCase


class TestMatrix(AppsCase):
    """Needs ``sale_product_matrix``. The grid changes several lines at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salesman.group_ids |= cls.env.ref("product.group_product_variant") | cls.env.ref(
            "product.group_product_manager"
        )
        attribute = cls.env["product.attribute"].create(
            {"name": "Size", "value_ids": [Command.create({"name": name}) for name in ("S", "M", "L")]}
        )
        cls.template = cls.env["product.template"].create(
            {
                "name": "Shirt",
                "list_price": 100,
                "invoice_policy": "order",
                "product_add_mode": "matrix",
                "taxes_id": [Command.clear()],
                "attribute_line_ids": [
                    Command.create({"attribute_id": attribute.id, "value_ids": [Command.set(attribute.value_ids.ids)]})
                ],
            }
        )
        cls.values = cls.template.attribute_line_ids.product_template_value_ids

    def _fill(self, order, *quantities):
        """Type quantities per size into the grid."""
        changes = [
            {"ptav_ids": value.ids, "qty": quantity}
            for value, quantity in zip(self.values, quantities, strict=True)
            if quantity is not None
        ]
        order = order.with_user(self.salesman)
        order.grid_update = True
        order.grid = json.dumps({"changes": changes, "product_template_id": self.template.id})
        order._apply_grid()

    def _get_quantities(self, order):
        return [
            sum(
                order.order_line.filtered(
                    lambda line, value=value: line.product_id.product_template_attribute_value_ids == value
                ).mapped("product_uom_qty")
            )
            for value in self.values
        ]

    def test_an_order_at_its_limit_moves_between_sizes(self):
        self.company.quotation_approval = "off"
        order = self._create_quotation(order_line=[])
        self._fill(order, 2, 3, None)
        order.action_confirm()
        self.unit.credit_limit = 500
        self._fill(order, 4, 1, None)
        self.assertEqual(self._get_quantities(order), [4, 1, 0])
        self._fill(order, 1, 1, 3)
        self.assertEqual((self._get_quantities(order), order.amount_total), ([1, 1, 3], 500))
        with self.assertRefused("credit limit of Holding is exceeded"), self.env.cr.savepoint():
            self._fill(order, 1, 1, 4)

    def test_an_approved_quotation(self):
        order = self._create_quotation(order_line=[])
        self._fill(order, 2, 3, None)
        order.with_user(self.approver).action_approve()
        with self.assertRefused("is approved, so this cannot be changed"), self.env.cr.savepoint():
            self._fill(order, 3, 2, None)
        order.action_confirm()
        self.assertEqual(order.state, "sale")


class TestMarginAndDocuments(AppsCase):
    """Needs ``sale_margin`` and ``sale_pdf_quote_builder``."""

    def test_costs_are_no_content(self):
        order = self._approved()
        order.order_line.purchase_price = 70
        self.assertEqual(order.margin, 150)
        order.action_confirm()
        order.order_line.purchase_price = 80
        self.assertEqual((order.state, order.margin), ("sale", 100))

    def test_documents_of_an_approved_quotation(self):
        document = self.env["quotation.document"].create(
            {"name": "header.pdf", "document_type": "header", "mimetype": "application/pdf", "datas": b""}
        )
        order = self._approved()
        order.write(
            {
                "quotation_document_ids": [Command.set(document.ids)],
                "customizable_pdf_form_fields": json.dumps({"header": {}, "line": {}, "footer": {}}),
            }
        )
        self.assertEqual(order.quotation_document_ids, document)
        order.action_confirm()
        self.assertEqual(order.state, "sale")


class TestTemplatesAndCombos(AppsCase):
    """Needs ``sale_management`` alone; combos are written with their items."""

    def test_a_template_is_filled_in(self):
        self.salesman.group_ids |= self.env.ref("sale_management.group_sale_order_template")
        template = self.env["sale.order.template"].create(
            {
                "name": "Usual",
                "mail_template_id": self.env.ref("sale.email_template_edi_sale").id,
                "sale_order_template_line_ids": [
                    Command.create({"product_id": self.product.id, "product_uom_qty": 5}),
                    Command.create({"product_id": self.other_product.id, "product_uom_qty": 2}),
                ],
            }
        )
        with Form(self.env["sale.order"].with_user(self.salesman)) as form:
            form.partner_id = self.customer
            form.sale_order_template_id = template
        order = form.save()
        self.assertEqual(len(order.order_line), 2)
        self.unit.credit_limit = order.amount_total - 1
        order.with_user(self.approver).action_approve()
        mails = self.env["mail.mail"].search_count([])
        messages = len(order.message_ids)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.action_confirm()
        self.assertEqual((self.env["mail.mail"].search_count([]), len(order.message_ids)), (mails, messages))
        self.unit.credit_limit = order.amount_total
        order.action_confirm()
        self.assertGreater(len(order.message_ids), messages)

    def test_a_combo(self):
        """Its items are lines of their own; price and quantity of one are those of the whole."""
        combo = self.env["product.combo"].create(
            {
                "name": "Pumps",
                "combo_item_ids": [Command.create({"product_id": self.product.id})],
            }
        )
        product = self.env["product.product"].create(
            {
                "name": "Set",
                "type": "combo",
                "combo_ids": [Command.set(combo.ids)],
                "list_price": 500,
                "taxes_id": [Command.clear()],
            }
        )
        order = self._create_quotation(order_line=[])
        order.order_line = [Command.create({"product_id": product.id, "product_uom_qty": 1})]
        order.order_line = [
            Command.create(
                {
                    "product_id": self.product.id,
                    "product_uom_qty": 1,
                    "combo_item_id": combo.combo_item_ids.id,
                    "linked_line_id": order.order_line.id,
                }
            )
        ]
        self.assertEqual(order.amount_total, 500)
        order.with_user(self.approver).action_approve()
        with self.assertRefused("is approved, so this cannot be changed"), self.env.cr.savepoint():
            order.order_line[0].product_uom_qty = 2
        self.unit.credit_limit = 500
        order.action_confirm()
        self.assertEqual((order.state, order.credit_uninvoiced), ("sale", 500))

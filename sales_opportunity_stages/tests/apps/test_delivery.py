from .common import AppsCase


class TestDelivery(AppsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        product = cls.env["product.product"].create(
            {"name": "Shipping", "type": "service", "list_price": 20, "taxes_id": False}
        )
        cls.carrier = cls.env["delivery.carrier"].create(
            {"name": "Post", "product_id": product.id, "fixed_price": 20, "delivery_type": "fixed"}
        )

    def test_cheaper_shipping_on_an_order_over_its_limit(self):
        """The old line goes before the new one comes: together the order shrinks."""
        self.company.quotation_approval = "off"
        order = self._create_quotation(quantity=5, price=100.0)
        order.set_delivery_line(self.carrier, 20)
        order.action_confirm()
        self.unit.credit_limit = 300
        order.set_delivery_line(self.carrier, 15)
        self.assertEqual(order.amount_total, 515)
        with self.assertRefused("credit limit"):
            order.set_delivery_line(self.carrier, 25)
        self.assertEqual(order.amount_total, 515)

    def test_by_the_dialog(self):
        self.company.quotation_approval = "off"
        order = self._create_quotation(quantity=5, price=100.0)
        order.set_delivery_line(self.carrier, 20)
        order.action_confirm()
        self.unit.credit_limit = 300
        self.carrier.fixed_price = 15
        self.carrier.product_id.list_price = 15
        dialog = (
            self.env["choose.delivery.carrier"]
            .with_user(self.salesman)
            .create({"order_id": order.id, "carrier_id": self.carrier.id, "delivery_price": 15})
        )
        dialog.button_confirm()
        self.assertEqual(order.amount_total, 515)

    def test_shipping_is_content_of_an_approved_quotation(self):
        order = self._approved()
        with self.assertRefused("is approved, so this cannot be changed"):
            order.set_delivery_line(self.carrier, 20)

    def test_real_cost_is_added_to_a_confirmed_order(self):
        """The parcel is on its way: the warehouse is not stopped."""
        self.carrier.invoice_policy = "real"
        product = self.product
        product.is_storable = True
        order = self._create_quotation(quantity=5, price=100.0)
        order.set_delivery_line(self.carrier, 0)
        order.with_user(self.approver).action_approve()
        order.action_confirm()
        self.unit.credit_limit = 500
        picking = order.sudo().picking_ids
        picking.carrier_id = self.carrier
        picking.carrier_price = 30
        picking._add_delivery_cost_to_so()
        self.assertEqual(order.amount_total, 530)
        self.assertEqual(self._get_results(order), ["passed", "warned"])
        self.assertIn("Added by another application after the approval", self._get_notes(order))

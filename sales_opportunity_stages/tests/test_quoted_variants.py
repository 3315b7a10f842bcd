from odoo.fields import Command

from .quotation_common import QuotationCase


class TestVariantsAndPackagings(QuotationCase):
    """A product line names a variant in one of the product's units, and so does the quotation made from it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pack = cls.env["uom.uom"].create(
            {"name": "Pack of 6", "relative_factor": 6, "relative_uom_id": cls.env.ref("uom.product_uom_unit").id}
        )
        attributes = cls.env["product.attribute"].create(
            [
                {
                    "name": name,
                    "create_variant": mode,
                    "value_ids": [Command.create({"name": value}) for value in ("Steel", "Brass")],
                }
                for name, mode in (("Material", "always"), ("Finish", "no_variant"))
            ]
        )
        cls.template = cls.env["product.template"].create(
            {
                "name": "Flange",
                "list_price": 50,
                "taxes_id": [Command.clear()],
                "uom_ids": [Command.set(cls.pack.ids)],
                "attribute_line_ids": [
                    Command.create({"attribute_id": each.id, "value_ids": [Command.set(each.value_ids.ids)]})
                    for each in attributes
                ],
            }
        )
        values = cls.template.attribute_line_ids[0].product_template_value_ids
        values[1].price_extra = 7
        cls.steel, cls.brass = cls.template.product_variant_ids.sorted("id")

    def _quote(self, **values):
        lead = self._create_opportunity(partner_id=self.customer.id)
        line = (
            self.env["crm.opportunity.line"]
            .with_user(self.salesman)
            .create({"lead_id": lead.id, "product_id": self.brass.id, "product_uom_qty": 3, **values})
        )
        return line, self._generate(lead).order_line

    def test_a_variant_at_the_price_of_the_pricelist(self):
        line, quoted = self._quote()
        self.assertEqual(line.reference_price, 57)
        self.assertEqual((quoted.product_id, quoted.price_unit, quoted.product_uom_qty), (self.brass, 57, 3))
        self.assertIn("Brass", quoted.name)

    def test_a_variant_at_a_quoted_price(self):
        line, quoted = self._quote(price_unit=55)
        self.assertEqual((quoted.price_unit, quoted.price_subtotal), (55, line.price_subtotal))

    def test_a_packaging(self):
        line, quoted = self._quote(product_uom_id=self.pack.id, price_unit=300)
        self.assertEqual(line.reference_price, 6 * 57)
        self.assertEqual((quoted.product_uom_id, quoted.product_uom_qty, quoted.price_unit), (self.pack, 3, 300))
        quoted.order_id.action_confirm()
        self.assertEqual(line.ordered_qty, 3)

    def test_a_packaging_that_is_quoted_by_the_piece(self):
        line, quoted = self._quote(product_uom_id=self.pack.id)
        quoted.write({"product_uom_id": self.brass.uom_id.id, "product_uom_qty": 12})
        self.assertEqual(line.quoted_qty, 2)

    def test_what_makes_no_variant_is_chosen_on_the_quotation(self):
        """The line has none of it, and the quotation takes it."""
        _line, quoted = self._quote()
        self.assertFalse(quoted.product_no_variant_attribute_value_ids)
        value = self.template.attribute_line_ids[1].product_template_value_ids[0]
        quoted.product_no_variant_attribute_value_ids = value
        self.assertEqual(quoted.product_no_variant_attribute_value_ids, value)

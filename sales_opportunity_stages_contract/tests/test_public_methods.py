from odoo.tests import HttpCase, tagged

from odoo.addons.sales_opportunity_stages.tests.public_methods import PublicMethodsTests


@tagged("post_install", "-at_install")
class TestPublicMethods(PublicMethodsTests, HttpCase):
    MODULE = "sales_opportunity_stages_contract"
    TABLE = """
    method                                portal public employee accountant credit approver own nobody collab other supervisor manager admin elsewhere
    crm.lead.action_view_contracts        -      -      -        -          -      -        x   x      x      -     x          x       -     -
    sale.order.action_create_contract     -      -      -        -          -      -        x   x      x      -     x          x       -     -
    sale.order.action_view_contracts      -      -      -        -          -      x        x   x      x      -     x          x       -     -
    sale.order.line.get_assigned_bo_line  -      -      -        x          -      -        x   x      x      -     x          x       -     -
    """  # noqa: E501 - a table

    def _make_sale_order(self, lead):
        order, to_write, to_create = super()._make_sale_order(lead)
        self.env["sale.order.line"].create({"order_id": order.id, "product_id": self.product.id})
        return order, to_write, to_create

from odoo.tests import HttpCase, tagged

from odoo.addons.sales_opportunity_stages.tests.public_methods import PublicMethodsTests


@tagged("post_install", "-at_install")
class TestPublicMethods(PublicMethodsTests, HttpCase):
    MODULE = "sales_opportunity_stages_expense"
    TABLE = """
    method                          portal public employee accountant credit approver own nobody collab other supervisor manager admin elsewhere
    crm.lead.action_view_expenses   -      -      -        -          -      -        x   x      x      -     x          x       -     -
    sale.order.action_view_expenses -      -      -        x          -      x        x   x      x      -     x          x       -     -
    """  # noqa: E501 - a table

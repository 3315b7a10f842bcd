from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tests.common import TransactionCase

from odoo.addons.sales_opportunity_stages.tests.quotation_common import QuotationSetup


class ContractSetup(QuotationSetup):
    """What becomes of a quotation as a salesperson, who sees only their own documents, takes it through."""

    @classmethod
    def _make_contract(cls, order):
        return cls.env["sale.blanket.order"].with_user(order.env.user).browse(order.action_create_contract()["res_id"])

    @classmethod
    def _open(cls, contract, days=30):
        """As it is used: with an end, and confirmed."""
        today = fields.Date.today()
        contract.write({"validity_start_date": today, "validity_date": today + timedelta(days=days)})
        contract.action_confirm()
        return contract

    @classmethod
    def _make_open_contract(cls, order=None, **values):
        return cls._open(cls._make_contract(order or cls._create_quotation(**values)))

    @classmethod
    def _call_off(cls, contracts, quantity=None, user=None):
        """An order through the contracts' own dialog, of this quantity of each line or of all that is left."""
        wizard = (
            cls.env["sale.blanket.order.wizard"]
            .with_user(user or contracts.env.user)
            .with_context(active_model="sale.blanket.order.line", active_ids=contracts.line_ids.ids)
            .create({})
        )
        if quantity is not None:
            wizard.line_ids.qty = quantity
        action = wizard.create_sale_order()
        return cls.env["sale.order"].with_user(user or contracts.env.user).search(action["domain"])

    @classmethod
    def _make_free_contract(cls, price=50.0, quantity=1000, partner=None):
        """One that was typed in, and came of no quotation."""
        pricelist = cls.env["product.pricelist"].create({"name": "Any"})
        contract = cls.env["sale.blanket.order"].create(
            {
                "partner_id": (partner or cls.customer).id,
                "pricelist_id": pricelist.id,
                "line_ids": [
                    Command.create(
                        {
                            "product_id": cls.product.id,
                            "product_uom": cls.product.uom_id.id,
                            "original_uom_qty": quantity,
                            "price_unit": price,
                        }
                    )
                ],
            }
        )
        return cls._open(contract)


@tagged("post_install", "-at_install")
class ContractCase(ContractSetup, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()

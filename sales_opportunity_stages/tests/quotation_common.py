from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tests.common import TransactionCase

from .common import OpportunityStagesSetup


class QuotationSetup(OpportunityStagesSetup):
    """The pipeline, a customer, two products without taxes, and an approver who sells nothing."""

    @classmethod
    def _set_up_quotations(cls):
        cls._set_up_pipeline()
        cls.company = cls.env.company
        cls.approver = new_test_user(
            cls.env, "sos_approver", groups="sales_opportunity_stages.group_quotation_approver"
        )
        cls.customer, cls.stranger = cls.env["res.partner"].create([{"name": "Acme"}, {"name": "Globex"}])
        cls.product, cls.other_product = cls.env["product.product"].create(
            [
                {"name": "Pump", "list_price": 100.0, "taxes_id": [Command.clear()]},
                {"name": "Valve", "list_price": 40.0, "taxes_id": [Command.clear()]},
            ]
        )

    @classmethod
    def _create_quotable(cls, **values):
        """An opportunity with two product lines: 5 pumps quoted at 80, 10 valves not quoted."""
        values.setdefault("partner_id", cls.customer.id)
        lead = cls._create_opportunity(**values)
        cls.env["crm.opportunity.line"].with_user(lead.env.user).create(
            [
                {"lead_id": lead.id, "product_id": cls.product.id, "product_uom_qty": 5, "price_unit": 80},
                {"lead_id": lead.id, "product_id": cls.other_product.id, "product_uom_qty": 10},
            ]
        )
        return lead

    @classmethod
    def _create_quotation(cls, user=None, quantity=10, price=100.0, **values):
        return (
            cls.env["sale.order"]
            .with_user(user or cls.salesman)
            .create(
                {
                    "partner_id": cls.customer.id,
                    "user_id": (user or cls.salesman).id,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": cls.product.id,
                                "product_uom_qty": quantity,
                                "price_unit": price,
                                "technical_price_unit": 0.0,  # a price that stays
                            }
                        )
                    ],
                    **values,
                }
            )
        )

    def _generate(self, lead, document="quotation", user=None, **quantities):
        """Through the dialog, as a salesperson.

        :param quantities: ``line_<index>``: the quantity to take of that line instead of all of it
        """
        wizard = (
            self.env["crm.opportunity.generate"]
            .with_user(user or self.salesman)
            .create({"lead_id": lead.id, "document": document})
        )
        for key, quantity in quantities.items():
            wizard.line_ids[int(key.removeprefix("line_"))].product_uom_qty = quantity
        return self.env["sale.order"].with_user(user or self.salesman).browse(wizard.action_generate()["res_id"])

    def _allow_authorization(self):
        """Payments may be authorized first and captured later, whoever provides them."""
        Provider = self.registry["payment.provider"]
        compute = Provider._compute_feature_support_fields

        def compute_with_capture(providers):
            compute(providers)
            providers.support_manual_capture = "full_only"

        self.patch(Provider, "_compute_feature_support_fields", compute_with_capture)

    def _lose(self, lead):
        lead.with_user(self.manager).action_set_lost()

    def _win(self, lead):
        self._force(lead, self.stage_won)


@tagged("post_install", "-at_install")
class QuotationCase(QuotationSetup, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_quotations()

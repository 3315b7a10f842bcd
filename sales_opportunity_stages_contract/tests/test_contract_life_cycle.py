from odoo.tools import mute_logger

from odoo.addons.sales_opportunity_stages_contract.hooks import uninstall_hook

from .contract_common import ContractCase


class TestLifeCycle(ContractCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls._create_opportunity(partner_id=cls.customer.id)
        cls.order = cls._create_quotation(opportunity_id=cls.lead.id)

    def test_copies_are_free(self):
        contract = self._make_open_contract(self.order)
        copy = self.order.copy()
        self.assertFalse(copy.contract_ids or copy.has_contract)
        copy.action_confirm()
        copy = contract.copy()
        self.assertFalse(copy.quotation_id or copy.opportunity_id or copy.binds_quotation)
        self.assertEqual(self.order.contract_ids, contract)

    def test_a_copy_of_a_cancelled_contract_is_not_cancelled(self):
        contract = self._make_open_contract(self.order)
        contract.action_cancel()
        self.assertEqual(contract.copy().state, "draft")

    def test_merging_takes_contracts_along(self):
        contract = self._make_open_contract(self.order)
        head = self._create_opportunity(partner_id=self.customer.id)
        self._force(head, self.stage_needs)
        merged = (head | self.lead).with_user(self.manager).merge_opportunity()
        self.env.flush_all()
        self.assertEqual((merged, contract.opportunity_id, merged.contract_ids), (head, head, contract))
        self.assertTrue(self.order.has_contract)

    def test_follows_the_quotation(self):
        contract = self._make_contract(self.order)
        other = self._create_opportunity(partner_id=self.customer.id)
        self.order.opportunity_id = other
        self.assertEqual((contract.opportunity_id, other.contract_count, self.lead.contract_count), (other, 1, 0))
        self.order.with_user(self.manager).opportunity_id = False
        self.assertFalse(contract.opportunity_id)

    def test_archiving_and_deleting_the_opportunity(self):
        contract = self._make_open_contract(self.order)
        self.lead.action_archive()
        self.assertEqual((contract.state, contract.opportunity_id), ("open", self.lead))
        self.lead.with_user(self.manager).unlink()
        self.env.invalidate_all()
        self.assertFalse(contract.opportunity_id)
        self.assertTrue(self.order.has_contract)

    def test_deleting_the_salesperson_s_draft_line(self):
        """What is still a draft may be changed, down to nothing: then it cannot be confirmed."""
        contract = self._make_contract(self.order)
        contract.line_ids.unlink()
        with self.assertRefused("Must have some lines"):
            self._open(contract)


class TestStageRules(ContractCase):
    """A condition of a stage may look at contracts, and hears of them."""

    def _add_condition(self, domain):
        return self.env["crm.stage.rule"].create(
            {
                "stage_id": self.stage_contact.id,
                "kind": "condition",
                "name": "Contract",
                "domain": domain,
                "required": True,
            }
        )

    def test_made(self):
        self._add_condition("[('contract_ids', '!=', False)]")
        lead = self._create_opportunity(partner_id=self.customer.id)
        order = self._create_quotation(opportunity_id=lead.id)
        self._complete(lead, self.act_call)
        self.assertEqual((lead.stage_id, lead.stage_progress), (self.stage_contact, "1/2"))
        self._make_contract(order)
        self.assertEqual(lead.stage_id, self.stage_needs)

    def test_opened_cancelled_and_deleted(self):
        self._add_condition("[('contract_ids.state', 'in', ('open', 'done'))]")
        lead = self._create_opportunity(partner_id=self.customer.id)
        contract = self._make_contract(self._create_quotation(opportunity_id=lead.id))
        self.assertEqual(lead.stage_progress, "0/2")
        self._open(contract)
        self.assertEqual(lead.stage_progress, "1/2")
        contract.action_cancel()
        self.assertEqual(lead.stage_progress, "0/2")
        self._open(self._make_contract(contract.quotation_id))
        self.assertEqual(lead.stage_progress, "1/2")
        self._complete(lead, self.act_call)
        self.assertEqual(lead.stage_id, self.stage_needs)

    @mute_logger("odoo.addons.sales_opportunity_stages.uninstall")
    def test_uninstalling_takes_such_conditions_along(self):
        """Left behind, they would stop every opportunity of the stage."""
        rule = self._add_condition("[('contract_ids', '!=', False)]")
        through_orders = self._add_condition("[('order_ids.contract_ids.state', '=', 'open')]")
        others = self.env["crm.stage.rule"].search([]) - rule - through_orders
        uninstall_hook(self.env)
        self.assertFalse((rule | through_orders).exists())
        self.assertEqual(others.exists(), others)

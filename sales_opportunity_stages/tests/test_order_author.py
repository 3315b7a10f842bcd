from unittest.mock import patch

from .quotation_common import QuotationCase


class TestAuthors(QuotationCase):
    """Who has worked on quotations is stored with one statement for all that are changed alike."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"quotation_approval": "required", "quotation_approval_four_eyes": True})

    def _count_writes(self, operation):
        SaleOrder, writes = self.registry["sale.order"], []
        write = SaleOrder._write_derived

        def count(orders, vals):
            writes.append(set(vals))
            return write(orders, vals)

        with patch.object(SaleOrder, "_write_derived", count):
            operation()
        return [names for names in writes if names & {"author_ids", "amender_ids"}]

    def test_many_changed(self):
        orders = self.env["sale.order"].union(*(self._create_quotation() for _number in range(12)))
        writes = self._count_writes(lambda: orders.with_user(self.manager).write({"note": "Delivered next week"}))
        self.assertEqual(writes, [{"author_ids"}])
        for order in orders:
            self.assertEqual(order.sudo().author_ids & self.manager, self.manager)

    def test_many_handed_over(self):
        orders = self.env["sale.order"].union(*(self._create_quotation() for _number in range(5)))
        writes = self._count_writes(lambda: orders.with_user(self.manager).write({"user_id": self.colleague.id}))
        self.assertEqual(len(writes), 1)
        self.assertEqual(orders.sudo().author_ids, self.salesman)

    def test_many_created(self):
        values = {"partner_id": self.customer.id, "user_id": self.salesman.id}
        writes = self._count_writes(
            lambda: self.env["sale.order"].with_user(self.salesman).create([dict(values) for _number in range(8)])
        )
        self.assertLessEqual(len(writes), 1)

    def test_of_two_kinds(self):
        """Those who hand over differ: a statement for each."""
        first, second = self._create_quotation(), self._create_quotation(user=self.colleague)
        writes = self._count_writes(
            lambda: (first | second).with_user(self.manager).write({"user_id": self.supervisor.id})
        )
        self.assertEqual(len(writes), 2)
        self.assertEqual((first.sudo().author_ids, second.sudo().author_ids), (self.salesman, self.colleague))

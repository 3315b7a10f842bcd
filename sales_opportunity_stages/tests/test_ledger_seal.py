from odoo import fields
from odoo.exceptions import AccessError

from .credit_desk_common import CreditDeskCase


class TestSeals(CreditDeskCase):
    """Ledgers that prove themselves: who changes or removes a sealed row, or a seal, is found out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Seal = cls.env["sales.ledger.seal"]

    def setUp(self):
        super().setUp()
        self.order = self._order(300)
        self.request = self._request(self.order)
        self.grant = self._grant(1)
        self._confirm(50)
        self.Seal._cron_seal()

    def _find(self):
        self.env.invalidate_all()
        return [(model, id_) for _sentence, model, id_ in self.env["sales.consistency"].get_findings()]

    def _assert_found(self, statement, *parameters, found):
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            self.env.cr.execute(statement, parameters)
            self.assertEqual(self._find(), [found])
            savepoint.rollback()
        self.env.invalidate_all()

    def test_all_ledgers(self):
        models = self.Seal.search([]).mapped("model")
        self.assertLessEqual({"sale.credit.check", "sale.credit.request", "sale.credit.grant"}, set(models))
        self.assertFalse(self._find())

    def test_each_covers_the_one_before(self):
        self._confirm(1)
        self.Seal._cron_seal()
        seals = self.Seal.search([], order="id")
        self.assertEqual(seals[1:].previous_id, seals[:-1])
        self.assertFalse(seals[0].previous_id)
        self.assertFalse(self.Seal._cron_seal() or self.Seal.search([("id", ">", seals[-1].id)]), "nothing is new")

    def test_a_changed_row(self):
        check = self._get_checks()[0]
        self._assert_found(
            "UPDATE sale_credit_check SET excess = 1 WHERE id >= %s", check.id, found=("sale.credit.check", check.id)
        )
        self._assert_found(
            "UPDATE sale_credit_request SET amount = 10 ^ 6, state = 'granted' WHERE id = %s",
            self.request.id,
            found=("sale.credit.request", self.request.id),
        )
        self._assert_found(
            "UPDATE sale_credit_grant SET amount = 10 ^ 6 WHERE id = %s",
            self.grant.id,
            found=("sale.credit.grant", self.grant.id),
        )

    def test_a_removed_row(self):
        check = self._get_checks()[0]
        self._assert_found(
            "DELETE FROM sale_credit_check WHERE id = %s", check.id, found=("sale.credit.check", check.id)
        )

    def test_a_seal_of_ones_own(self):
        seal = self.Seal.search([], order="id", limit=1)
        self._assert_found(
            "UPDATE sales_ledger_seal SET digest = 'x' WHERE id = %s", seal.id, found=("sales.ledger.seal", seal.id)
        )

    def test_what_the_system_changes(self):
        self.request.with_user(self.credit_manager).action_release("Known")
        self.assertFalse(self._find(), "before it is sealed again")
        self.Seal._cron_seal()
        self.assertFalse(self._find())
        self.assertFalse(self.env["sales.ledger.amendment"].search([]))
        self._assert_found(
            "UPDATE sale_credit_request SET decided_by_id = %s WHERE id = %s",
            self.salesman.id,
            self.request.id,
            found=("sale.credit.request", self.request.id),
        )

    def test_what_is_not_kept(self):
        self.env.cr.execute("UPDATE sale_credit_check SET check_date = NOW() - INTERVAL '400 days'")
        self.env.invalidate_all()
        self.env["sales.ledger.seal"]._note_amended(self._get_checks())
        self.assertFalse(self._find())
        self.env["sale.credit.check"]._gc_passed()
        self.assertNotIn("passed", self._get_checks().mapped("result"))
        self.assertFalse(self._find())
        self.Seal._cron_seal()
        self.assertFalse(self._find())

    def test_a_deleted_customer(self):
        partner = self.env["res.partner"].create({"name": "Gone", "is_company": True, "credit_limit": 5})
        self.Seal._cron_seal()
        partner.unlink()
        self.assertFalse(self._find())

    def test_a_row_that_was_committed_late(self):
        """The seal has passed its id already: the next one covers it."""
        self._confirm(1)
        check = self._get_checks()[-1]
        previous, last = self.Seal.search([], limit=1), self.Seal._get_last("sale.credit.check")
        values = {"model": last.model, "last_id": check.id, "field_names": last.field_names, "content": False}
        values["date"] = fields.Datetime.now()
        digest = self.Seal._get_digest(previous.digest, **values)
        self.Seal._as_ledger().create({**values, "previous_id": previous.id, "digest": digest})
        self.assertFalse(self._find())
        self.Seal._cron_seal()
        self.assertIn(f"{check.id} ", self.Seal._get_last("sale.credit.check").content)
        self.assertFalse(self._find())

    def test_nobody_writes_them(self):
        seal = self.Seal.search([], limit=1)
        for attempt in (
            lambda: seal.write({"digest": "x"}),
            lambda: seal.sudo().unlink(),
            lambda: seal.create({"model": "x", "last_id": 1, "digest": "x"}),
            lambda: self.env["sales.ledger.amendment"].sudo().create({"model": "x", "res_id": 1}),
        ):
            with self.assertRaises(AccessError):
                attempt()

    def test_no_cost_on_the_way_of_a_confirmation(self):
        self._pay(self.debt, 900)
        orders = [self._order(1) for _index in range(3)]
        counts = []
        for order in orders[1:]:
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            order.action_confirm()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.Seal._cron_seal()
        self.assertEqual(counts[0], counts[1])

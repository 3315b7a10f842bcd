import subprocess
import sys

from odoo import fields
from odoo.tools import SQL, config

from .credit_common import CreditCase


class TestConsistency(CreditCase):
    """What the check finds is what somebody broke, past Odoo; ordinary work breaks nothing."""

    def setUp(self):
        super().setUp()
        self.assertFalse(self._find())

    def _find(self):
        self.env.invalidate_all()
        return list(self.env["sales.consistency"].get_findings())

    def _assert_found(self, broken, sentence, record=None, **values):
        """Once the row is written past Odoo, exactly that record, or those, are complained of in this way."""
        record = record or broken
        assignments = [SQL("%s = %s", SQL.identifier(name), value) for name, value in values.items()]
        table, assignments = SQL.identifier(broken._table), SQL(", ").join(assignments)
        with self.subTest(sentence, **values), self.env.cr.savepoint() as savepoint:
            self.env.cr.execute(SQL("UPDATE %s SET %s WHERE id = %s", table, assignments, broken.id))
            found = [(model, found_id) for text, model, found_id in self._find() if sentence in text]
            savepoint.rollback()
            self.env.invalidate_all()
            self.assertEqual(sorted(found), [(record._name, id_) for id_ in sorted(record.ids)])

    def test_ordinary_work(self):
        leads = self._create_opportunities(4)
        self._force(leads[:3], self.stage_needs)
        leads[1].with_user(self.manager).action_set_lost()
        self._win(leads[2])
        leads[1].with_user(self.manager).action_restore()
        order = self._confirm(300)
        self._confirm(200, self.free, partner_invoice_id=self.customer.id).sudo()._create_invoices().action_post()
        order.action_cancel()
        self._order(50).action_close_quotation("x")
        self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        self.assertFalse(self._find())

    def test_broken_stays(self):
        lead = self._create_opportunity()
        self._force(lead, self.stage_needs)
        self.env.flush_all()
        last, first = lead.stage_visit_ids
        now, later = fields.Datetime.now(), fields.Datetime.to_datetime("2099-01-01")
        self._assert_found(last, "not in the stage", lead, stage_id=self.stage_won.id)
        self._assert_found(last, "not in the stage", lead, date_end=now, outcome="lost")
        self._assert_found(lead, "has an open stay", won_status="lost")
        self._assert_found(lead, "its last stay ended otherwise", won_status="won")
        self._assert_found(first, "overlaps the stay before it", last, date_end=later)
        self._assert_found(last, "ends before it starts", date_start=later, date_end=now)
        self._assert_found(lead, "has come further", furthest_stage_id=self.stage_won.id)

    def test_broken_orders(self):
        order, quotation = self._confirm(300), self._order(20)
        self.env.flush_all()
        self._assert_found(order, "is closed and confirmed", approval_state="closed")
        self._assert_found(order, "is approved by nobody", approval_state="approved")
        self._assert_found(order, "uses another amount of credit", credit_uninvoiced=299.98)
        self._assert_found(quotation, "is not confirmed and uses credit", credit_uninvoiced=20)

    def test_broken_units(self):
        self.member.credit_unit_id = False
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        self.env.flush_all()
        self._assert_found(contact, "is a contact whose credit", credit_unit_id=self.free.id)
        self._assert_found(self.unit, "cannot carry it", self.customer | contact, credit_unit_id=self.free.id)
        self._assert_found(self.free, "cannot carry it", credit_unit_id=self.free.id)

    def test_command(self):
        """As an administrator runs it, on the database as it is committed."""
        addons = f"--addons-path={','.join(config['addons_path'])}"
        command = [sys.executable, "-m", "odoo", addons, "check_sales", "-c", config["config"]]
        command += ["-d", self.env.cr.dbname, "--log-level=error"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertIn("0 found in", done.stderr)

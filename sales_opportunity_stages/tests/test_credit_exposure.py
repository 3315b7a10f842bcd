import re
from datetime import timedelta

from psycopg2.errors import ReadOnlySqlTransaction

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, new_test_user
from odoo.tools import SQL, mute_logger

from odoo.addons.sales_opportunity_stages.hooks import post_init_hook

from .credit_common import CreditCase


class TestExposure(CreditCase):
    """What a unit owes, term by term."""

    def _assert_exposure(self, receivable=0, uninvoiced=0, draft_invoiced=0, unit=None):
        exposure = self._get_exposure(unit)
        self.assertEqual(
            (round(exposure.receivable, 2), round(exposure.uninvoiced, 2), round(exposure.draft_invoiced, 2)),
            (receivable, uninvoiced, draft_invoiced),
        )

    def test_nothing(self):
        self._assert_exposure()

    def test_receivables_of_every_member(self):
        self._invoice(100)
        self._invoice(50, self.member)
        self._invoice(25, self.unit)
        self._invoice(7, self.free)
        self._assert_exposure(receivable=175)
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        self._invoice(10, contact)
        self._assert_exposure(receivable=185)

    def test_payments_and_credit_notes(self):
        invoice = self._invoice(100)
        self._pay(invoice, 30)
        self._assert_exposure(receivable=70)
        self._invoice(20, move_type="out_refund")
        self._assert_exposure(receivable=50)

    def test_orders_not_invoiced(self):
        self._confirm(300)
        self._order(5000)
        self._assert_exposure(uninvoiced=300)

    def test_ordered_whatever_the_invoicing_policy(self):
        self.product.invoice_policy = "delivery"
        self._confirm(300)
        self._assert_exposure(uninvoiced=300)

    def test_taxes_count(self):
        tax = self.env["account.tax"].create({"name": "25", "amount": 25, "type_tax_use": "sale"})
        order = self._order(100)
        order.order_line.tax_ids = tax
        order.action_confirm()
        self._assert_exposure(uninvoiced=125)

    def test_an_invoice_takes_over_when_it_is_posted(self):
        order = self._confirm(300)
        invoice = order.sudo()._create_invoices()
        self._assert_exposure(uninvoiced=300)
        invoice.action_post()
        self._assert_exposure(receivable=300)
        invoice.button_draft()
        self._assert_exposure(uninvoiced=300)

    def test_down_payment(self):
        """An order of 1,000 with 500 invoiced in advance counts 1,000 in all, before and after the final invoice."""
        order = self._confirm(1000)
        wizard = self.env["sale.advance.payment.inv"].with_context(active_model="sale.order", active_ids=order.ids)
        wizard.create({"advance_payment_method": "fixed", "fixed_amount": 500}).create_invoices()
        self._assert_exposure(uninvoiced=1000)
        order.invoice_ids.sudo().action_post()
        self._assert_exposure(receivable=500, uninvoiced=500)
        final = order.sudo()._create_invoices(final=True)
        final.action_post()
        self._assert_exposure(receivable=1000)

    def test_invoiced_more_than_ordered_is_never_negative(self):
        order = self._confirm(100)
        invoice = order.sudo()._create_invoices()
        invoice.invoice_line_ids.price_unit = 150
        invoice.action_post()
        self._confirm(40)
        self._assert_exposure(receivable=150, uninvoiced=40)

    def test_a_credit_note_makes_it_uninvoiced_again(self):
        order = self._confirm(100)
        invoice = order.sudo()._create_invoices()
        invoice.action_post()
        reversal = self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=invoice.ids)
        reversal.create({"journal_id": invoice.journal_id.id, "date": fields.Date.today()}).refund_moves()
        invoice.reversal_move_ids.action_post()
        self._assert_exposure(receivable=0, uninvoiced=100)

    def test_draft_invoices(self):
        self._invoice(80, post=False)
        self._confirm(100).sudo()._create_invoices()
        self._invoice(30, post=False, move_type="out_refund")
        self._assert_exposure(uninvoiced=100, draft_invoiced=80)

    def test_a_cancelled_order_owes_nothing(self):
        order = self._confirm(100)
        order.action_cancel()
        self._assert_exposure()

    def test_billed_to_somebody_elses_unit_it_counts_in_both_once_each(self):
        self._confirm(100, self.free, partner_invoice_id=self.customer.id)
        self._confirm(10, partner_invoice_id=self.member.id)
        self._assert_exposure(uninvoiced=110)
        self._assert_exposure(uninvoiced=100, unit=self.free)

    def test_foreign_currency_at_the_orders_date(self):
        currency = self.env["res.currency"].create(
            {
                "name": "XQQ",
                "symbol": "q",
                "rate_ids": [
                    Command.create({"name": "2000-01-01", "rate": 2.0, "company_id": self.company.id}),
                    Command.create({"name": "2026-01-01", "rate": 4.0, "company_id": self.company.id}),
                ],
            }
        )
        pricelist = self.env["product.pricelist"].create({"name": "Abroad", "currency_id": currency.id})
        order = self._confirm(400, pricelist_id=pricelist.id)
        self._assert_exposure(uninvoiced=100)
        order.sudo().date_order = "2025-06-01"
        self._assert_exposure(uninvoiced=200)

    def test_company_tree(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.env.user.company_ids |= branch | elsewhere
        for company, amount in ((branch, 30), (elsewhere, 500)):
            order = (
                self.env["sale.order"]
                .with_company(company)
                .create(
                    {
                        "partner_id": self.customer.id,
                        "company_id": company.id,
                        "order_line": [Command.create({"product_id": self.product.id, "price_unit": amount})],
                    }
                )
            )
            order.order_line.tax_ids = False
            order.action_confirm()
        self._confirm(100)
        self._assert_exposure(uninvoiced=130)
        self.assertEqual(self._get_exposure(company=branch).uninvoiced, 130)
        self.assertEqual(self._get_exposure(company=elsewhere).uninvoiced, 500)

    def test_leaving_the_unit(self):
        self._confirm(100)
        self._confirm(20, self.member)
        self.member.credit_unit_id = False
        self._assert_exposure(uninvoiced=100)
        self._assert_exposure(uninvoiced=20, unit=self.member)

    def test_figures_on_the_partner(self):
        self._confirm(300)
        self._invoice(100, self.member)
        self.assertEqual(
            (self.unit.credit_exposure, self.unit.credit_available, self.unit.credit_usage), (400, 600, 40)
        )
        self.assertEqual(self.customer.with_user(self.salesman).credit_exposure, 400)
        self.assertEqual((self.customer.credit_share, self.member.credit_share, self.unit.credit_share), (300, 100, 0))
        self.assertEqual(self.unit.credit_member_ids, self.customer | self.member)
        with Form(self.unit.with_user(self.credit_manager)) as form:
            form.credit_limit = 500
        self.assertEqual(self.unit.credit_available, 100)


class TestDocumentsBehind(CreditCase):
    """What is behind a term adds up to it, to the cent."""

    def test_they_add_up(self):
        invoice = self._invoice(100.10)
        self._pay(invoice, 33.33)
        self._invoice(20.05, self.member, move_type="out_refund")
        self._invoice(8, self.free)
        self._invoice(5.5, post=False)
        self._confirm(300.3).sudo()._create_invoices()
        self._confirm(50, self.free, partner_invoice_id=self.member.id)
        self._confirm(60, partner_invoice_id=self.member.id)
        for partner in (self.unit, self.member):
            for model, field, amount in (
                ("account.move.line", "credit_receivable", "amount_residual"),
                ("sale.order", "credit_uninvoiced", "credit_uninvoiced"),
                ("account.move", "credit_draft_invoiced", "amount_total_signed"),
            ):
                with self.subTest(partner=partner.name, term=field):
                    documents = self.env[model].search(partner._get_credit_document_domain(model))
                    self.assertTrue(documents)
                    self.assertAlmostEqual(sum(documents.mapped(amount)), partner[field], 2)
        self.assertAlmostEqual(
            self.unit.credit_exposure,
            self.unit.credit_receivable + self.unit.credit_uninvoiced + self.unit.credit_draft_invoiced,
            2,
        )
        action = self.unit.action_view_credit_uninvoiced()
        self.assertEqual(len(self.env["sale.order"].search(action["domain"])), 3)

    def test_dry_run(self):
        self._confirm(500)
        small, large, closed = self._order(100), self._order(400, self.member), self._order(450)
        closed.action_close_quotation("x")
        self._order(9000, self.free)
        wizard = self.env["sale.credit.dry.run"].with_user(self.accountant).create({"unit_id": self.unit.id})
        self.assertEqual((wizard.credit_limit, wizard.exposure, wizard.quotation_count), (1000, 500, 2))
        self.assertFalse(wizard.sudo().blocked_order_ids)
        for limit, blocked in ((900, []), (899, [large]), (599, [small, large]), (0, [])):
            wizard.credit_limit = limit
            with self.subTest(limit=limit):
                self.assertEqual(set(wizard.sudo().blocked_order_ids), set(blocked))
        self.assertEqual(self.unit.credit_limit, 1000)
        self._invoice(1, date=fields.Date.today() - timedelta(days=10))
        wizard.credit_term_days = 9
        self.assertEqual(wizard.blocked_count, 2)

    def test_apply_what_was_tried(self):
        """The simulated limit and term become the unit's, for those who may change them and for nobody else."""
        may_change = new_test_user(
            self.env, "credit_keeper", groups="account.group_account_invoice,base.group_partner_manager"
        )
        wizard = self.env["sale.credit.dry.run"].with_user(may_change).create({"unit_id": self.unit.id})
        self.assertFalse(wizard.can_apply, "nothing differs")
        wizard.credit_limit, wizard.credit_term_days = 1500, 20
        self.assertTrue(wizard.can_apply)
        wizard.action_apply()
        self.assertEqual((self.unit.credit_limit, self.unit.credit_term_days), (1500, 20))
        reader = self.env["sale.credit.dry.run"].with_user(self.accountant).create({"unit_id": self.unit.id})
        reader.credit_limit = 1
        self.assertFalse(reader.can_apply, "may not change customers")
        with self.assertRefused("modify|write", AccessError):
            reader.action_apply()
        seller = self.env["sale.credit.dry.run"].create({"unit_id": self.unit.id, "credit_limit": 1})
        with self.assertRefused("accountant", AccessError):
            seller.unit_id.with_user(self.salesman).write({"credit_limit": seller.credit_limit})
        self.assertEqual(self.unit.credit_limit, 1500)


class TestInstallation(CreditCase):
    """Orders that were there before are given what they use of credit, as it would have been worked out."""

    def test_same_as_computed(self):
        self.company.account_use_credit_limit = False
        plain, invoiced, part, draft, cancelled = (self._confirm(amount) for amount in (100, 200, 300, 400, 500))
        invoiced.sudo()._create_invoices().action_post()
        wizard = self.env["sale.advance.payment.inv"].with_context(active_model="sale.order", active_ids=part.ids)
        wizard.create({"advance_payment_method": "fixed", "fixed_amount": 120}).create_invoices()
        part.invoice_ids.sudo().action_post()
        draft.sudo()._create_invoices()
        cancelled.action_cancel()
        abroad = self._confirm(70)
        abroad.sudo().currency_rate = 3.0
        orders = (plain | invoiced | part | draft | cancelled | abroad | self._order(9)).sudo()
        self.env.flush_all()
        expected = orders.mapped("credit_uninvoiced")
        self.assertEqual(expected, [100, 0, 180, 400, 0, 23.33, 0])
        self.env.cr.execute("UPDATE sale_order SET credit_uninvoiced = NULL WHERE id = ANY(%s)", [orders.ids])
        self.env.invalidate_all()
        post_init_hook(self.env)
        self.assertEqual([round(order.credit_uninvoiced, 2) for order in orders], expected)


class TestFunction(CreditCase):
    """The query is kept in the database, under a name that follows from its text."""

    def setUp(self):
        super().setUp()
        self.Exposures = self.env["sale.credit.exposure"]
        self.addCleanup(self.env.registry.clear_cache)

    def _get_functions(self):
        self.env.cr.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'sale\\_credit\\_exposure\\_%%'")
        return {name for (name,) in self.env.cr.fetchall()}

    def _change_term(self, term):
        self.patch(self.registry["sale.credit.exposure"], "_select_uninvoiced", lambda Exposures: term)
        self.env.registry.clear_cache()

    def test_another_term_is_another_function(self):
        self._confirm(300)
        before = self.Exposures._get_function_name()
        self._change_term(SQL("SELECT id, NULL, 7, NULL, NULL::date FROM res_partner WHERE id = ANY(unit_ids)"))
        self.assertNotEqual(self.Exposures._get_function_name(), before)
        self.Exposures._register_hook()
        self.assertEqual(self._get_exposure().uninvoiced, 7)
        self.assertIn(before, self._get_functions(), "processes that have not loaded the new code still call it")

    def test_what_is_open_is_read_by_indexes(self):
        """Whatever the tables held when the plan was made, for it is kept: here they are nearly empty."""
        plan = "\n".join(self._explain())
        for table in ("account_move", "account_move_line", "res_partner", "sale_order"):
            with self.subTest(table):
                self.assertRegex(plan, rf"(Index|Index Only|Bitmap Heap) Scan .*on {table}\b")
                self.assertNotRegex(plan, rf"Seq Scan on {table}\b")
        self.assertNotRegex(plan, "(Hash|Merge).* Join", "it would read a table from end to end")

    def test_what_is_closed_is_not_read(self):
        """Each term has an index of what is open, and takes that one, however much of the customer's is closed."""
        invoice = self._invoice(100)
        self._pay(invoice, 100)
        self._multiply(self._confirm(300), credit_uninvoiced=SQL("0"))
        self._multiply(invoice, name=SQL("name || '/' || number"))
        self._multiply(invoice.line_ids)
        plan = "\n".join(self._explain())
        for index in (
            "account_move_credit_draft_idx",
            "account_move_line_credit_residual_idx",
            "sale_order_credit_billed_to_idx",
            "sale_order_credit_partner_idx",
        ):
            with self.subTest(index):
                self.assertRegex(plan, rf"\b{index}\b")

    def _explain(self):
        """The plans that the function has, whose settings and arguments are taken from it."""
        self.env.cr.execute(
            "SELECT proconfig, proargnames[:pronargs], proargtypes::regtype[]::text[] FROM pg_proc WHERE proname = %s",
            [self.Exposures._get_function_name()],
        )
        ((settings, names, types),) = self.env.cr.fetchall()
        for setting in settings:
            self.env.cr.execute("SELECT SET_CONFIG(%s, %s, TRUE)", setting.split("="))
        names += ["unit_ids", "member_ids"]
        types += ["integer[]", "integer[]"]
        for select in ("_select_standings", "_select_members", "_select_exposures"):
            query = getattr(self.Exposures, select)().code
            for number, name in enumerate(names, start=1):
                query = re.sub(rf"\b{name}\b", f"${number}", query)
            self.env.cr.execute(f"PREPARE exposure_plan ({', '.join(types)}) AS {query}")
            self.env.cr.execute(f"EXPLAIN EXECUTE exposure_plan ({', '.join(['NULL'] * len(names))})")
            yield from (row[0] for row in self.env.cr.fetchall())
            self.env.cr.execute("DEALLOCATE exposure_plan")

    def _multiply(self, records, count=3000, **changes):
        """Put as many copies of rows into the database, with other values of some columns."""
        self.env.flush_all()
        table = SQL.identifier(records._table)
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [records._table]
        )
        columns = {name: SQL.identifier(name) for (name,) in self.env.cr.fetchall() if name != "id"}
        self.env.cr.execute(
            SQL(
                "INSERT INTO %(table)s (%(columns)s)"
                " SELECT %(values)s FROM %(table)s, GENERATE_SERIES(1, %(count)s) number WHERE id = ANY(%(ids)s)",
                table=table,
                columns=SQL(", ").join(columns.values()),
                values=SQL(", ").join((columns | changes).values()),
                count=count,
                ids=records.ids,
            )
        )
        self.env.cr.execute(SQL("ANALYZE %s", table))

    def test_reading_writes_nothing(self):
        """A customer is shown from a replica, too; only using credit takes the unit."""
        self._confirm(300)
        self.env.cr.flush()
        with self.env.cr.savepoint(flush=False) as savepoint:
            self.env.cr.execute("SET TRANSACTION READ ONLY")
            self.assertEqual(self._get_exposure().total, 300)
            with mute_logger("odoo.sql_db"), self.assertRaises(ReadOnlySqlTransaction):
                self.Exposures._get_standings(self.unit.ids, self.company, using=True)
            savepoint.rollback()

    def test_it_is_made_once(self):
        self.assertIn(self.Exposures._get_function_name(), self._get_functions())
        with self.assertQueryCount(1):
            self.Exposures._register_hook()

    def test_no_parameters(self):
        self._change_term(SQL("SELECT id, NULL, 7, NULL, NULL::date FROM res_partner WHERE id = %s", 1))
        with self.assertRaisesRegex(ValueError, "no parameters"):
            self.Exposures._get_function_name()

    def test_they_go_with_the_add_on(self):
        self.Exposures._drop_functions()
        self.assertFalse(self._get_functions())
        self.Exposures._register_hook()
        self.assertEqual(self._get_exposure().total, 0)

import logging
import sys
from functools import lru_cache

from dateutil.relativedelta import relativedelta
from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.api import SUPERUSER_ID, Environment
from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

GC_BATCH = 10000


class SaleCreditCheck(models.Model):
    """One credit decision: what a unit owed, what was to be added, and what came of it. Nobody writes it by hand."""

    _name = "sale.credit.check"
    _description = "Credit Decision"
    _inherit = ["sales.ledger.mixin"]
    _order = "id desc"
    _rec_name = "unit_id"
    _is_sealed = True
    _log_access = False  # who asked, and when, is said; every foreign key takes its time on the way of a confirmation

    order_ids = fields.Many2many("sale.order", string="Orders", readonly=True)
    document_names = fields.Char("Documents Checked", readonly=True, help="Kept when the orders change.")
    unit_id = fields.Many2one(
        "res.partner", "Credit Unit", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one("res.users", "Checked By", readonly=True)
    check_date = fields.Datetime("Date", required=True, readonly=True, index=True, default=fields.Datetime.now)
    credit_limit = fields.Monetary(readonly=True, aggregator=None)
    receivable = fields.Monetary(readonly=True, aggregator=None, help="Posted and still open.")
    uninvoiced = fields.Monetary(readonly=True, aggregator=None, help="Confirmed and not yet invoiced, before this.")
    draft_invoiced = fields.Monetary(
        readonly=True,
        aggregator=None,
        help="Draft invoices, without the amounts that a confirmed order already counts.",
    )
    documents = fields.Monetary(
        "Amount Checked", readonly=True, help="What was to be added by the documents that were checked."
    )
    exposure = fields.Monetary(readonly=True, aggregator=None, help="All of that, with the documents checked.")
    excess = fields.Monetary(readonly=True, help="By how much the exposure is over the limit.")
    oldest_overdue_date = fields.Date("Oldest Open Document", readonly=True)
    overdue_days = fields.Integer(readonly=True, aggregator="max")
    result = fields.Selection(
        [("passed", "Passed"), ("warned", "Warned"), ("blocked", "Blocked"), ("released", "Released")],
        required=True,
        readonly=True,
    )
    origin = fields.Selection(
        [
            ("confirm", "Confirmation"),
            ("increase", "Change of an order"),
            ("portal", "Customer's signature"),
            ("payment", "Customer's payment"),
            ("manual", "Asked for"),
            ("invoice", "Invoice"),
            ("delivery", "Delivery"),
            ("recheck", "Recheck"),
        ],
        required=True,
        readonly=True,
    )
    grant_ids = fields.Many2many("sale.credit.grant", string="Grants Counted", readonly=True)
    request_id = fields.Many2one(
        "sale.credit.request",
        "Released By",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The credit request whose release let the orders pass.",
    )
    detail = fields.Json(
        readonly=True,
        help="Exposure of each member of the unit by term: the 50 largest and the rest. Blank for a "
        "large unit whose check passed.",
    )
    settled_items = fields.Char(
        "Counted as Settled",
        readonly=True,
        groups="account.group_account_invoice,account.group_account_readonly,"
        "sales_opportunity_stages.group_credit_manager",
        help="Overdue items that are not counted. Unmatched payments and credit notes settle the "
        "oldest items first. An amount up to the tolerance of the company is left out.",
    )

    _refused_idx = models.Index("(check_date) WHERE result <> 'passed'")

    # ------------------------------------------------------------
    # Writing
    # ------------------------------------------------------------

    @api.model
    def _prepare_decision(self, company, unit, decision, result, origin, **values):
        """Return the values of a decision that is logged.

        :param company: the company whose documents are checked
        :param unit: the credit unit, in superuser mode
        :param CreditDecision decision: what was decided
        :param values: further fields, ``document_names`` and ``order_ids`` among them
        """
        exposure = decision.exposure_before
        settled = decision.settled_before and unit._describe_settled_items(company, decision)
        return {
            "order_ids": [],
            "unit_id": unit.id,
            "company_id": company.id,
            "user_id": self.env.uid,
            "check_date": fields.Datetime.now(),
            "credit_limit": decision.terms.limit,
            "receivable": exposure.receivable,
            "uninvoiced": exposure.uninvoiced,
            "draft_invoiced": exposure.draft_invoiced,
            "documents": decision.documents,
            "exposure": decision.exposure,
            "excess": decision.excess,
            "oldest_overdue_date": exposure.oldest_date if decision.overdue_days else False,
            "overdue_days": decision.overdue_days,
            "result": result,
            "origin": origin,
            "detail": unit._get_credit_detail(None if result == "passed" else company, exposure),
            "settled_items": settled,
            "request_id": False,
            "grant_ids": list(decision.terms.grant_ids),
            **values,
        }

    @api.model
    def _log(self, vals_list, holding=True):
        """Keep decisions that the transaction will carry out, each in one statement: they are on the way of every
        confirmation.

        :param vals_list: values of every stored field but those that Odoo keeps itself
        :param bool holding: put the quotations on hold that a decision blocks
        :returns: the decisions
        """
        check_ids = []
        for vals in vals_list:
            columns = {name: value or None for name, value in vals.items() if name not in ("order_ids", "grant_ids")}
            columns["detail"] = Json(vals["detail"]) if vals["detail"] else None
            self.env.cr.execute(
                SQL(
                    """
                    WITH decision AS (INSERT INTO sale_credit_check (%s) VALUES %s RETURNING id),
                         grants AS (INSERT INTO sale_credit_check_sale_credit_grant_rel
                                                (sale_credit_check_id, sale_credit_grant_id)
                                    SELECT id, UNNEST(%s::int[]) FROM decision),
                         orders AS (INSERT INTO sale_credit_check_sale_order_rel (sale_credit_check_id, sale_order_id)
                                    SELECT id, UNNEST(%s::int[]) FROM decision)
                    SELECT id FROM decision
                    """,
                    _name_columns(tuple(columns)),
                    tuple(columns.values()),
                    vals.get("grant_ids", []),
                    vals["order_ids"],
                )
            )
            check_ids += [id_ for (id_,) in self.env.cr.fetchall()]
            orders = self.env["sale.order"].browse(vals["order_ids"])
            orders.invalidate_recordset(["credit_check_ids", "credit_check_count"], flush=False)
        if holding:
            self._put_orders_on_hold(vals_list)
        return self.browse(check_ids)

    @api.model
    def _put_orders_on_hold(self, vals_list):
        """Put the quotations of decisions that blocked on hold."""
        ids = {order_id for vals in vals_list if vals["result"] == "blocked" for order_id in vals["order_ids"]}
        orders = self.env["sale.order"].sudo().browse(sorted(ids))  # sudo: a field that only the system writes
        held = orders.filtered(lambda order: order.state in ("draft", "sent") and not order.on_credit_hold)
        if held:
            # in a transaction of its own, where there is no request any more that tracking could ask
            held.with_context(tracking_disable=True)._write_derived({"on_credit_hold": True})

    @api.model
    def _log_whatever_happens(self, vals_list):
        """Keep decisions that undo what asked for them: written once it is undone, or committed without it.

        A transaction that Odoo runs again because another one was faster has decided nothing: it will.
        """
        cr, registry = self.env.cr, self.env.registry
        written = []

        def write():
            if not written:
                written.append(True)
                _write_on_its_own(registry, vals_list)

        def write_unless_run_again():
            if not isinstance(sys.exc_info()[1], (ConcurrencyError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY)):
                write()

        cr.postrollback.add(write_unless_run_again)
        cr.postcommit.add(write)

    def _log_existing(self, vals_list):
        """Keep decisions of which the orders, or the unit, may have been undone with the rest."""
        Order, Partner = self.env["sale.order"], self.env["res.partner"]
        for vals in vals_list:
            vals["order_ids"] = Order.browse(vals["order_ids"]).exists().ids
            vals["grant_ids"] = self.env["sale.credit.grant"].browse(vals["grant_ids"]).exists().ids
        self._log([vals for vals in vals_list if Partner.browse(vals["unit_id"]).exists()], holding=False)

    # ------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------

    @api.model
    def _check_may_read_on(self, records):
        """:raise AccessError: for who may not read the records, or what is decided on them"""
        records.check_access("read")
        self.check_access("read")

    @api.model
    def _view_decisions_on(self, records, domain):
        """An action that shows the decisions on orders or partners, for who may read both."""
        self._check_may_read_on(records)
        action = self.env["ir.actions.act_window"]._for_xml_id("sales_opportunity_stages.sale_credit_check_action")
        return {**action, "domain": domain, "context": {}}

    # ------------------------------------------------------------
    # Keeping
    # ------------------------------------------------------------

    @api.autovacuum
    def _gc_passed(self):
        """Delete passed checks that are older than the company keeps them. Warned and blocked ones stay.

        :returns: how many were deleted, and whether there may be more, for Odoo to continue
        """
        done, remaining = 0, False
        for company in self.env["res.company"].search([("credit_check_keep_days", ">", 0)]):
            before = fields.Datetime.now() - relativedelta(days=company.credit_check_keep_days)
            passed = self.search(
                [("company_id", "=", company.id), ("result", "=", "passed"), ("check_date", "<", before)],
                limit=GC_BATCH,
            )
            passed._as_ledger().unlink()
            done += len(passed)
            remaining = remaining or len(passed) == GC_BATCH
        return done, remaining


@lru_cache
def _name_columns(names):
    return SQL(", ").join(map(SQL.identifier, names))


def _write_on_its_own(registry, vals_list):
    """In transactions of their own: a decision is kept even if its order cannot be put on hold just now. What cannot be
    kept must not hide why something was refused."""
    for step in ("_log_existing", "_put_orders_on_hold"):
        try:
            with registry.cursor() as cr:
                getattr(Environment(cr, SUPERUSER_ID, {})["sale.credit.check"], step)(vals_list)
        except Exception:
            _logger.exception("A credit decision could not be kept: %s", vals_list)
            return

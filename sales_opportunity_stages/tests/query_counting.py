from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from odoo.addons.sales_opportunity_stages.models.credit import sale_order_credit
from odoo.addons.sales_opportunity_stages.models.mixins import change_mixin
from odoo.addons.sales_opportunity_stages.models.opportunity import (
    crm_lead,
    crm_lead_promotion,
    crm_lead_type,
    crm_lead_visit,
)
from odoo.addons.sales_opportunity_stages.models.quotation import sale_order, sale_order_line, sale_order_opportunity
from odoo.addons.sales_opportunity_stages.models.stage import mail_activity
from odoo.addons.sales_opportunity_stages.wizard import crm_lead_to_opportunity

HOOKS = [
    (crm_lead.CrmLead, ["create", "write"]),
    (crm_lead_promotion.CrmLead, ["action_set_won"]),
    (crm_lead_type.CrmLead, ["convert_opportunity"]),
    (crm_lead_visit.CrmLead, ["_compute_probabilities"]),
    (mail_activity.MailActivity, ["create", "write", "unlink", "_action_done"]),
    (sale_order.SaleOrder, ["create", "write", "unlink"]),
    (sale_order_opportunity.SaleOrder, ["create", "write"]),
    (sale_order_line.SaleOrderLine, ["create", "write", "unlink"]),
    (crm_lead_to_opportunity.CrmLead2OpportunityPartner, ["_convert_and_allocate"]),
]
MOST_EXTRA_QUERIES = 8


def _call_super(cls, name):
    """Replace a method by a call of what it overrides."""

    def method(self, *args, **kwargs):
        return getattr(super(cls, self), name)(*args, **kwargs)

    method._api_model_create_multi = True
    return patch.object(cls, name, method)


@contextmanager
def _check_nothing(records, **how):
    yield


def _use_no_credit(orders):
    orders.credit_uninvoiced = 0.0


@contextmanager
def odoo_alone():
    """Do as if the add-on did nothing: what is left is Odoo, in the same registry and on the same records."""
    with ExitStack() as stack:
        for cls, names in HOOKS:
            for name in names:
                stack.enter_context(_call_super(cls, name))
        stack.enter_context(patch.object(change_mixin.SalesChangeMixin, "_change", _check_nothing))
        stack.enter_context(patch.object(sale_order_credit.SaleOrder, "_compute_credit_uninvoiced", _use_no_credit))
        yield


class QueryCounting:
    """Everything is counted with a cold cache, as a request of the web client finds it, and up to the end of the
    transaction: flushed, tracked and noted."""

    @contextmanager
    def _undone(self):
        """Nothing of the block stays, so that the same can be measured again."""
        self.env.flush_all()
        with self.env.cr.savepoint() as savepoint:
            self.env.invalidate_all()
            yield
            self.env.flush_all()
            self.env.cr.flush()
            savepoint.rollback()
        self.env.invalidate_all()

    def _count(self, operation):
        """The number of queries that ``operation`` takes, everything that Odoo keeps between requests being warm."""
        with self._undone():
            operation()
        with self._undone(), patch("random.random", lambda: 1):
            self.env.cr.flush()
            before = self.env.cr.sql_log_count
            operation()
            self.env.flush_all()
            self.env.cr.flush()
            return self.env.cr.sql_log_count - before

    def _count_extra(self, operation, native=None):
        """How many queries more ``operation`` takes than Odoo alone, doing the same or ``native``."""
        with odoo_alone():
            alone = self._count(native or operation)
        return self._count(operation) - alone

    def assertExtraQueries(self, extra, lead, operation):
        """``operation(lead)`` takes at most that many queries more than Odoo alone, tracked or not."""
        for tracking_disable in (False, True):
            record = lead.with_context(tracking_disable=tracking_disable)
            with odoo_alone():
                alone = self._count(lambda record=record: operation(record))
            with self._undone():
                operation(record)
            with self.subTest(tracking_disable=tracking_disable), self._undone(), self.assertQueryCount(alone + extra):
                operation(record)

    def assertExtraDoesNotGrow(self, prepare, operation, counts=(10, 100, 500), native=None):
        """Tracking is left out of batches: it is Odoo's and takes nine queries for each opportunity."""
        extra = {}
        for count in counts:
            records = prepare(count).with_context(tracking_disable=True)
            extra[count] = self._count_extra(
                lambda records=records: operation(records), native and (lambda records=records: native(records))
            )
        self.assertEqual(len(set(extra.values())), 1, f"extra queries by the number of opportunities: {extra}")
        self.assertLessEqual(max(extra.values()), MOST_EXTRA_QUERIES)

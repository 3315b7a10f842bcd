from contextlib import contextmanager
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools.misc import Callbacks

from odoo.addons.sales_opportunity_stages.models.credit import sale_credit_check

from .credit_common import CreditCase


class TestDecisionOfARetriedTransaction(CreditCase):
    """A refusal is stored once, however often Odoo runs the transaction again."""

    @contextmanager
    def _transaction(self):
        """Collect what is written when the transaction ends, by a mock of the one that writes it."""
        with (
            patch.object(sale_credit_check, "_write_on_its_own") as write,
            patch.object(self.env.cr, "postrollback", Callbacks()),
            patch.object(self.env.cr, "postcommit", Callbacks()),
        ):
            yield write

    def _try_to_confirm(self):
        order = self._order(1001)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.action_confirm()

    def _roll_back(self, error=None):
        """As ``odoo.service.model.retrying`` does."""
        try:
            if error:
                raise error
        except type(error):
            self.env.cr.postrollback.run()
        else:
            self.env.cr.postrollback.run()

    def test_run_again(self):
        with self._transaction() as write:
            for error in (SerializationFailure(), ConcurrencyError(), SerializationFailure()):
                self._try_to_confirm()
                self._roll_back(error)
            self.assertFalse(write.called)
            self._try_to_confirm()
            self._roll_back()
        self.assertEqual(write.call_count, 1)

    def test_run_again_and_committed(self):
        """The refusal was swallowed, and the rest succeeds the second time."""
        with self._transaction() as write:
            self._try_to_confirm()
            self._roll_back(SerializationFailure())
            self.env.cr.postcommit.clear()
            self._try_to_confirm()
            self.env.cr.postcommit.run()
            self._roll_back()
        self.assertEqual(write.call_count, 1)

    def test_undone_by_its_own_refusal(self):
        with self._transaction() as write:
            self._try_to_confirm()
            self._roll_back(UserError("refused"))
        self.assertEqual(write.call_count, 1)

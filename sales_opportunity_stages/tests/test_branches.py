from contextlib import contextmanager

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from .access import NATIVE_MODELS, AccessSetup, parse_table

# What a company shares with its branches, by Odoo's own rules.
SHARED = {"crm.opportunity.type", "crm.stage.rule"}


@tagged("post_install", "-at_install")
class TestBranches(AccessSetup, TransactionCase):
    """Somebody who works in one branch sees and changes nothing of the other, nor of their root; and so for two
    companies that have nothing to do with each other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_access()
        cls.root = cls.env.company
        cls.north, cls.south = cls.env["res.company"].create(
            [{"name": name, "parent_id": cls.root.id} for name in ("North", "South")]
        )
        cls.southerner = new_test_user(
            cls.env,
            "sos_southerner",
            groups="sales_team.group_sale_manager,account.group_account_invoice",
            company_id=cls.south.id,
            company_ids=[Command.set(cls.south.ids)],
        )
        cls.env.user.company_ids |= cls.north | cls.south
        cls.leads = {
            company: cls.env["crm.lead"].create(
                {
                    "name": company.name,
                    "type": "opportunity",
                    "company_id": company.id,
                    "user_id": False,
                    "team_id": False,
                    "partner_id": cls.customer.id,
                }
            )
            for company in (cls.root, cls.north, cls.south, cls.company)
        }

    @contextmanager
    def _record_in(self, company, model):
        """A record of the opportunity in that company, gone in the end."""
        with self.env.cr.savepoint() as savepoint:
            record = self._make(model, self.leads[company])[0]
            self.env.flush_all()
            yield record
            savepoint.rollback()
        self.env.invalidate_all()

    def _get_models(self):
        """Those with records of an opportunity or of its company."""
        tried = {name for name in parse_table() if not self.env[name]._transient}
        of_the_database = {"sale.credit.lock", "crm.stage.learned.probability", "sales.ledger.seal"}
        return tried - SHARED - of_the_database - {"sales.ledger.amendment"}

    def _can(self, operation, record):
        record = record.with_user(self.southerner).with_context(allowed_company_ids=self.south.ids)
        try:
            record.check_access(operation)
            return bool(record.with_context(active_test=False).search([("id", "=", record.id)]))
        except AccessError:
            return False

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_others_are_out_of_sight(self):
        """Read, write and delete, model by model; a search does not find it either."""
        for model in sorted(self._get_models()):
            for company in (self.root, self.north, self.company):
                with self.subTest(model=model, company=company.name), self._record_in(company, model) as record:
                    self.assertTrue(record)
                    for operation in ("read", "write", "unlink"):
                        self.assertFalse(self._can(operation, record), operation)

    def test_ones_own_are_not(self):
        """Or the test above could not fail."""
        for model in sorted(self._get_models()):
            with self.subTest(model=model), self._record_in(self.south, model) as record:
                self.assertTrue(self._can("read", record))

    def test_native_models_are_tried(self):
        self.assertLessEqual(NATIVE_MODELS, self._get_models())

import json

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, TransactionCase, tagged
from odoo.tools import mute_logger

from .access import NATIVE_MODELS, OPERATIONS, AccessSetup, parse_table

MODULE = "sales_opportunity_stages"


@tagged("post_install", "-at_install")
class TestAccess(AccessSetup, TransactionCase):
    """The table in ``access.py`` is what happens, tried operation by operation."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_access()

    def _perform(self, operation, model, user, lead):
        record, to_write, to_create = self._make(model, lead)
        self.env.flush_all()
        self.env.invalidate_all()
        target = self.env[model].with_user(user)
        if operation == "create":
            target.create(to_create)
        elif operation == "execute":
            getattr(target.create(to_create), self._get_action(model))()
        else:
            args = {"read": [["display_name"]], "write": [to_write]}.get(operation, [])
            getattr(target.browse(record.id), operation)(*args)
        self.env.flush_all()

    def _is_allowed(self, *args):
        """Whether it can be done. Nothing of it stays; a refusal is an access error and no other one."""
        with self.env.cr.savepoint() as savepoint:
            try:
                self._perform(*args)
                allowed = True
            except AccessError:
                allowed = False
            savepoint.rollback()
        self.env.invalidate_all()
        return allowed

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule", "odoo.models.unlink")
    def test_the_table_is_what_happens(self):
        for model, row in parse_table().items():
            letters = "x" if self.env[model]._transient else "rwcd"
            for situation, expected in row.items():
                user, lead = self.situations[situation]
                with self.subTest(model=model, situation=situation):
                    found = (
                        letter if self._is_allowed(OPERATIONS[letter], model, user, lead) else "-" for letter in letters
                    )
                    self.assertEqual("".join(found), expected)

    def test_every_model_is_in_the_table(self):
        """A new model needs a row."""
        models = {
            name for name, cls in self.env.registry.items() if cls._original_module == MODULE and not cls._abstract
        }
        self.assertEqual(models, parse_table().keys() - NATIVE_MODELS)
        for row in parse_table().values():
            self.assertEqual(row.keys(), self.situations.keys())


@tagged("post_install", "-at_install")
class TestAccessOverJsonRpc(AccessSetup, HttpCase):
    """A representative of each kind of cell, over the wire: for each situation the first model where an operation is
    allowed, and the first where it is not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_access()

    def _get_representatives(self):
        """``{(situation, letter, is it allowed): model}``"""
        found = {}
        for model, row in parse_table().items():
            letters = "x" if self.env[model]._transient else "rwcd"
            for situation, cell in row.items():
                for letter in letters:
                    found.setdefault((situation, letter, letter in cell), model)
        return found

    def _call(self, model, method, *args):
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule"):
            response = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}",
                data=json.dumps({"params": {"model": model, "method": method, "args": args, "kwargs": {}}}),
                headers={"Content-Type": "application/json"},
            )
        return response.json()

    def _perform(self, operation, model, lead):
        record, to_write, to_create = self._make(model, lead)
        self.env.flush_all()
        if operation == "create":
            return self._call(model, "create", [to_create])
        if operation == "execute":
            answer = self._call(model, "create", [to_create])
            return answer if "error" in answer else self._call(model, self._get_action(model), answer["result"])
        return self._call(
            model, operation, record.ids, *{"read": [["display_name"]], "write": [to_write]}.get(operation, [])
        )

    def test_representatives(self):
        for (situation, letter, expected), model in sorted(self._get_representatives().items()):
            user, lead = self.situations[situation]
            is_public = situation == "public"
            self.authenticate(None if is_public else user.login, None if is_public else user.login)
            with self.subTest(situation=situation, operation=OPERATIONS[letter], model=model):
                with self.env.cr.savepoint() as savepoint:
                    answer = self._perform(OPERATIONS[letter], model, lead)
                    savepoint.rollback()
                self.env.invalidate_all()
                refusal = "odoo.http.SessionExpiredException" if is_public else "odoo.exceptions.AccessError"
                error = answer.get("error", {}).get("data", {})
                self.assertEqual(error.get("name"), None if expected else refusal, error.get("message"))

"""How the results of Odoo's own tests are read and compared."""

import unittest
from unittest import mock

from tools import native
from tools.console import Fail
from tools.tests.common import FolderCase

LOG = """\
2026-01-01 10:00:00,000 7 INFO db odoo.addons.crm.tests.test_a: Starting TestA.test_good ...
2026-01-01 10:00:01,000 7 ERROR db odoo.addons.crm.tests.test_a: FAIL: TestA.test_bad
Traceback (most recent call last):
2026-01-01 10:00:02,000 7 ERROR db odoo.addons.sale.tests.test_b: ERROR: Subtest TestB.test_parts (<subtest>)
2026-01-01 10:00:02,000 7 ERROR db odoo.addons.sale.tests.test_b: ERROR: Subtest TestB.test_parts [2]
2026-01-01 10:00:03,000 7 ERROR db odoo.tests.suite: ERROR: setUpClass (odoo.addons.sale.tests.test_c.TestC)
2026-01-01 10:00:04,000 7 ERROR db odoo.sql_db: bad query: SELECT 1
2026-01-01 10:00:05,000 7 ERROR db odoo.tests.result: 1 failed, 2 error(s) of 9 tests when loading database 'db'
"""
GUIDE = """
## Tests

`TestA.test_elsewhere`

## Odoo's own tests

- `TestA.test_bad`: a reason

## Names

`TestA.test_after`
"""


class TestReading(FolderCase):
    def _read(self, text):
        with mock.patch.object(native, "say") as say:
            return native.read_failed(self.write("log", text)), [call[0][0].strip() for call in say.call_args_list]

    def test_failures_errors_subtests_and_set_ups(self):
        failed, said = self._read(LOG)
        self.assertEqual(
            failed, {"TestA.test_bad", "TestB.test_parts", "setUpClass (odoo.addons.sale.tests.test_c.TestC)"}
        )
        self.assertEqual(said, ["1 failed, 2 error(s) of 9 tests"])

    def test_a_run_without_tests_is_none(self):
        for text in ("", "ERROR: could not connect", "0 failed, 0 error(s) of 0 tests"):
            with self.subTest(text), self.assertRaisesRegex(Fail, "^no tests were run: see "):
                self._read(text)

    def test_reasons_are_read_from_their_section(self):
        self.assertEqual(native.justified(GUIDE), {"TestA.test_bad"})
        self.assertEqual(native.justified("nothing"), set())


class TestReport(unittest.TestCase):
    def _report(self, *results):
        with mock.patch.object(native, "say") as say:
            return native.report(*results), [call[0][0].strip() for call in say.call_args_list]

    def test_same_result(self):
        self.assertEqual(self._report({"a"}, {"a"}, set())[0], 0)

    def test_better_result(self):
        self.assertEqual(self._report({"a"}, set(), set())[0], 0)

    def test_difference_with_a_reason(self):
        self.assertEqual(self._report(set(), {"a"}, {"a"})[0], 0)

    def test_difference_without_a_reason(self):
        status, said = self._report({"a"}, {"a", "b", "c"}, {"c"})
        self.assertEqual(status, 1)
        self.assertEqual(said[-2:], ["failed with the add-ons only: 1", "b"])

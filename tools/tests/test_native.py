"""How Odoo's own tests are run, how their results are read and compared."""

import json
import re
import sys
import unittest
from contextlib import ExitStack
from unittest import mock

from tools import native
from tools.console import Fail
from tools.native import Results
from tools.tests.common import FolderCase

LOG = """\
2026-01-01 10:00:00,000 7 INFO db odoo.addons.crm.tests.test_a: Starting TestA.test_good ...
2026-01-01 10:00:00,500 7 INFO db odoo.addons.other.models.res_company: Starting enrich of company X (1)
2026-01-01 10:00:00,700 7 INFO db odoo.addons.crm.tests.test_a: Starting TestA.test_bad ...
2026-01-01 10:00:01,000 7 ERROR db odoo.addons.crm.tests.test_a: FAIL: TestA.test_bad
Traceback (most recent call last):
2026-01-01 10:00:01,500 7 INFO db odoo.addons.sale.tests.test_b: Starting TestB.test_parts ...
2026-01-01 10:00:02,000 7 ERROR db odoo.addons.sale.tests.test_b: ERROR: Subtest TestB.test_parts (<subtest>)
2026-01-01 10:00:02,000 7 ERROR db odoo.addons.sale.tests.test_b: ERROR: Subtest TestB.test_parts [2]
2026-01-01 10:00:02,500 7 INFO db odoo.addons.sale.tests.test_b: Starting TestB.test_elsewhere ...
2026-01-01 10:00:02,600 7 INFO db odoo.addons.sale.tests.test_b: skipped TestB.test_elsewhere : not here
2026-01-01 10:00:03,000 7 ERROR db odoo.tests.suite: ERROR: setUpClass (odoo.addons.sale.tests.test_c.TestC)
2026-01-01 10:00:04,000 7 ERROR db odoo.sql_db: bad query: SELECT 1
"""
END = (
    "2026-01-01 10:00:05,000 7 ERROR db odoo.tests.result: 1 failed, 2 error(s) of 9 tests when loading database 'db'\n"
)


def said_by(function, *arguments):
    """Return what a function returns, and the lines that it prints."""
    with mock.patch.object(native, "say") as say:
        return function(*arguments), [call[0][0].strip() for call in say.call_args_list]


class TestReading(FolderCase):
    def test_run_skipped_and_failed(self):
        """Failures, errors, parts of a test and set-ups; the same name in two modules is two tests."""
        results, said = said_by(native.read, self.write("log", LOG + END), 1)
        tests = {"crm:TestA.test_good", "crm:TestA.test_bad", "sale:TestB.test_parts", "sale:TestB.test_elsewhere"}
        self.assertEqual(results.run, tests)
        self.assertEqual(results.skipped, {"sale:TestB.test_elsewhere"})
        self.assertEqual(
            results.failed,
            {"crm:TestA.test_bad", "sale:TestB.test_parts", "setUpClass (odoo.addons.sale.tests.test_c.TestC)"},
        )
        self.assertRegex(said[0], r"^1 failed, 2 error\(s\) of 9 tests, 1 skipped: see ")

    def test_a_run_that_breaks_off_is_an_error(self):
        """Killed in the middle, killed while it ends, or with a database that could not be opened."""
        for text, status in ((LOG, 1), (LOG, -9), (LOG + END, -9), (LOG + END, 255), ("", 0)):
            with self.subTest(status=status), self.assertRaisesRegex(Fail, rf"their end \(exit status {status}\)"):
                said_by(native.read, self.write("log", text), status)

    def test_a_run_without_tests_is_an_error(self):
        with self.assertRaisesRegex(Fail, "^no tests were run: see "):
            said_by(native.read, self.write("log", "0 failed, 0 error(s) of 0 tests"), 0)

    def test_progress(self):
        self.assertEqual(native.progress(self.write("log", LOG)), "4 tests begun, 3 failed")

    def test_reasons(self):
        with mock.patch.object(native, "DIFFERENCES", self.write("reasons", '{"crm:TestA.test_bad": "a reason"}')):
            self.assertEqual(native.justified(), {"crm:TestA.test_bad"})
        for name, reason in json.loads(native.DIFFERENCES.read_text()).items():
            self.assertRegex(name, r"^\w+:\w+\.test_\w+$")
            self.assertTrue(reason.endswith("."))


class TestSets(FolderCase):
    def test_words(self):
        self.assertEqual(native.expand("crm"), ["crm"])
        self.assertEqual(native.expand("crm:TestLead"), ["crm:TestLead"])
        self.assertEqual(native.expand("shop"), native.SHOP)
        self.assertIn("crm_sms", native.expand("set:crm"))
        with self.assertRaisesRegex(Fail, "there is no set cmr: today, "):
            native.expand("set:cmr")

    def test_published_add_ons_are_pinned(self):
        """Each add-on of the set has its wheel, and its wheels are fetched for this set alone."""
        wheels = set(re.findall(r"^odoo-addon-([\w-]+)==19\.0\.\S+$", native.OCA_WHEELS.read_text(), re.MULTILINE))
        self.assertLessEqual({name.replace("_", "-") for name in native.SETS["oca"]}, wheels)
        odoo = object()
        self.assertIs(native.equip(odoo, {"sale"}), odoo)


class TestProcesses(FolderCase):
    def _start(self, stack, code, name):
        return native.start(stack, [sys.executable, "-c", code], self.root / "logs" / name, {})

    def test_both_are_waited_for(self):
        with ExitStack() as stack, mock.patch.object(native, "PROGRESS_INTERVAL", 0):
            codes = ("print('x')", "import time; print('y', flush=True); time.sleep(2); raise SystemExit(3)")
            processes = [self._start(stack, code, str(index)) for index, code in enumerate(codes)]
            logs = [self.root / "logs/0", self.root / "logs/1"]
            _none, said = said_by(native.watch, processes, logs)
        self.assertEqual([process.returncode for process in processes], [0, 3])
        self.assertEqual([log.read_text().strip() for log in logs], ["x", "y"])
        self.assertEqual(said[0], "0 min: 0 tests begun, 0 failed and 0 tests begun, 0 failed")

    def test_none_is_left_behind(self):
        with self.assertRaises(KeyboardInterrupt), ExitStack() as stack:
            process = self._start(stack, "import time; time.sleep(60)", "log")
            raise KeyboardInterrupt
        self.assertNotEqual(process.wait(5), 0)


SET_UP = "setUpClass (odoo.addons.sale.tests.test_c.TestC)"


class TestAgain(unittest.TestCase):
    """What failed is run once more: under load a browser can be too slow for a test."""

    def test_what_failed_or_differs(self):
        first = Results({"a", "b", "c", "d", "e"}, {"d"}, {"b"})
        self.assertEqual(first.doubtful(first), {"b"})
        self.assertEqual(
            first.doubtful(Results({"a", "b", "d", "e"}, {"a"}, {"b", SET_UP})), {"a", "b", "c", "d", SET_UP}
        )

    def test_selecting_it(self):
        self.assertEqual(native.selector("crm:TestA.test_bad"), "crm:TestA.test_bad")
        self.assertEqual(native.selector(SET_UP), "sale:TestC")

    def test_passing_the_second_time(self):
        first = Results({"a", "b"}, {"b"}, {"a", SET_UP, "x"})
        again = Results({"a", "b", "sale:TestC.test_c"}, set(), set())
        self.assertEqual(first.corrected(again), Results({"a", "b", "sale:TestC.test_c"}, set(), {"x"}, {"a", SET_UP}))

    def test_what_failed_without_a_reason_is_run_again(self):
        """The exit status is that of the second time."""
        first = [
            Results({"a:A.test_x", "a:A.test_y", "a:A.test_z"}, set(), failed)
            for failed in (set(), {"a:A.test_x", "a:A.test_y"})
        ]
        for failed_again, status in ((set(), 0), ({"a:A.test_y"}, 1)):
            again = [[Results({"a:A.test_y"}, set(), failed)] for failed in (set(), failed_again)]
            with (
                self.subTest(failed_again),
                mock.patch.object(native.options, "odoo"),
                mock.patch.object(native, "databases") as databases,
                mock.patch.object(native, "justified", return_value={"a:A.test_x"}),
                mock.patch.object(native, "run", side_effect=[first, *again]) as run,
            ):
                databases.return_value.__enter__.return_value = ("without", "with")
                self.assertEqual(said_by(native.main, ["a", "b:B"])[0], status)
            self.assertEqual(databases.call_args[0][1], {"a", "b"})
            self.assertEqual(
                [call[0][1:] for call in run.call_args_list],
                [
                    (("without", "with"), ["a", "b:B"]),
                    (["without"], ["a:A.test_y"]),
                    (["with"], ["a:A.test_y"]),
                ],
            )

    def test_the_shop_is_a_word(self):
        passed = Results({"website_sale:TestSaleProcess.test_01"}, set(), set())
        with (
            mock.patch.object(native.options, "odoo"),
            mock.patch.object(native, "databases") as databases,
            mock.patch.object(native, "run", return_value=[passed, passed]) as run,
        ):
            self.assertEqual(said_by(native.main, ["crm", "shop"])[0], 0)
        self.assertEqual(run.call_args[0][2], ["crm", *native.SHOP])
        self.assertEqual(databases.call_args[0][1], {"crm", "website_sale"})

    def test_failing_the_second_time(self):
        first = Results({"a"}, set(), {"a", SET_UP})
        again = Results({"a", "sale:TestC.test_c"}, set(), {"a", SET_UP})
        self.assertEqual(first.corrected(again).failed, {"a", SET_UP})


class TestReport(unittest.TestCase):
    def _report(self, native_failed=(), failed=(), excused=(), **with_addons):
        tests = {"a", "b", "c"}
        with_addons = {"run": tests, "skipped": set(), **with_addons}
        return said_by(
            native.report,
            Results(tests, set(), set(native_failed)),
            Results(failed=set(failed), **with_addons),
            set(excused),
        )

    def test_table(self):
        tests = {"crm:A.test_a", "crm:A.test_b", "sale:B.test_c"}
        lines = native.table(
            Results(tests, {"crm:A.test_b"}, set()), Results(tests, {"crm:A.test_b"}, {"sale:B.test_c"})
        )
        self.assertEqual(lines[2:], ["| crm | 1 | 1 | 1 |", "| sale | 1 | 1 | 0 |"])

    def test_same_result(self):
        self.assertEqual(self._report("a", "a")[0], 0)

    def test_better_result(self):
        self.assertEqual(self._report("a")[0], 0)

    def test_difference_with_a_reason(self):
        status, said = self._report("", "a", "a")
        self.assertEqual(status, 0)
        self.assertIn("failed with the add-ons only, for a reason: 1", said)

    def test_reason_for_nothing(self):
        """It is told, so that the guide stays true; of what was not run nothing is known."""
        status, said = self._report(excused="ad")
        self.assertEqual(status, 0)
        index = said.index("has a reason, but passed: 1")
        self.assertEqual(said[index + 1], "a")

    def test_difference_without_a_reason(self):
        status, said = self._report("a", "abc", "c")
        self.assertEqual(status, 1)
        self.assertEqual(said[-4:-2], ["failed with the add-ons only: 1", "b"])

    def test_what_is_not_run_has_not_passed(self):
        for with_addons in ({"run": {"a", "b"}}, {"skipped": {"c"}}):
            with self.subTest(with_addons):
                status, said = self._report(**with_addons)
                self.assertEqual(status, 1)
                index = said.index("not run, or skipped, with the add-ons only: 1")
                self.assertEqual(said[index + 1], "c")
        self.assertEqual(self._report(native_failed="c", run={"a", "b"})[0], 0)

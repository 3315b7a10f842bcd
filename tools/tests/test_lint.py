"""Which static checks run."""

import unittest
from pathlib import Path
from unittest import mock

from tools import lint
from tools.console import Fail


class TestLint(unittest.TestCase):
    def run_lint(self, *arguments, failing=()):
        with (
            mock.patch.object(lint.python_env, "ensure", return_value=Path("/venv")),
            mock.patch.object(lint, "_passes", side_effect=lambda venv, name, command: name not in failing) as passes,
            mock.patch.object(lint, "say"),
        ):
            status = lint.main(arguments)
        return status, [call.args[1] for call in passes.call_args_list]

    def test_one_failure_does_not_hide_the_next(self):
        self.assertEqual(self.run_lint("ruff", "format", failing=["ruff"]), (1, ["ruff", "format"]))

    def test_unknown_check(self):
        with self.assertRaisesRegex(Fail, "there is no check spelling; usage: "):
            self.run_lint("spelling")

    def test_nothing_to_look_at(self):
        self.assertFalse(lint.checks([], [])["pylint"])
        self.assertFalse(lint.checks([Path("sales")], [])["po"])

    def test_fixing(self):
        commands = lint.checks(["sales"], ["sales/i18n/zh_CN.po"], fix=True)
        self.assertEqual(commands["format"], ["ruff", "format"])
        self.assertEqual(commands["po"], ["oca-checks-po", "--fix", "sales/i18n/zh_CN.po"])

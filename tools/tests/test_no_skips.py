"""The plugin that does not let a skipped test pass."""

import os
import subprocess
import sys

from tools import layout
from tools.tests.common import FolderCase


class TestNoSkips(FolderCase):
    def pytest(self, text, *arguments):
        file = self.write("test_it.py", f"import pytest\n{text}\n")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:odoo",
            "-p",
            "tools.pytest_no_skips",
            "-c",
            os.devnull,
            file,
        ]
        environment = {**os.environ, "PYTHONPATH": str(layout.ROOT), "PYTEST_ADDOPTS": "-p no:cacheprovider"}
        command += [f"--rootdir={self.root}", *arguments]
        return subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True)

    def test_passed(self):
        result = self.pytest("def test(): pass")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("1 passed", result.stdout)

    def test_skipped_test_fails_and_is_named(self):
        result = self.pytest("@pytest.mark.skip('no browser')\ndef test(): pass\ndef test_other(): pass")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"test_it\.py::test: .*no browser")
        self.assertIn("1 passed, 1 skipped", result.stdout)

    def test_skipped_file_fails(self):
        self.write("test_other.py", "def test(): pass\n")
        result = self.pytest("pytest.skip('not here', allow_module_level=True)", self.root)
        self.assertEqual(result.returncode, 1)
        self.assertIn("test_it.py: Skipped: not here", result.stdout)

    def test_expected_failure_did_run(self):
        self.assertEqual(self.pytest("@pytest.mark.xfail\ndef test(): assert 0").returncode, 0)

    def test_nothing_selected_keeps_its_own_status(self):
        self.assertEqual(self.pytest("def test(): pass", "-k", "other").returncode, 5)

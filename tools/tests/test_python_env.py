"""The Python environment where Python comes without what makes one."""

import re
from unittest import mock

from tools import apt, layout, python_env
from tools.console import Fail
from tools.tests.common import FolderCase


class TestPythonEnv(FolderCase):
    def test_no_way_to_make_one(self):
        with (
            mock.patch.object(python_env.importlib.util, "find_spec", return_value=None),
            mock.patch.object(apt, "available", return_value=False),
            self.assertRaisesRegex(Fail, "apt-get install python3-venv"),
        ):
            python_env._new_venv(self.root / "venv")

    def test_current_one_is_replaced(self):
        with (
            mock.patch.object(layout, "LOCAL", self.root),
            mock.patch.object(python_env, "CURRENT", self.root / "venv"),
        ):
            for name in ("venvs/one", "venvs/two"):
                (self.root / name).mkdir(parents=True)
                python_env._make_current(self.root / name)
        self.assertEqual((self.root / "venv").resolve(), self.root / "venvs/two")

    def test_locks_are_complete_and_name_no_address(self):
        for lock in [*python_env.LOCKS, python_env.BOOTSTRAP]:
            lines = [line for line in lock.read_text().splitlines() if line.strip() and line.strip()[0] != "#"]
            self.assertTrue(all(re.match(r"[\w.-]+==[\w.]+( ;|$)", line) for line in lines), lock)
            self.assertNotIn("://", lock.read_text())

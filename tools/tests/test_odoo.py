"""How Odoo is configured and started, and what its log is searched for."""

import configparser
from pathlib import Path
from unittest import mock

from tools import layout, odoo
from tools.console import Fail
from tools.odoo import Odoo
from tools.odoo_source import OdooSource
from tools.postgres import Server
from tools.tests.common import FolderCase

LINE = "2026-01-01 00:00:00,000 12 {} demo odoo.modules: {}\n"


class TestOdoo(FolderCase):
    def setUp(self):
        super().setUp()
        patcher = mock.patch.object(layout, "LOCAL", self.root)
        patcher.start()
        self.addCleanup(patcher.stop)
        source = OdooSource(self.root / "home", "19.0.0")
        server = Server(Path("/pg"), host="/socket", user="odoo", password="50%x")
        self.odoo = Odoo(source, Path("/venv"), server, Path("/browser"))

    def test_configuration(self):
        with mock.patch.object(layout, "RUNS", self.root / "runs"):
            file = self.odoo.configure("demo", 8069)
        # Odoo reads it in this way: a % stands for itself.
        options = configparser.RawConfigParser()
        options.read(file)
        self.assertEqual(options["options"]["db_password"], "50%x")
        self.assertEqual(options["options"]["dbfilter"], "^demo$")
        self.assertEqual(options["options"]["http_interface"], "127.0.0.1")
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)

    def test_environment(self):
        with mock.patch.dict("os.environ", PYTHONDONTWRITEBYTECODE="1", ODOO_RC="/other.conf", PATH="/bin"):
            environment = self.odoo.environment
        self.assertEqual(environment["PATH"], "/browser:/venv/bin:/pg:/bin")
        self.assertFalse({"PYTHONDONTWRITEBYTECODE", "ODOO_RC"} & set(environment))

    def check_log(self, *lines):
        with mock.patch.object(odoo, "say") as say:
            odoo.check_log(self.write("odoo.log", "".join(LINE.format(*line) for line in lines)))
        return [call.args[0].strip() for call in say.call_args_list]

    def test_warnings_are_shown(self):
        lines = [("INFO", "ERROR in a text"), ("WARNING", "look here"), ("WARNING", "py.warnings: x")]
        self.assertEqual(self.check_log(*lines), ["WARNING demo odoo.modules: look here"])

    def test_errors_fail(self):
        with self.assertRaisesRegex(Fail, "^Odoo reported errors while installing: see "):
            self.check_log(("ERROR", "broken"))

"""Odoo as a program: its configuration, and the commands that install, upgrade and serve a database."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import layout
from .console import Fail, run_step, say
from .odoo_source import OdooSource
from .postgres import Server

FINISH = Path(__file__).with_name("finish_install.py")
FILL = Path(__file__).with_name("fill_release.py")
COMPLAINT = re.compile(r" \d+ (?=(?:WARNING|ERROR|CRITICAL) )(?!.* py\.warnings: )")
LOADING = r"Loading module (\S+ \(\d+/\d+\))"
NOT_OURS = {"PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "ODOO_RC", "OPENERP_SERVER", "VIRTUAL_ENV"}


@dataclass(frozen=True)
class Odoo:
    """Odoo's code, the Python that runs it and the PostgreSQL that it works with."""

    source: OdooSource
    venv: Path
    server: Server
    browser: Path | None = None
    printing: Path | None = None
    more_addons: tuple = ()

    @property
    def environment(self):
        """Return the variables for every process of Odoo."""
        path = [
            self.browser,
            self.printing,
            self.venv / "bin",
            self.server.programs,
            os.environ.get("PATH", os.defpath),
        ]
        return {
            **{key: value for key, value in self.server.environment.items() if key not in NOT_OURS},
            "PATH": os.pathsep.join(str(folder) for folder in path if folder),
            "PYTHONPATH": os.pathsep.join(map(str, [self.source.import_path, layout.ROOT])),
        }

    def command(self, *words):
        """Return the words that start one of Odoo's commands."""
        return [str(self.venv / "bin/python"), "-m", "odoo", *map(str, words)]

    def configure(self, database, port):
        """Write the configuration for one database; return its file."""
        addons = [*self.source.addons_path, *self.more_addons, layout.ROOT]
        options = {
            **self.server.odoo_options,
            "db_name": database,
            "dbfilter": f"^{re.escape(database)}$",
            "list_db": "False",
            "data_dir": layout.DATA,
            "screenshots": layout.LOCAL / "screenshots",
            "addons_path": ",".join(map(str, addons)),
            "http_interface": "127.0.0.1",
            "http_port": port,
        }
        file = layout.RUNS / database / "odoo.conf"
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{key} = {value}" for key, value in options.items()]
        file.touch(mode=0o600)
        file.write_text("\n".join(["[options]", *lines, ""]))
        return file

    def logs(self, database):
        """Return the logs of a database's installation and of its finish."""
        return layout.LOGS / f"{database}.log", layout.LOGS / f"{database}-finish.log"

    def install(self, what, database, *words):
        """Install or upgrade modules as the given options of Odoo say; return the log."""
        conf = self.configure(database, port=0)
        log, _finish = self.logs(database)
        command = self.command("-c", conf, "--no-http", "--stop-after-init", *words)
        run_step(what, command, log, detail=LOADING, cwd=layout.ROOT, env=self.environment)
        return log

    def finish(self, what, database, lang=None):
        """Make a database ready for use: the assets bundled, the users' language set."""
        _install, log = self.logs(database)
        self.run_script(what, database, FINISH, log, INSTALL_LANG=lang or "")

    def run_script(self, what, database, script, log, *words, **variables):
        """Run a script inside Odoo, which gives it `env`, with more options and variables of the environment."""
        command = self.command("shell", "-c", self.configure(database, port=0), "--no-http", *words)
        with open(script, "rb") as source:
            run_step(what, command, log, cwd=layout.ROOT, env={**self.environment, **variables}, stdin=source)

    def installed(self, database):
        """Return the names of the modules that a database has."""
        return set(self.server.sql("SELECT name FROM ir_module_module WHERE state = 'installed'", database))

    def start(self, conf, *words, output=None):
        """Start the server; return its process."""
        command = self.command("-c", conf, *words)
        return subprocess.Popen(
            command, cwd=layout.ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )


def check_log(log):
    """Print what Odoo warned about; an error while installing is a failure even where Odoo goes on."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if COMPLAINT.search(line)]
    for line in lines:
        say(f"    {COMPLAINT.split(line)[-1]}")
    if any(" WARNING " not in line for line in lines):
        raise Fail(f"Odoo reported errors while installing: see {log}")

"""Whether the wheels of the add-ons build, install into an environment that has never seen them, and load.

Builds them with ``pip``, which fetches the build backend; installs them into a new environment that sees the packages
of this one, and has Odoo install them in a copy of a database, without this checkout on its path::

    python benchmarks/wheels.py --config odoo.conf --template native
"""

import argparse
import configparser
import subprocess
import sys
import sysconfig
import tempfile
import venv
from contextlib import closing
from pathlib import Path

import odoo.service.db
from odoo.sql_db import close_db, db_connect

ROOT = Path(__file__).resolve().parent.parent
ADDONS = sorted(manifest.parent for manifest in ROOT.glob("*/__manifest__.py"))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="a configuration of Odoo")
    parser.add_argument("--template", required=True, help="a database without the add-ons, to copy")
    return parser.parse_args()


def build(folder):
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, *ADDONS], check=True)
    wheels = sorted(folder.glob("*.whl"))
    print(*(wheel.name for wheel in wheels), sep="\n", flush=True)
    return wheels


def make_environment(folder, wheels):
    """Return its Python. What Odoo needs is taken from this environment."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", *wheels], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def write_configuration(config, folder):
    """The configuration without this checkout."""
    parser = configparser.RawConfigParser()
    parser.read(config)
    paths = parser.get("options", "addons_path", fallback="").split(",")
    others = [path for path in paths if path and Path(path).resolve() != ROOT]
    parser.set("options", "addons_path", ",".join(others))
    file = folder / "odoo.conf"
    with open(file, "w") as handle:
        parser.write(handle)
    return file


def install(python, config, database):
    names = ",".join(addon.name for addon in ADDONS)
    command = [python, "-m", "odoo", "-c", config, "-d", database, "-i", names, "--log-level=warn"]
    subprocess.run([*command, "--no-http", "--stop-after-init"], cwd=config.parent, check=True)
    for addon in ADDONS:
        loaded = f"import odoo.addons.{addon.name} as addon; print(addon.__file__)"
        subprocess.run([python, "-c", loaded], cwd=config.parent, check=True)
    with closing(db_connect(database).cursor()) as cr:
        cr.execute("SELECT name, state FROM ir_module_module WHERE name LIKE 'sales_opportunity_stages%'")
        return dict(cr.fetchall())


def main():
    arguments = parse_arguments()
    odoo.tools.config.parse_config(["-c", arguments.config, "--log-level=error"])
    odoo.tools.config["db_name"], odoo.tools.config["list_db"] = [], True
    database = f"{arguments.template}_wheels"
    odoo.service.db.exp_duplicate_database(arguments.template, database)
    close_db(arguments.template)
    close_db(database)
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            python = make_environment(folder / "venv", build(folder / "wheels"))
            states = install(python, write_configuration(arguments.config, folder), database)
    finally:
        close_db(database)
        odoo.service.db.exp_drop(database)
    print(states)
    raise SystemExit(states != {addon.name: "installed" for addon in ADDONS})


if __name__ == "__main__":
    main()

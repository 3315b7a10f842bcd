"""`tools/launch wheels`: build the wheels of the add-ons, install them into a new environment and load them there."""

import json
import os
import subprocess
import tempfile
import zipfile
from pathlib import Path

from . import console, layout, options, python_env
from .console import Fail, say
from .database import Databases
from .odoo import check_log

LOADED = "import importlib, sys; print(importlib.import_module('odoo.addons.' + sys.argv[1]).__file__)"


def main(arguments):
    """Build the wheels and install them in a database of their own; fail where one is missing something."""
    parser = options.parser("tools/launch wheels", __doc__.partition(": ")[2])
    parser.add_argument("--keep", metavar="FOLDER", help="leave the wheels in this folder")
    chosen = parser.parse_args(arguments)
    with options.odoo(chosen) as odoo, tempfile.TemporaryDirectory(prefix="odoo-wheels-") as temporary:
        kept = chosen.keep and Path(os.environ.get("CALLED_FROM", "."), chosen.keep)
        wheels = build(odoo, kept or Path(temporary, "wheels"))
        for wheel in wheels:
            check_content(wheel)
        environment = make_environment(odoo, Path(temporary, "venv"), wheels)
        install(odoo, environment, Path(temporary))
    say(f"{len(wheels)} wheels build, install with pip and load")


def build(odoo, folder):
    """Build the wheel of each add-on; return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    for addon in layout.addons():
        command = [odoo.venv / "bin/uv", "build", "--wheel", "--no-build-isolation", "--offline"]
        command += ["--python", odoo.venv / "bin/python", "--cache-dir", python_env.CACHE, "--out-dir", folder, addon]
        console.run_step(f"building {addon.name}", command, layout.LOGS / "wheels.log", env=odoo.environment)
    return sorted(folder.glob("*.whl"))


def check_content(wheel):
    """Raise Fail where a wheel lacks its licence or the text that a package index shows."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    if not any(name.endswith("/LICENSE") for name in names):
        raise Fail(f"{wheel.name} holds no LICENSE")
    if "Requires-Dist: odoo" not in metadata or not metadata.partition("\n\n")[2].strip():
        raise Fail(f"{wheel.name} does not say what it needs or what it is: see its METADATA")


def make_environment(odoo, folder, wheels):
    """Make an environment that has the wheels and sees the packages of ours; return the words that start its Odoo."""
    log = layout.LOGS / "wheels.log"
    uv, python = odoo.venv / "bin/uv", folder / "bin/python"
    console.run_step("making an environment", [uv, "venv", "--python", odoo.venv / "bin/python", folder], log)
    command = [uv, "pip", "install", "--python", python, "--no-deps", "--no-index", "--cache-dir", python_env.CACHE]
    console.run_step("installing the wheels", [*command, *wheels], log)
    ours = next(odoo.venv.glob("lib/python*/site-packages"))
    (next(folder.glob("lib/python*/site-packages")) / "others.pth").write_text(f"{ours}\n")
    return python


def install(odoo, python, folder):
    """Install the add-ons from their wheels in a copy of a database that has never seen them."""
    databases, name = Databases(odoo), f"{odoo.server.prefix}wheels"
    with layout.locked("templates"):
        template = databases.native_template()
    databases.drop(name)
    databases.copy(template, name, "wheels")
    try:
        _install(odoo, python, folder, name)
        missing = {addon.name for addon in layout.addons()} - odoo.installed(name)
    finally:
        databases.drop(name)
    if missing:
        raise Fail(f"Odoo did not install {', '.join(sorted(missing))} from the wheels")


def _install(odoo, python, folder, name):
    environment = {**odoo.environment, "PYTHONPATH": str(odoo.source.import_path)}
    conf = _configure_without_checkout(odoo, name)
    log = layout.LOGS / "wheels.log"
    names = [addon.name for addon in layout.addons()]
    words = ["-c", conf, "-i", ",".join(names), "--no-http", "--stop-after-init"]
    command = [python, "-m", "odoo", *words]
    console.run_step("installing the add-ons from their wheels", command, log, cwd=folder, env=environment)
    check_log(log)
    for addon in names:
        result = subprocess.run(
            [python, "-c", LOADED, addon], cwd=folder, env=environment, capture_output=True, text=True
        )
        if str(python.parent.parent) not in result.stdout:
            raise Fail(f"{addon} is not loaded from its wheel: {json.dumps(result.stdout or result.stderr)}")


def _configure_without_checkout(odoo, name):
    """Return a configuration whose addons_path names Odoo's own folders alone."""
    conf = odoo.configure(name, port=0)
    text = conf.read_text()
    conf.write_text(text.replace(f",{layout.ROOT}\n", "\n"))
    return conf


if __name__ == "__main__":
    console.main(main)

"""wkhtmltopdf, which Odoo prints with: the machine's, or Debian's package unpacked in our folder.

Everything but printing works without it, so a machine that cannot have it is told so, and served.
"""

import shutil
import subprocess

from . import apt, browser, layout
from .console import Fail, say

PROGRAM = "wkhtmltopdf"
PACKAGES = [PROGRAM, "fonts-liberation"]
ADVICE = (
    "printing and a customer's signature need wkhtmltopdf, all else works without it"
    " (as root: apt-get install wkhtmltopdf)"
)

WRAPPER = """#!/bin/sh
folder=$(dirname "$(dirname "$(readlink -f "$0")")")
root=$folder/root
export LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export QT_QPA_PLATFORM=offscreen QT_PLUGIN_PATH="{plugins}"
export XDG_DATA_HOME="$root/usr/share" XDG_CONFIG_HOME="$folder/home" XDG_CACHE_HOME="$folder/home"
export FONTCONFIG_FILE="$folder/fonts.conf"
exec "$root/usr/bin/wkhtmltopdf" "$@"
"""


def ensure():
    """Return a folder for PATH in which Odoo finds wkhtmltopdf, or None where PATH has one or none can be had."""
    if shutil.which(PROGRAM):
        return None
    with layout.locked("printing"):
        folder = layout.LOCAL / PROGRAM
        try:
            if not folder.exists():
                _fetch(folder)
        except Fail as problem:
            say(f"{problem}\n{ADVICE}")
            return None
    return folder / "bin"


def _fetch(folder):
    if not apt.available():
        raise Fail("there is no wkhtmltopdf on this machine")
    say("there is no wkhtmltopdf on this machine: fetching the distribution's package for printing")
    source = apt.Apt(PROGRAM)
    source.update(PROGRAM)
    packages = source.download_missing(PROGRAM, PACKAGES)
    with layout.built(folder) as partial:
        for package in packages:
            apt.unpack(package, partial / "root", exclude=browser.LEFT_OUT)
        _wrap(partial)
    source.clean()
    _try(folder)


def _wrap(folder):
    """Write the script that starts the unpacked wkhtmltopdf."""
    root = folder / "root"
    if not (root / "usr/bin" / PROGRAM).exists():
        raise Fail("this distribution has no wkhtmltopdf in its packages")
    plugins = next((f"$root/{path.relative_to(root)}" for path in root.rglob("qt5/plugins")), "")
    (folder / "fonts.conf").write_text(browser.fonts())
    (folder / "bin").mkdir()
    browser.script(folder / "bin" / PROGRAM, WRAPPER.format(libraries=browser.libraries(root), plugins=plugins))


def _try(folder):
    result = subprocess.run([folder / "bin" / PROGRAM, "--version"], capture_output=True, text=True)
    if result.returncode:
        shutil.rmtree(folder)
        raise Fail(f"the unpacked wkhtmltopdf does not start ({' '.join(result.stderr.split())[:200]})")

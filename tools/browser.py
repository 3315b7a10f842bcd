"""Chromium for the browser tests: the machine's, one that is named, or Debian's package unpacked in our folder."""

import os
import shutil
import subprocess
from pathlib import Path

from . import apt, layout
from .console import Fail, say

# The names that Odoo looks for on PATH, in its order.
NAMES = ["google-chrome", "chromium", "chromium-browser", "google-chrome-stable"]
PACKAGES = ["chromium", "fonts-liberation"]
LEFT_OUT = [f"./usr/share/{name}/*" for name in ("doc", "icons", "locale", "man")]
WAYS_OUT = "install it (as root: apt-get install chromium), or name a Chrome or Chromium: CHROME=/path/to/it"

# Only packages that the machine does not have are unpacked, so none of its own libraries is hidden by ours.
WRAPPER = """#!/bin/sh
folder=$(dirname "$(dirname "$(readlink -f "$0")")")
root=$folder/root
export LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export XDG_DATA_DIRS="$root/usr/share:${{XDG_DATA_DIRS:-/usr/local/share:/usr/share}}"
export XDG_DATA_HOME="$root/usr/share" XDG_CONFIG_HOME="$folder/home" XDG_CACHE_HOME="$folder/home"
export FONTCONFIG_FILE="$folder/fonts.conf"
exec "$root/usr/lib/chromium/chromium" "$@"
"""
# The machine's fonts, if it has any, and those below XDG_DATA_HOME.
ALIASES = {
    "Liberation Sans": ("sans-serif", "Arial", "Helvetica"),
    "Liberation Serif": ("serif", "Times New Roman"),
    "Liberation Mono": ("monospace", "Courier New"),
}
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
    <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
    <dir prefix="xdg">fonts</dir>
    <cachedir prefix="xdg">fontconfig</cachedir>
{aliases}
</fontconfig>
"""


def ensure():
    """Return a folder for the front of PATH in which Odoo finds a browser, or None where PATH has one already."""
    named = os.environ.get("CHROME") or os.environ.get("CHROMIUM")
    if named:
        return _named(named)
    if any(shutil.which(name) for name in NAMES):
        return None
    with layout.locked("browser"):
        folder = layout.LOCAL / "chromium"
        if not folder.exists():
            _fetch(folder)
    return folder / "bin"


def _named(program):
    found = shutil.which(program)
    if not found:
        raise Fail(f"CHROME={program} is not a program that can be started: {WAYS_OUT}")
    folder = layout.LOCAL / "browser" / layout.digest(found)
    folder.mkdir(parents=True, exist_ok=True)
    script(folder / NAMES[0], f'#!/bin/sh\nexec "{found}" "$@"\n')
    return folder


def _fetch(folder):
    say("there is no Chromium on this machine: fetching the distribution's package for the browser tests")
    if not apt.available():
        raise Fail(f"the browser tests need Chromium: {WAYS_OUT}")
    source = apt.Apt("chromium", f"check the network, or {WAYS_OUT}")
    source.update("Chromium")
    packages = source.download_missing("Chromium", PACKAGES)
    with layout.built(folder) as partial:
        for package in packages:
            apt.unpack(package, partial / "root", exclude=LEFT_OUT)
        _wrap(partial)
    source.clean()
    _try(folder / "bin/chromium", folder)


def _wrap(folder):
    """Write the script that starts the unpacked Chromium."""
    root = folder / "root"
    if not (root / "usr/lib/chromium/chromium").exists():
        raise Fail(f"this distribution has no Chromium in its packages: {WAYS_OUT}")
    (folder / "fonts.conf").write_text(fonts())
    (folder / "bin").mkdir()
    script(folder / "bin/chromium", WRAPPER.format(libraries=libraries(root)))


def libraries(root):
    """Return the folders of libraries below an unpacked root, as a script names them."""
    found = {library.parent for library in root.rglob("lib*.so*")}
    return ":".join(f"$root/{path.relative_to(root)}" for path in sorted(found))


def fonts():
    """Return the configuration with which an unpacked program finds its fonts."""
    lines = [
        f"    <alias><family>{name}</family><accept><family>{font}</family></accept></alias>"
        for font, names in ALIASES.items()
        for name in names
    ]
    return FONTS.format(aliases="\n".join(lines))


def _try(program, folder):
    result = subprocess.run([program, "--version"], capture_output=True, text=True)
    if result.returncode:
        shutil.rmtree(folder)
        raise Fail(f"the unpacked Chromium does not start ({' '.join(result.stderr.split())[:200]}): {WAYS_OUT}")


def script(path, text):
    """Write a program that can be started, whole from the first moment on."""
    temporary = Path(f"{path}.{os.getpid()}")
    temporary.write_text(text)
    temporary.chmod(0o755)
    temporary.replace(path)

"""Where things are: the add-ons of this checkout, and the one ignored folder that holds everything we make."""

import ast
import fcntl
import hashlib
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

from .console import say

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
LOGS = LOCAL / "log"
DATA = LOCAL / "data"
RUNS = LOCAL / "runs"

# Seconds of waiting that need no word.
PATIENCE = 2
# Add-ons that need one of the applications which tests get by `./test --with`.
APP_ADDONS = {"sales_opportunity_stages_stock"}
# What an add-on may change in without its installed database changing.
NOT_INSTALLED = {"tests", "__pycache__"}


def addons(with_apps=False):
    """Return the add-ons of this checkout, by name.

    :param bool with_apps: also those that need applications which the other add-ons are tested without; Odoo installs
        them itself where these applications are
    """
    manifests = sorted(ROOT.glob("*/__manifest__.py"))
    found = [manifest.parent for manifest in manifests if _installable(manifest)]
    return [addon for addon in found if with_apps or addon.name not in APP_ADDONS]


def _installable(manifest):
    return ast.literal_eval(manifest.read_text(encoding="utf8")).get("installable", True)


def installed_files(addon):
    """Yield the files of an add-on that an installed database depends on, in a fixed order.

    Python tests are left out; JavaScript tests (static/tests) are not, they are in the asset bundles.
    """
    for folder, subfolders, names in os.walk(addon):
        skipped = NOT_INSTALLED - {"tests"} if Path(folder).name == "static" else NOT_INSTALLED
        subfolders[:] = sorted(name for name in subfolders if name not in skipped)
        for name in sorted(names):
            if name != "LICENSE" and not name.endswith((".pyc", ".md", ".rst", ".swp", "~")):
                yield Path(folder, name)


def digest(*parts):
    """Return a short name for the content of the given texts and files, wherever this checkout lies."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            total.update(os.path.relpath(part, ROOT).encode())
            part = part.read_bytes()
        total.update(part if isinstance(part, bytes) else str(part).encode())
        total.update(b"\0")
    return total.hexdigest()[:12]


def try_lock(path):
    """Return the open, locked file, or None while another process holds it. The lock dies with its process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = open(path, "a")  # noqa: SIM115 - stays open as long as the lock is held
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


@contextmanager
def locked(name):
    """Let one command of this checkout at a time do what is inside; the others wait."""
    path = LOCAL / "locks" / name
    with try_lock(path) or _wait_for_lock(path):
        yield


def _wait_for_lock(path):
    started, told = time.monotonic(), False
    while not (handle := try_lock(path)):
        if not told and time.monotonic() - started > PATIENCE:
            told = True
            say(f"waiting for another command that is busy with: {path.name}")
        time.sleep(0.1)
    return handle


@contextmanager
def built(folder):
    """Give an empty folder to build in; it gets its name only once it is complete."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)

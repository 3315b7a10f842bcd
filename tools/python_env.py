"""The Python environment: pinned wheels in a venv of our own, one folder for each set of pins."""

import importlib.util
import shutil
import sys

from . import apt, layout
from .console import Fail, run_step, say

REQUIREMENTS = layout.ROOT / "requirements"
BOOTSTRAP = REQUIREMENTS / "uv.txt"
LOCKS = sorted(set(REQUIREMENTS.glob("*.txt")) - {BOOTSTRAP})
VENVS = layout.LOCAL / "venvs"
CURRENT = layout.LOCAL / "venv"
CACHE = layout.LOCAL / "cache"
KEPT = 3
PROGRESS = r"(?:Downloading|Prepared|Installed) .*"
NO_PACKAGES = "check the network and the settings of pip and uv, then start again"
NO_VENV = "this Python cannot make virtual environments: apt-get install python3-venv (or name another one: PYTHON=…)"


def ensure():
    """Return the folder of an environment that holds what the locks name, made if it is missing.

    Pins that change get a new folder, so that nothing is pulled from under a command that still runs; so does a
    checkout that was moved, because scripts name their Python by its path.
    """
    folder = VENVS / layout.digest(
        str(layout.ROOT), sys.version, sys.base_prefix, *(lock.read_bytes() for lock in LOCKS)
    )
    with layout.locked("python"):
        if not (folder / "complete").exists():
            _make(folder)
        _make_current(folder)
    return folder


def _make(folder):
    say(f"making the Python {sys.version_info.major}.{sys.version_info.minor} environment")
    shutil.rmtree(folder, ignore_errors=True)
    pip = _new_venv(folder)
    log = layout.LOGS / "python.log"
    command = [*pip, "install", "--no-cache-dir", "--no-deps", "-r", BOOTSTRAP]
    run_step("fetching the package installer", command, log, advice=NO_PACKAGES)
    run_step("installing the Python packages", _install(folder), log, detail=PROGRESS, advice=NO_PACKAGES)
    shutil.rmtree(CACHE, ignore_errors=True)
    (folder / "complete").touch()
    _prune()


def _install(folder):
    """Return the command that installs what the locks name into the environment.

    The locks are complete, so no dependency is looked up: an add-on's wheel may name Odoo, which no registry has.
    """
    target = ["--python", folder / "bin/python", "--cache-dir", CACHE, "--link-mode", "copy"]
    locks = [word for lock in LOCKS for word in ("-r", lock)]
    return [folder / "bin/uv", "pip", "install", *target, "--no-deps", "--only-binary", ":all:", *locks]


def _new_venv(folder):
    """Make an empty venv; return the command that is pip inside it."""
    log = layout.LOGS / "venv.log"
    if importlib.util.find_spec("ensurepip"):
        run_step("making the environment", [sys.executable, "-m", "venv", folder], log)
        return [folder / "bin/python", "-m", "pip"]
    # Debian and Ubuntu keep ensurepip in a package of its own; pip's wheel alone does as well and needs no root.
    wheel = _pip_wheel()
    run_step("making the environment", [sys.executable, "-m", "venv", "--without-pip", folder], log)
    return [folder / "bin/python", wheel / "pip"]


def _pip_wheel():
    if not apt.available():
        raise Fail(NO_VENV)
    folder = layout.LOCAL / "pip"
    if not folder.exists():
        _fetch_pip(folder)
    return next(folder.glob("usr/share/python-wheels/pip-*.whl"))


def _fetch_pip(folder):
    source = apt.Apt("pip", NO_VENV)
    source.update("pip")
    packages = source.download("pip", ["python3-pip-whl"])
    with layout.built(folder) as partial:
        apt.unpack(packages[0], partial)
    source.clean()


def _make_current(folder):
    """Let `.local/venv` name the environment in use, for people and editors."""
    if not CURRENT.is_symlink() or CURRENT.resolve() != folder:
        link = CURRENT.with_name("venv.new")
        link.unlink(missing_ok=True)
        link.symlink_to(folder.relative_to(layout.LOCAL))
        link.replace(CURRENT)


def _prune():
    for old in sorted(VENVS.iterdir(), key=lambda folder: folder.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)

"""The previous release of the add-ons, out of the history of this checkout, for the test of upgrades."""

import ast
import subprocess
import tarfile

from . import layout
from .console import Fail, say

MANIFEST = "sales_opportunity_stages/__manifest__.py"


def previous():
    """Return the commit of the previous release: the last one before the version of the add-on changed.

    :raise Fail: where the history of this checkout does not reach back so far
    """
    _complete_history()
    current = _version((layout.ROOT / MANIFEST).read_text(encoding="utf8"))
    for commit in _git("log", "--format=%H", "--", MANIFEST).split():
        earlier = _git("log", "--format=%H", "--max-count=1", f"{commit}~1", "--", missing="").strip()
        if earlier and _version(_git("show", f"{earlier}:{MANIFEST}")) != current:
            return earlier
    raise Fail(
        f"there is no release before {current} in the history of this checkout, so no upgrade can be tested: run it "
        "in a clone with the whole history"
    )


def unpack(commit):
    """Return a folder with the add-ons as they were at a commit."""
    folder = layout.LOCAL / "releases" / commit[:12]
    if not folder.exists():
        with layout.built(folder) as partial, _open_archive(commit) as archive:
            archive.extractall(partial, filter="data")
    return folder


def addons(folder):
    """Return the names of the add-ons in a folder."""
    return sorted(manifest.parent.name for manifest in folder.glob("*/__manifest__.py"))


def _open_archive(commit):
    names = [name for name in _git("ls-tree", "--name-only", commit).split() if name.startswith("sales_opportunity_")]
    file = layout.LOCAL / "releases" / f"{commit[:12]}.tar"
    file.parent.mkdir(parents=True, exist_ok=True)
    _git("archive", f"--output={file}", commit, *names)
    return tarfile.open(file)


def _complete_history():
    """Fetch what a shallow clone leaves out; where that fails, what is missing is named later."""
    if _git("rev-parse", "--is-shallow-repository", missing="false").strip() == "true":
        say("fetching the history of this shallow clone, which the test of upgrades needs")
        _git("fetch", "--quiet", "--unshallow", missing="")


def _version(manifest):
    return ast.literal_eval(manifest)["version"]


def _git(*words, missing=None):
    """Return what a command of git prints.

    :param missing: what to return when it fails, instead of failing
    """
    result = subprocess.run(
        ["git", *words], cwd=layout.ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if result.returncode and missing is None:
        raise Fail(f"git {' '.join(words[:2])} failed, so no upgrade can be tested: {result.stderr.strip()}")
    return missing if result.returncode else result.stdout

"""Debian packages without being root: fetched by apt-get with state folders of our own, and unpacked, never installed.

The address of the mirror is the one that the machine's own apt configuration uses.
"""

import re
import shutil
import subprocess
from pathlib import Path

from . import layout
from .console import Fail, run_step

STATE = layout.LOCAL / "apt"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def available():
    """Say whether this machine has the programs that all of this needs."""
    return all(shutil.which(program) for program in ("apt-get", "dpkg-deb", "tar"))


class Apt:
    """apt-get with a state of its own, reading either the machine's sources or one given `deb` line."""

    def __init__(self, name, advice="", source_line=None):
        """Keep the state under a name; the advice is for the user when something cannot be fetched."""
        self.folder = STATE / name
        self.advice = advice
        self.source_line = source_line

    def options(self):
        """Return the options that keep apt-get inside our folder."""
        settings = {
            "Dir::State": self.folder / "state",
            "Dir::State::lists": self.folder / "state/lists",
            "Dir::State::status": "/var/lib/dpkg/status",
            "Dir::Cache": self.folder / "cache",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Debug::NoLocking": "true",
        }
        if self.source_line:
            settings |= {
                "Dir::State::status": self.folder / "no-packages",
                "Dir::Etc::sourcelist": self.folder / "sources.list",
                "Dir::Etc::sourceparts": self.folder / "no-sources",
            }
        return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def command(self, *words):
        """Return the words of one apt-get command, its folders made."""
        for name in ("state/lists/partial", "cache/archives/partial", "no-sources"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "no-packages").touch()
        if self.source_line:
            (self.folder / "sources.list").write_text(self.source_line + "\n")
        return ["apt-get", "--yes", "--quiet", *self.options(), *words]

    def update(self, what):
        """Fetch the package lists."""
        self._run(f"reading the package lists for {what}", "update", "--error-on=any")

    def download(self, what, packages):
        """Fetch packages, and nothing that they depend on; return their files."""
        folder = self.folder / "download"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._run(f"downloading {what}", "download", *packages, cwd=folder)
        return sorted(folder.glob("*.deb"))

    def download_missing(self, what, packages):
        """Fetch packages together with what they depend on and the machine does not have; return their files."""
        self._run(f"downloading {what}", "install", "--download-only", "--no-install-recommends", *packages)
        return sorted((self.folder / "cache/archives").glob("*.deb"))

    def _run(self, what, verb, *words, **popen):
        log = layout.LOGS / f"apt-{self.folder.name}-{verb}.log"
        run_step(what, self.command(verb, *words), log, advice=self.advice, **popen)

    def clean(self):
        """Give the disk space back."""
        shutil.rmtree(self.folder, ignore_errors=True)


def machine_mirror():
    """Return the address of the Debian mirror in the machine's own apt configuration, or None.

    `apt-get indextargets` knows nothing before the first update, while what an update would fetch is always known.
    """
    system = _os_release()
    if system.get("ID") != "debian":
        return None
    suites = "|".join({system.get("VERSION_CODENAME", "sid"), "stable", "testing", "unstable", "sid"})
    listing = subprocess.run(Apt("mirror").command("update", "--print-uris"), capture_output=True, text=True)
    found = re.search(rf"'([^']+)/dists/(?:{suites})/InRelease'", listing.stdout)
    return found and found[1]


def _os_release():
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf8").splitlines()
    except OSError:
        return {}
    return {key: value.strip('"') for key, _equals, value in (line.partition("=") for line in lines)}


def unpack(package, folder, exclude=()):
    """Unpack the files of a package below a folder, without the paths that match one of the patterns."""
    folder.mkdir(parents=True, exist_ok=True)
    patterns = [f"--exclude={pattern}" for pattern in exclude]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as reader:
        writer = subprocess.run(["tar", "-x", "--no-same-owner", *patterns, "-C", folder], stdin=reader.stdout)
    if reader.returncode or writer.returncode:
        raise Fail(
            f"cannot unpack {package.name}: is the disk that holds {folder} full? (then free space and start again)"
        )

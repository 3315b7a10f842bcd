"""Odoo 19 Community itself: the user's own copy, or the package of Debian's unstable suite unpacked in our folder."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from . import apt, layout
from .console import Fail, say

SUITE = "sid"
PACKAGE = "odoo-19"
# The package that this tooling was written with; another one is used too, after a warning.
PACKAGE_SHA256 = "9d2f598b0555db17e291d48ed24df184c70823c053c4c5ed53c467ca7f629bbf"
# What Debian took out of the package: jQuery, which the manifests name, and the font of the web client.
COMPANIONS = ["libjs-jquery", "fonts-roboto-unhinted"]
# A script that is missing from the package altogether: without a file there every browser test fails.
MISSING_SCRIPT = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"
# Three quarters of the package: translations but Chinese, documentation, and a partial second copy of the add-ons.
LEFT_OUT = [
    "*/i18n/[a-y]*.po",
    "*/i18n_extra/[a-y]*.po",
    "./usr/share/doc/*",
    "./usr/share/man/*",
    "./usr/lib/python3/dist-packages/addons",
    "./usr/lib/python3/dist-packages/doc",
    "./usr/lib/python3/dist-packages/setup",
]
MIRROR_VARIABLE = "DEBIAN_MIRROR"
OWN_ODOO = "name an Odoo 19 that you have: --odoo PATH or ODOO_HOME=PATH (a checkout, or the folder that holds `odoo/`)"


@dataclass(frozen=True)
class OdooSource:
    """An Odoo 19 on disk: `home` is the folder that holds the `odoo` package."""

    home: Path
    version: str

    @property
    def addons_path(self):
        """Return the folders of Odoo's own add-ons; a checkout keeps most of them beside the package."""
        checkout = [self.home / "addons"] if (self.home / "odoo-bin").exists() else []
        return [*checkout, self.home / "odoo/addons"]

    def check_language(self, code):
        """Refuse a language to which there is no translation, before a database is made in the wrong one."""
        folder = self.home / "odoo/addons"
        folder = folder if (folder / "crm").is_dir() else self.home / "addons"
        codes = {path.stem for path in folder.glob("crm/i18n/*.po")} | {"en_US"}
        if not {code, code.split("_")[0]} & codes:
            raise Fail(f"this Odoo has no translation to {code}, only {', '.join(sorted(codes))}; or {OWN_ODOO}")

    @property
    def import_path(self):
        """Return a folder to import `odoo` from, which holds nothing else.

        An installed Odoo lies among the system's Python packages, and these must not hide the pinned ones.
        """
        folder = layout.LOCAL / "import" / layout.digest(str(self.home))
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / "odoo"
        if not link.is_symlink():
            link.symlink_to(self.home / "odoo")
        return folder


def find(path=None):
    """Return the Odoo at the given path or in ODOO_HOME, else the one in our folder, fetched if it is missing."""
    given = path or os.environ.get("ODOO_HOME")
    if given:
        return _source(_home(Path(given).expanduser().resolve()))
    unpacked = layout.LOCAL / "odoo"
    with layout.locked("odoo"):
        if not unpacked.exists():
            _fetch(unpacked)
    return _source(_home(unpacked))


def _home(path):
    for home in (path, path / "dist-packages", path / "usr/lib/python3/dist-packages"):
        if (home / "odoo/release.py").is_file():
            return home
    raise Fail(f"there is no Odoo at {path} (no odoo/release.py): {OWN_ODOO}")


def _source(home):
    text = (home / "odoo/release.py").read_text(encoding="utf8")
    found = re.search(r"^version_info = \(([^,]+), *(\d+), *(\d+)", text, re.MULTILINE)
    version = ".".join(part.strip("'\"") for part in found.groups()) if found else "unknown"
    if not version.startswith("19.0."):
        raise Fail(f"the Odoo at {home} is {version}, these add-ons are for 19.0: {OWN_ODOO}")
    return OdooSource(home, f"{version} {_revision(home)}")


def _revision(home):
    """Return what tells two copies of the same version apart: the commit of a checkout, or nothing."""
    head = home / ".git/HEAD"
    if not head.is_file():
        return ""
    reference = head.read_text().strip().removeprefix("ref: ")
    named = home / ".git" / reference
    return named.read_text().strip() if named.is_file() else reference


def _fetch(folder):
    say("Odoo 19 is not here yet: fetching Debian's package (125 MB)")
    advice = f"check the network and that Debian's {SUITE} still has {PACKAGE}, or {OWN_ODOO}"
    source = apt.Apt("odoo", advice, _source_line())
    source.update("Odoo")
    packages = source.download("Odoo 19", [PACKAGE, *COMPANIONS])
    with layout.built(folder) as partial:
        for package in packages:
            _warn_when_other(package)
            apt.unpack(package, partial, exclude=LEFT_OUT)
        script = partial / "usr/lib/python3/dist-packages/odoo/addons" / MISSING_SCRIPT
        script.parent.mkdir(parents=True, exist_ok=True)
        script.touch()
    source.clean()


def _source_line():
    """Return the `deb` line of Debian's unstable suite on the mirror that this machine uses."""
    if not apt.available():
        raise Fail(f"Odoo 19 is fetched with apt-get, which this machine does not have: {OWN_ODOO}")
    mirror = os.environ.get(MIRROR_VARIABLE) or apt.machine_mirror()
    if not mirror:
        raise Fail(
            f"apt knows no Debian mirror to fetch Odoo 19 from: give its address in {MIRROR_VARIABLE}, or {OWN_ODOO}"
        )
    if not apt.KEYRING.exists():
        raise Fail(f"{apt.KEYRING} is missing: apt-get install debian-archive-keyring, or {OWN_ODOO}")
    return f"deb [signed-by={apt.KEYRING}] {mirror} {SUITE} main"


def _warn_when_other(package):
    if package.name.startswith(PACKAGE):
        found = hashlib.sha256(package.read_bytes()).hexdigest()
        if found != PACKAGE_SHA256:
            say(f"warning: {package.name} is newer than the one this was written with (SHA256 {found})")

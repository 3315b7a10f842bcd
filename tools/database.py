"""Databases: cached templates keyed by what they were built from, copies of them for each run, and the demo database.

Every database of ours says so in its comment, which also holds what it was built from. One without such a comment is
somebody else's, or was never completed.
"""

import json
import os
import shutil
import time
import uuid
from contextlib import contextmanager

from . import layout, python_env, release
from .console import Fail, say
from .odoo import FILL, FINISH, check_log

NATIVE_MODULES = ["sale_crm", "sale_management", "sale_expense"]
MADE_BY = "sales_opportunity_stages tools"
APPS = {
    "apps": [
        *("sale_margin", "sale_product_matrix", "sale_pdf_quote_builder", "sale_loyalty", "stock_delivery", "repair"),
        *("sale_stock", "sale_mrp", "sale_purchase_stock", "sale_project", "sale_timesheet", "event_sale", "pos_sale"),
        *("website_sale", "website_sale_loyalty", "website_sale_collect", "website_event_sale"),
    ],
}
"""Sets of Odoo's applications that the add-ons are tested with, by the name that ``./test --with`` takes."""
UPGRADE = "upgrade"
"""The name that ``./test --with`` takes for a database of the previous release that was upgraded to this checkout."""
SCENARIO = layout.ROOT / "sales_opportunity_stages/tests/upgrade/scenario.py"
KEPT = {"native": 2, "addons": 4, **dict.fromkeys([*APPS, UPGRADE], 2)}


class Databases:
    """The databases of this checkout on one server."""

    def __init__(self, odoo):
        self.odoo = odoo
        self.server = odoo.server

    # What is there

    def ours(self, kind):
        """Return the notes of our databases of one kind, by name."""
        names = self.server.sql("SELECT datname FROM pg_database ORDER BY datname")
        notes = {name: self.note(name) for name in names if name.startswith(f"{self.server.prefix}{kind}_")}
        return {name: note for name, note in notes.items() if note.get("kind") == kind}

    def exists(self, name):
        """Say whether there is a database of that name, ours or not."""
        return bool(self.server.sql(f"SELECT 1 FROM pg_database WHERE datname = {_quoted(name)}"))

    def note(self, name):
        """Return what we noted about a database, an empty dict when it is not there or not ours."""
        rows = self.server.sql(
            f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = {_quoted(name)}"
        )
        try:
            note = json.loads("\n".join(rows))
        except ValueError:
            return {}
        return note if isinstance(note, dict) and note.get("made_by") == MADE_BY else {}

    def write_note(self, name, **values):
        """Note about a database that it is ours, what it is for and what it was built from."""
        note = json.dumps({"made_by": MADE_BY, "used": time.time(), **values})
        self.server.sql(f'COMMENT ON DATABASE "{name}" IS {_quoted(note)}')

    # Making and dropping

    def create(self, name, kind):
        """Create an empty database the way Odoo does."""
        self.server.sql(f"CREATE DATABASE \"{name}\" ENCODING 'UTF8' LC_COLLATE 'C' TEMPLATE template0")
        self.write_note(name, kind=kind)
        try:
            self.server.sql("CREATE EXTENSION IF NOT EXISTS pg_trgm", name)
        except Fail as error:
            say(f"  warning: searching will be slower ({error})")

    def copy(self, template, name, kind):
        """Copy a template and its filestore, whose files are never changed in place and so may be shared."""
        self.server.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        shutil.copytree(_filestore(template), _filestore(name), copy_function=_link)
        self.write_note(name, kind=kind)

    def drop(self, name):
        """Drop a database, its files and what was logged when it was made."""
        self.server.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        for folder in (_filestore(name), layout.RUNS / name):
            shutil.rmtree(folder, ignore_errors=True)
        for log in self.odoo.logs(name):
            log.unlink(missing_ok=True)

    # Templates

    def native_template(self):
        """Return a database with what the add-ons build on, and nothing of ours."""
        return self._template("native", self._native_key(), self._build_native)

    def addons_template(self):
        """Return a database with every add-on of this checkout installed, its assets bundled."""
        return self._template("addons", self.addons_key(), self._build_addons)

    def apps_template(self, apps):
        """Return a database with the add-ons and one set of applications."""
        bridges = [addon for addon in layout.addons(with_apps=True) if addon.name in layout.APP_ADDONS]
        files = [path for addon in bridges for path in layout.installed_files(addon)]
        key = layout.digest(self.addons_key(), *APPS[apps], *files)
        return self._template(apps, key, lambda name: self._build_apps(name, apps))

    def upgrade_template(self):
        """Return a database that was filled with the previous release, and upgraded to the add-ons of this checkout."""
        commit = release.previous()
        key = layout.digest(self.addons_key(), commit, SCENARIO, FILL)
        return self._template(UPGRADE, key, lambda name: self._build_upgrade(name, commit))

    def _build_upgrade(self, name, commit):
        native, folder = self.native_template(), release.unpack(commit)
        say(f"building a database of the release before this one ({commit[:12]}), and upgrading it")
        self.copy(native, name, UPGRADE)
        former = release.addons(folder)
        path = f"--addons-path={','.join(map(str, [*self.odoo.source.addons_path, folder]))}"
        check_log(self.odoo.install("installing the previous release", name, "-i", ",".join(former), path))
        _install, log = self.odoo.logs(name)
        self.odoo.run_script("filling it", name, FILL, log, path, SCENARIO=str(SCENARIO))
        new = sorted({addon.name for addon in layout.addons()} - set(former))
        options = ["-u", ",".join(former), *(["-i", ",".join(new)] if new else [])]
        check_log(self.odoo.install("upgrading it to this checkout", name, *options))

    def _build_apps(self, name, apps):
        addons = self.addons_template()
        say(f"building the template of the add-ons with {', '.join(APPS[apps])} (after each change of the add-ons)")
        self.copy(addons, name, apps)
        check_log(self.odoo.install("installing the applications", name, "-i", ",".join(APPS[apps])))

    def addons_key(self):
        """Return the short name of everything an installed database depends on."""
        files = [path for addon in layout.addons() for path in layout.installed_files(addon)]
        return layout.digest(self._native_key(), *files)

    def _native_key(self):
        return layout.digest(self.odoo.source.version, *python_env.LOCKS, *NATIVE_MODULES, FINISH)

    def _template(self, kind, key, build):
        name = f"{self.server.prefix}{kind}_{key}"
        if self.note(name).get("key") != key or not _filestore(name).exists():
            self.drop(name)
            build(name)
            self._prune(kind)
        self.write_note(name, kind=kind, key=key)
        return name

    def _build_native(self, name):
        say(f"building the template of Odoo with {', '.join(NATIVE_MODULES)} (once)")
        self.create(name, "native")
        self.odoo.install("installing Odoo's modules", name, "-i", ",".join(NATIVE_MODULES))
        self.odoo.finish("bundling the assets", name)

    def _build_addons(self, name):
        native = self.native_template()
        modules = [addon.name for addon in layout.addons()]
        say("building the template of the add-ons (after each change of theirs)")
        self.copy(native, name, "addons")
        log = self.odoo.install("installing the add-ons", name, "-i", ",".join(modules))
        self.odoo.finish("bundling the assets", name)
        self._check_installed(name, modules, log)

    def _check_installed(self, name, modules, log):
        check_log(log)
        missing = sorted(set(modules) - self.odoo.installed(name))
        if missing:
            raise Fail(f"Odoo did not install {', '.join(missing)}: see {log}")

    def _prune(self, kind):
        """Drop the templates that were not used for longest, and what was never completed."""
        notes = self.ours(kind)
        for name in sorted(notes, key=lambda name: notes[name]["used"])[: -KEPT[kind]]:
            self.drop(name)

    # Copies for one run

    @contextmanager
    def scratch(self, apps=None):
        """Give a database of its own to one test run, and drop it afterwards.

        :param apps: name of a set of applications that it has beside the add-ons, or ``upgrade``
        """
        with layout.locked("templates"):
            self._drop_abandoned()
            template = self._chosen_template(apps)
            name = f"{self.server.prefix}test_{uuid.uuid4().hex[:8]}"
            lock = layout.try_lock(layout.RUNS / name / "lock")
            self.copy(template, name, "test")
        with lock:
            try:
                yield name
            finally:
                self.drop(name)

    def _chosen_template(self, apps):
        if apps == UPGRADE:
            return self.upgrade_template()
        return self.apps_template(apps) if apps else self.addons_template()

    def _drop_abandoned(self):
        """Drop the scratch databases of runs that were killed: their lock is free."""
        for name in self.ours("test"):
            lock = layout.try_lock(layout.RUNS / name / "lock")
            if lock:
                with lock:
                    self.drop(name)

    # The demo database

    def demo(self, name, lang=None, fresh=False):
        """Make the demo database, or bring the add-ons in it up to date with this checkout."""
        note = self.note(name)
        if self.exists(name) and not note:
            raise Fail(
                f"the database {name} was not made by ./run and is left alone: choose another one with --database"
            )
        if fresh or not note.get("key"):
            self.drop(name)
            self._build_demo(name, lang)
        elif note["key"] != self.addons_key():
            self._upgrade_demo(name, lang or note.get("lang"))
        elif lang and lang != note.get("lang"):
            self.odoo.finish(f"loading the language {lang}", name, lang)
        self.write_note(name, kind="demo", key=self.addons_key(), lang=lang or note.get("lang"))

    def _build_demo(self, name, lang):
        modules = [*NATIVE_MODULES, *(addon.name for addon in layout.addons())]
        say(f"creating the database {name} with demo data (once, a minute or two)")
        self.create(name, "demo")
        log = self.odoo.install(
            "installing Odoo, the add-ons and demo data", name, "-i", ",".join(modules), "--with-demo"
        )
        self.odoo.finish("bundling the assets", name, lang)
        self._check_installed(name, modules, log)

    def _upgrade_demo(self, name, lang):
        modules = {addon.name for addon in layout.addons()}
        known = modules & self.odoo.installed(name)
        words = [("-u", known), ("-i", modules - known)]
        options = [word for option, names in words if names for word in (option, ",".join(sorted(names)))]
        log = self.odoo.install("upgrading the add-ons, which changed", name, *options)
        self.odoo.finish("bundling the assets", name, lang)
        self._check_installed(name, modules, log)


def _filestore(name):
    return layout.DATA / "filestore" / name


def _link(source, target):
    """Share a file between two folders, or copy it where the file system cannot do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _quoted(text):
    return "'" + text.replace("'", "''") + "'"

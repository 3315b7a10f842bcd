"""What a cached database is recognised by, and that nobody else's database is touched."""

import json
from unittest import mock

from tools import database, layout
from tools.console import Fail
from tools.database import MADE_BY, Databases
from tools.tests.common import FolderCase


class DatabaseCase(FolderCase):
    def setUp(self):
        super().setUp()
        self.write("sales/__manifest__.py", "{'name': 'Sales'}")
        self.write("sales/models.py", "x = 1\n")
        for name, value in (("ROOT", self.root), ("DATA", self.root / "data"), ("RUNS", self.root / "runs")):
            patcher = mock.patch.object(layout, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)
        self.odoo = mock.Mock(name="odoo")
        self.odoo.source.version = "19.0.0"
        self.odoo.server.prefix = ""
        self.odoo.logs.return_value = ()
        self.databases = Databases(self.odoo)

    def answer(self, *rows):
        self.odoo.server.sql.side_effect = None
        self.odoo.server.sql.return_value = list(rows)


class TestKey(DatabaseCase):
    def test_changes_with_the_add_on(self):
        first = self.databases.addons_key()
        self.write("sales/models.py", "x = 2\n")
        self.assertNotEqual(first, self.databases.addons_key())

    def test_changes_with_odoo(self):
        first = self.databases.addons_key()
        self.odoo.source.version = "19.0.1"
        self.assertNotEqual(first, self.databases.addons_key())

    def test_stays_with_the_tests(self):
        first = self.databases.addons_key()
        self.write("sales/tests/test_lead.py", "x = 1\n")
        self.assertEqual(first, self.databases.addons_key())


class TestNote(DatabaseCase):
    def test_ours(self):
        note = {"made_by": MADE_BY, "key": "abc"}
        self.answer(json.dumps(note))
        self.assertEqual(self.databases.note("demo"), note)

    def test_not_ours(self):
        for rows in ([], [""], ["a comment"], ["[1]"], ['{"made_by": "somebody"}']):
            self.answer(*rows)
            self.assertEqual(self.databases.note("demo"), {}, rows)


class TestDemo(DatabaseCase):
    def demo(self, exists, note, **options):
        with (
            mock.patch.object(Databases, "exists", return_value=exists),
            mock.patch.object(Databases, "note", return_value=note),
            mock.patch.object(database, "check_log"),
        ):
            self.odoo.installed.return_value = {*database.NATIVE_MODULES, "sales"}
            self.databases.demo("demo", **options)
        return [call.args[2:] for call in self.odoo.install.call_args_list]

    def queries(self):
        return " ".join(call.args[0] for call in self.odoo.server.sql.call_args_list)

    def test_database_of_somebody_else_is_refused(self):
        for fresh in (False, True):
            with self.assertRaisesRegex(Fail, "was not made by ./run and is left alone"):
                self.demo(exists=True, note={}, fresh=fresh)
        self.odoo.server.sql.assert_not_called()

    def test_first_start_installs_with_demo_data(self):
        modules = ",".join([*database.NATIVE_MODULES, "sales"])
        self.assertEqual(self.demo(exists=False, note={}), [("-i", modules, "--with-demo")])

    def test_second_start_does_nothing(self):
        self.assertEqual(self.demo(exists=True, note={"key": self.databases.addons_key()}), [])
        self.odoo.finish.assert_not_called()

    def test_changed_add_on_is_upgraded(self):
        self.assertEqual(self.demo(exists=True, note={"key": "old", "lang": "zh_CN"}), [("-u", "sales")])
        self.assertEqual(self.odoo.finish.call_args.args[-1], "zh_CN")
        self.assertIn('"lang": "zh_CN"', self.queries())

    def test_fresh_drops_it_first(self):
        self.demo(exists=True, note={"key": self.databases.addons_key()}, fresh=True)
        self.assertRegex(self.queries(), 'DROP DATABASE.*"demo".*CREATE DATABASE "demo"')

    def test_interrupted_one_is_made_again(self):
        self.demo(exists=True, note={"made_by": MADE_BY})
        self.assertRegex(self.queries(), 'DROP DATABASE.*"demo".*CREATE DATABASE "demo"')


class TestCopies(DatabaseCase):
    """What is dropped when it is not needed any more, on a server that is a dictionary."""

    def setUp(self):
        super().setUp()
        self.notes = {}
        for name, value in (
            ("note", lambda databases, name: self.notes.get(name, {})),
            ("write_note", lambda databases, name, **values: self.notes.update({name: {"used": 0, **values}})),
            ("drop", lambda databases, name: self.notes.pop(name, None)),
        ):
            patcher = mock.patch.object(Databases, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)
        self.odoo.server.sql.side_effect = lambda *query: sorted(self.notes)

    def test_templates_that_were_not_used_for_longest(self):
        for number in range(6):
            self.notes[f"addons_{number}"] = {"kind": "addons", "used": (number + 3) % 6}
        self.databases._prune("addons")
        self.assertEqual(sorted(self.notes), ["addons_0", "addons_1", "addons_2", "addons_5"])

    def test_copies_of_runs_that_were_killed(self):
        self.notes = {name: {"kind": "test"} for name in ("test_killed", "test_running")}
        with layout.try_lock(layout.RUNS / "test_running" / "lock"):
            self.databases._drop_abandoned()
        self.assertEqual(list(self.notes), ["test_running"])

    def test_demo_database_with_such_a_name_stays(self):
        self.notes = {"test_of_mine": {"kind": "demo"}, "test_of_others": {}}
        self.databases._drop_abandoned()
        self.assertEqual(list(self.notes), ["test_of_mine", "test_of_others"])

"""Which PostgreSQL is taken: the user's only where it is named, and then only if Odoo can work with it."""

import os
import unittest
from pathlib import Path
from unittest import mock

from tools import postgres
from tools.console import Fail

PROGRAMS = Path("/programs")


def given(url=None, **variables):
    """Return the server that a URL and PG variables name."""
    with mock.patch.dict(os.environ, variables):
        return postgres._given(PROGRAMS, url)


class TestGivenServer(unittest.TestCase):
    def test_url(self):
        server = given("postgresql://anna:p%40ss@db.example:6432/start")
        self.assertEqual((server.host, server.port, server.user), ("db.example", "6432", "anna"))
        self.assertEqual((server.password, server.maintenance), ("p@ss", "start"))

    def test_url_with_a_socket(self):
        self.assertEqual(given("postgresql://anna@/start?host=/run/pg").host, "/run/pg")

    def test_url_of_something_else(self):
        with self.assertRaisesRegex(Fail, "is not of the form postgresql://"):
            given("mysql://db.example")

    def test_variables(self):
        server = given(PGHOST="db.example", PGUSER="anna", PGSSLMODE="require")
        self.assertEqual(server.odoo_options, {"db_host": "db.example", "db_port": "5432", "db_user": "anna"})
        self.assertEqual(server.environment["PGSSLMODE"], "require")

    def test_names_are_ours(self):
        self.assertRegex(given("postgresql://db.example").prefix, r"^opportunity_[0-9a-f]{6}_$")


class TestOwnServer(unittest.TestCase):
    def test_variables_of_another_server_are_kept_away(self):
        with mock.patch.dict(os.environ, PGDATABASE="other", PGOPTIONS="-c x=y"):
            environment = postgres.Server(PROGRAMS, host="/socket", port="5432", user="odoo").environment
        self.assertEqual(
            {key: value for key, value in environment.items() if key.startswith("PG")},
            {"PGHOST": "/socket", "PGPORT": "5432", "PGUSER": "odoo"},
        )

    def test_socket_path_is_short_enough_for_a_deep_checkout(self):
        with mock.patch.object(postgres, "CLUSTER", Path("/tmp") / ("deep" * 30)):
            folder = postgres._socket_folder()
        self.addCleanup(folder.rmdir)
        self.assertLess(len(str(folder)), postgres.LONGEST_SOCKET)
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)


class TestCheck(unittest.TestCase):
    def check(self, answer):
        server = mock.Mock(host="db.example")
        server.sql.return_value = [answer]
        return postgres._usable(server)

    def test_usable(self):
        self.check("150004|anna|t")

    def test_refused(self):
        for answer, message in (
            ("120001|anna|t", "too old for Odoo 19"),
            ("150004|postgres|t", "CREATE ROLE odoo"),
            ("150004|anna|f", "ALTER ROLE anna CREATEDB"),
        ):
            with self.subTest(answer), self.assertRaisesRegex(Fail, message):
                self.check(answer)


class TestNotRoot(unittest.TestCase):
    def prefix(self, uid, namespaces=True):
        with (
            mock.patch.object(postgres.os, "getuid", return_value=uid),
            mock.patch.object(postgres.subprocess, "run", return_value=mock.Mock(returncode=0 if namespaces else 1)),
            mock.patch.object(postgres.shutil, "which", side_effect=lambda program: program),
        ):
            return postgres._not_root()

    def test_ordinary_user_needs_nothing(self):
        self.assertEqual(self.prefix(uid=1234), [])

    def test_root_has_two_ways(self):
        self.assertEqual(self.prefix(uid=0)[0], "unshare")
        self.assertEqual(self.prefix(uid=0, namespaces=False)[0], "setpriv")

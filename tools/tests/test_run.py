"""The command line of `./run`, and its ports."""

import contextlib
import io
import socket
import unittest
from unittest import mock

from tools import run
from tools.console import Fail


@contextlib.contextmanager
def busy_port():
    """Hold a port that nobody else can take."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


class TestOptions(unittest.TestCase):
    def refused(self, *arguments):
        with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as printed:
            run._options(arguments)
        return printed.getvalue()

    def test_defaults(self):
        chosen = run._options([])
        self.assertEqual((chosen.port, chosen.database, chosen.lang, chosen.fresh), (None, None, None, False))

    def test_rest_is_for_odoo(self):
        self.assertEqual(run._options(["--port", "8075", "--", "--dev=all"]).odoo_arguments, ["--dev=all"])

    def test_name_that_is_no_database_name(self):
        self.assertIn("--database", self.refused("--database", "../demo"))

    def test_port_that_is_none(self):
        for text in ("http", "0", "65536"):
            self.assertIn("--port", self.refused("--port", text))


class TestPort(unittest.TestCase):
    def test_busy_port_that_was_asked_for(self):
        with busy_port() as port, self.assertRaisesRegex(Fail, f"^port {port} is busy: choose another one with --port"):
            run.main(["--port", str(port)])

    def test_next_free_port_is_taken_and_named(self):
        with busy_port() as port, mock.patch.object(run, "FIRST_PORT", port), mock.patch.object(run, "say") as say:
            found = run._free_port()
        self.assertGreater(found, port)
        say.assert_called_once_with(f"port {port} is busy, taking {found}")

    def test_no_port_is_free(self):
        with mock.patch.object(run, "_is_free", return_value=False), self.assertRaisesRegex(Fail, "all busy"):
            run._free_port()

"""Which wkhtmltopdf a served Odoo prints with."""

import os
import subprocess
from unittest import mock

from tools import apt, layout, printing
from tools.tests.common import FolderCase


class TestPrinting(FolderCase):
    def setUp(self):
        super().setUp()
        patcher = mock.patch.object(layout, "LOCAL", self.root)
        patcher.start()
        self.addCleanup(patcher.stop)

    def test_machine_has_one(self):
        self.write("wkhtmltopdf", mode=0o755)
        with mock.patch.dict(os.environ, PATH=str(self.root)):
            self.assertIsNone(printing.ensure())

    def test_what_is_unpacked_is_taken(self):
        (self.root / "wkhtmltopdf").mkdir()
        with mock.patch.dict(os.environ, PATH="/nowhere"):
            self.assertEqual(printing.ensure(), self.root / "wkhtmltopdf/bin")

    def test_without_one_odoo_is_served_and_it_is_said(self):
        with (
            mock.patch.dict(os.environ, PATH="/nowhere"),
            mock.patch.object(apt, "available", return_value=False),
            mock.patch.object(printing, "say") as say,
        ):
            self.assertIsNone(printing.ensure())
        self.assertIn("apt-get install wkhtmltopdf", say.call_args.args[0])
        self.assertFalse((self.root / "wkhtmltopdf").exists())

    def test_unpacked_one_finds_its_libraries_wherever_it_lies(self):
        echo = '#!/bin/sh\necho "$LD_LIBRARY_PATH $QT_PLUGIN_PATH $QT_QPA_PLATFORM" "$@"\n'
        self.write("made/root/usr/bin/wkhtmltopdf", echo, mode=0o755)
        self.write("made/root/usr/lib/some/libx.so.1")
        (self.root / "made/root/usr/lib/some/qt5/plugins").mkdir(parents=True)
        printing._wrap(self.root / "made")
        moved = (self.root / "made").rename(self.root / "moved to")
        output = subprocess.run([moved / "bin/wkhtmltopdf", "--version"], capture_output=True, text=True).stdout
        self.assertIn(f"{moved}/root/usr/lib/some", output)
        self.assertIn(f"{moved}/root/usr/lib/some/qt5/plugins offscreen --version", output)

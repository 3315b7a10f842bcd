"""Which browser the tests get."""

import os
import subprocess
from unittest import mock

from tools import browser, layout
from tools.console import Fail
from tools.tests.common import FolderCase


class TestBrowser(FolderCase):
    def test_named_one_comes_first(self):
        program = self.write("my chrome", '#!/bin/sh\necho mine "$@"\n', mode=0o755)
        with mock.patch.object(layout, "LOCAL", self.root), mock.patch.dict(os.environ, CHROME=str(program)):
            folder = browser.ensure()
        output = subprocess.run([folder / "google-chrome", "--version"], capture_output=True, text=True).stdout
        self.assertEqual(output, "mine --version\n")

    def test_named_one_is_missing(self):
        with mock.patch.dict(os.environ, CHROME="/nowhere/chrome"), self.assertRaisesRegex(Fail, "^CHROME=/nowhere/"):
            browser.ensure()

    def test_machine_has_one(self):
        self.write("chromium", mode=0o755)
        with mock.patch.dict(os.environ, {"PATH": str(self.root), "CHROME": "", "CHROMIUM": ""}):
            self.assertIsNone(browser.ensure())

    def test_packages_without_chromium(self):
        (self.root / "root").mkdir()
        with self.assertRaisesRegex(Fail, "no Chromium in its packages.*CHROME="):
            browser._wrap(self.root)

    def test_unpacked_one_finds_its_libraries_wherever_it_lies(self):
        self.write("made/root/usr/lib/chromium/chromium", '#!/bin/sh\necho "$LD_LIBRARY_PATH" "$@"\n', mode=0o755)
        self.write("made/root/usr/lib/some/libx.so.1")
        browser._wrap(self.root / "made")
        moved = (self.root / "made").rename(self.root / "moved to")
        output = subprocess.run([moved / "bin/chromium", "--headless"], capture_output=True, text=True).stdout
        self.assertIn(f"{moved}/root/usr/lib/some", output)
        self.assertIn(" --headless", output)

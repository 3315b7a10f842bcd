"""Keys of the cached databases, locks, and folders that appear complete or not at all."""

import subprocess
import sys
from unittest import mock

from tools import layout
from tools.tests.common import FolderCase


class TestAddons(FolderCase):
    def test_only_installable_ones(self):
        self.write("sales/__manifest__.py", "{'name': 'Sales'}")
        self.write("drafts/__manifest__.py", "{'name': 'Drafts', 'installable': False}")
        self.write("tools/module.py")
        with mock.patch.object(layout, "ROOT", self.root):
            self.assertEqual([addon.name for addon in layout.addons()], ["sales"])


class TestInstalledFiles(FolderCase):
    def names(self):
        return [str(path.relative_to(self.root)) for path in layout.installed_files(self.root)]

    def test_python_tests_and_documents_do_not_count(self):
        for name in ("models/lead.py", "tests/test_lead.py", "README.md", "LICENSE", "__pycache__/lead.pyc"):
            self.write(name)
        self.assertEqual(self.names(), ["models/lead.py"])

    def test_javascript_tests_are_in_the_bundles(self):
        self.write("static/tests/funnel.test.js")
        self.assertEqual(self.names(), ["static/tests/funnel.test.js"])


class TestDigest(FolderCase):
    def test_changes_with_content_and_name(self):
        one, other = self.write("one", "text"), self.write("other", "text")
        first = layout.digest(one)
        self.assertNotEqual(first, layout.digest(other))
        one.write_text("changed")
        self.assertNotEqual(first, layout.digest(one))

    def test_is_the_same_wherever_the_checkout_lies(self):
        digests = set()
        for checkout in ("here", "there"):
            file = self.write(f"{checkout}/file", "text")
            with mock.patch.object(layout, "ROOT", self.root / checkout):
                digests.add(layout.digest(file))
        self.assertEqual(len(digests), 1)

    def test_is_stable_and_keeps_parts_apart(self):
        self.assertEqual(layout.digest("a", "b"), layout.digest("a", "b"))
        self.assertNotEqual(layout.digest("ab", ""), layout.digest("a", "b"))


class TestLock(FolderCase):
    def test_one_holder_at_a_time(self):
        lock = layout.try_lock(self.root / "lock")
        self.assertIsNone(layout.try_lock(self.root / "lock"))
        lock.close()
        layout.try_lock(self.root / "lock").close()

    def test_lock_of_a_killed_process_is_free(self):
        program = (
            f"import sys, time, pathlib; sys.path.insert(0, {str(layout.ROOT)!r}); from tools import layout;"
            f"lock = layout.try_lock(pathlib.Path({str(self.root / 'lock')!r})); print(1, flush=True); time.sleep(60)"
        )
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        process.stdout.readline()
        self.assertIsNone(layout.try_lock(self.root / "lock"))
        process.kill()
        process.communicate()
        layout.try_lock(self.root / "lock").close()


class TestBuilt(FolderCase):
    def test_appears_complete_or_not_at_all(self):
        folder = self.root / "thing"
        with self.assertRaises(ZeroDivisionError), layout.built(folder) as partial:
            (partial / "half").touch()
            raise ZeroDivisionError
        self.assertFalse(folder.exists())
        with layout.built(folder) as partial:
            (partial / "whole").touch()
        self.assertEqual([path.name for path in folder.iterdir()], ["whole"])

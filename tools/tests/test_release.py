"""Which commit an upgrade is tested from, and that a clone without it says so."""

import subprocess
from unittest import mock

from tools import layout, release
from tools.console import Fail
from tools.tests.common import FolderCase


class TestRelease(FolderCase):
    def setUp(self):
        super().setUp()
        for name, value in (("ROOT", self.root), ("LOCAL", self.root / ".local")):
            patcher = mock.patch.object(layout, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)
        self.git("init", "--quiet")

    def git(self, *words):
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
        result = subprocess.run(["git", *identity, *words], cwd=self.root, check=True, capture_output=True, text=True)
        return result.stdout.strip()

    def commit(self, version, text=""):
        self.write(release.MANIFEST, repr({"name": "Sales", "version": version, "summary": text}))
        self.write("sales_opportunity_stages/models.py", f"VERSION = {version!r}\n")
        self.write("tools/other.py")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"{version} {text}")
        return self.git("rev-parse", "HEAD")

    def test_the_last_commit_of_the_version_before(self):
        self.commit("19.0.1.0.0")
        last = self.commit("19.0.1.0.0", "last")
        self.commit("19.0.2.0.0")
        self.commit("19.0.2.0.0", "more")
        self.assertEqual(release.previous(), last)

    def test_of_several_versions(self):
        self.commit("19.0.1.0.0")
        last = self.commit("19.0.2.0.0")
        self.commit("19.0.3.0.0")
        self.assertEqual(release.previous(), last)

    def test_its_add_ons_alone_are_unpacked(self):
        commit = self.commit("19.0.1.0.0")
        self.commit("19.0.2.0.0")
        folder = release.unpack(commit)
        self.assertEqual(release.addons(folder), ["sales_opportunity_stages"])
        self.assertIn("19.0.1.0.0", (folder / "sales_opportunity_stages/models.py").read_text())
        self.assertFalse((folder / "tools").exists())
        self.assertEqual(release.unpack(commit), folder)

    def test_there_is_none(self):
        self.commit("19.0.1.0.0")
        with self.assertRaisesRegex(Fail, "run it in a clone with the whole history"):
            release.previous()

    def test_a_shallow_clone_is_completed(self):
        last = self.commit("19.0.1.0.0")
        self.commit("19.0.2.0.0")
        self.git("clone", "--quiet", "--depth=1", f"file://{self.root}", "shallow")
        with mock.patch.object(layout, "ROOT", self.root / "shallow"), mock.patch.object(release, "say") as say:
            self.assertEqual(release.previous(), last)
        say.assert_called_once()

    def test_a_shallow_clone_that_cannot_be_completed(self):
        self.commit("19.0.1.0.0")
        self.commit("19.0.2.0.0")
        self.git("clone", "--quiet", "--depth=1", f"file://{self.root}", "shallow")
        self.git("-C", "shallow", "remote", "remove", "origin")
        with (
            mock.patch.object(layout, "ROOT", self.root / "shallow"),
            mock.patch.object(release, "say"),
            self.assertRaisesRegex(Fail, "run it in a clone with the whole history"),
        ):
            release.previous()

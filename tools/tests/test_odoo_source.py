"""Which Odoo is taken, and what is said about one that cannot be."""

import os
from unittest import mock

from tools import apt, layout, odoo_source
from tools.console import Fail
from tools.tests.common import FolderCase

RELEASE = "version_info = ({}, {}, 0, FINAL, 0, '')\n"


class TestGivenOdoo(FolderCase):
    def release(self, folder, major=19, minor=0):
        self.write(f"{folder}/odoo/release.py", RELEASE.format(major, minor))
        return self.root / folder

    def test_a_checkout_has_its_add_ons_beside_the_package(self):
        checkout = self.release("checkout")
        self.write("checkout/odoo-bin")
        source = odoo_source.find(checkout)
        self.assertEqual(source.addons_path, [checkout / "addons", checkout / "odoo/addons"])

    def test_an_unpacked_package_has_them_inside(self):
        home = self.release("unpacked/usr/lib/python3/dist-packages")
        self.assertEqual(odoo_source.find(self.root / "unpacked").addons_path, [home / "odoo/addons"])

    def test_variable_names_it(self):
        checkout = self.release("checkout")
        with mock.patch.dict(os.environ, ODOO_HOME=str(checkout)):
            self.assertEqual(odoo_source.find().home, checkout)

    def test_other_version_is_refused(self):
        for major, minor in ((18, 0), (19, 1), ("'saas~19'", 2)):
            with self.assertRaisesRegex(Fail, r"these add-ons are for 19\.0: .*--odoo PATH"):
                odoo_source.find(self.release("other", major, minor))

    def test_folder_without_odoo_is_refused(self):
        with self.assertRaisesRegex(Fail, rf"^there is no Odoo at {self.root} "):
            odoo_source.find(self.root)

    def test_two_commits_are_two_versions(self):
        checkout = self.release("checkout")
        self.write("checkout/.git/HEAD", "ref: refs/heads/19.0\n")
        self.write("checkout/.git/refs/heads/19.0", "1111\n")
        first = odoo_source.find(checkout).version
        self.write("checkout/.git/refs/heads/19.0", "2222\n")
        self.assertNotEqual(first, odoo_source.find(checkout).version)

    def test_language_without_translation_is_refused(self):
        checkout = self.release("checkout")
        self.write("checkout/addons/crm/i18n/zh_CN.po")
        self.write("checkout/addons/crm/i18n/fr.po")
        source = odoo_source.find(checkout)
        for code in ("zh_CN", "fr_BE", "en_US"):
            source.check_language(code)
        with self.assertRaisesRegex(Fail, "no translation to de_DE, only en_US, fr, zh_CN;"):
            source.check_language("de_DE")

    def test_only_odoo_is_importable(self):
        checkout = self.release("checkout")
        self.write("checkout/werkzeug/__init__.py")
        with mock.patch.object(layout, "LOCAL", self.root / "local"):
            folder = odoo_source.find(checkout).import_path
        self.assertEqual([path.name for path in folder.iterdir()], ["odoo"])


class TestFetch(FolderCase):
    def refused(self):
        with self.assertRaises(Fail) as caught:
            odoo_source._source_line()
        return str(caught.exception)

    def test_machine_without_apt(self):
        with mock.patch.object(apt, "available", return_value=False):
            self.assertIn("which this machine does not have", self.refused())

    def test_machine_without_a_debian_mirror(self):
        with (
            mock.patch.object(apt, "available", return_value=True),
            mock.patch.object(apt, "machine_mirror", return_value=None),
            mock.patch.dict(os.environ),
        ):
            os.environ.pop("DEBIAN_MIRROR", None)
            self.assertRegex(self.refused(), "DEBIAN_MIRROR.*--odoo PATH")

    def test_named_mirror_is_used(self):
        with (
            mock.patch.object(apt, "available", return_value=True),
            mock.patch.object(apt, "KEYRING", self.write("keyring.gpg")),
            mock.patch.dict(os.environ, DEBIAN_MIRROR="file:/mirror"),
        ):
            self.assertEqual(
                odoo_source._source_line(), f"deb [signed-by={self.root}/keyring.gpg] file:/mirror sid main"
            )

    def test_another_package_is_used_with_a_warning(self):
        package = self.write("odoo-19_19.0.1_all.deb", "newer")
        with mock.patch.object(odoo_source, "say") as say:
            odoo_source._warn_when_other(package)
        self.assertIn("warning: odoo-19_19.0.1_all.deb is newer", say.call_args[0][0])


class TestMirror(FolderCase):
    def test_found_among_the_addresses_of_an_update(self):
        listing = "'scheme:/mirror/dists/trixie/InRelease' x\n'scheme:/other/dists/trixie-security/InRelease' y\n"
        with (
            mock.patch.object(apt, "STATE", self.root),
            mock.patch.object(apt, "_os_release", return_value={"ID": "debian", "VERSION_CODENAME": "trixie"}),
            mock.patch.object(apt.subprocess, "run", return_value=mock.Mock(stdout=listing)),
        ):
            self.assertEqual(apt.machine_mirror(), "scheme:/mirror")

    def test_other_distributions_have_none(self):
        with mock.patch.object(apt, "_os_release", return_value={"ID": "ubuntu", "VERSION_CODENAME": "noble"}):
            self.assertIsNone(apt.machine_mirror())

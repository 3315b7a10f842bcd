"""What a wheel has to hold."""

import zipfile

from tools import wheels
from tools.console import Fail
from tools.tests.common import FolderCase

METADATA = "Name: odoo-addon-sales\nRequires-Dist: odoo==19.0.*\n\n# Sales\n"


class TestWheelContent(FolderCase):
    def wheel(self, metadata=METADATA, **files):
        path = self.root / "sales.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("sales-1.dist-info/METADATA", metadata)
            for name, text in files.items():
                archive.writestr(f"odoo/addons/sales/{name}", text)
        return path

    def test_complete(self):
        wheels.check_content(self.wheel(LICENSE="LGPL"))

    def test_without_licence(self):
        with self.assertRaisesRegex(Fail, r"sales\.whl holds no LICENSE"):
            wheels.check_content(self.wheel())

    def test_without_text(self):
        for metadata in (METADATA.partition("\n\n")[0] + "\n\n", METADATA.replace("odoo==", "django==")):
            with self.subTest(metadata), self.assertRaisesRegex(Fail, "does not say what it needs or what it is"):
                wheels.check_content(self.wheel(metadata, LICENSE="LGPL"))


class TestConfiguration(FolderCase):
    def test_checkout_is_not_on_the_path(self):
        """What is loaded comes from the wheels."""
        conf = self.write("odoo.conf", f"[options]\naddons_path = /odoo/addons,{wheels.layout.ROOT}\nport = 1\n")
        odoo = type("Odoo", (), {"configure": lambda self, name, port: conf})()
        self.assertNotIn(str(wheels.layout.ROOT), wheels._configure_without_checkout(odoo, "wheels").read_text())

import re
import struct
import unittest

from tools import draw_icons, layout, screenshots, take_screenshots


class TestScreenshots(unittest.TestCase):
    def test_store_page_shows_pictures_that_are_taken(self):
        page = (screenshots.STORE / "index.html").read_text()
        names = re.findall(r'src="(\w+)\.png"', page)
        self.assertGreater(len(names), 3)
        self.assertLessEqual(set(names), set(take_screenshots.PICTURES))

    def test_each_picture_is_there_and_of_its_width(self):
        for name in take_screenshots.PICTURES:
            with self.subTest(name):
                data = (screenshots.IMAGES / f"{name}.png").read_bytes()
                self.assertEqual(int.from_bytes(data[16:20], "big"), take_screenshots.WIDTH)

    def test_external_ids_of_the_add_on_need_no_module(self):
        self.assertEqual(take_screenshots.Demo._full("lead_x"), f"{take_screenshots.MODULE}.lead_x")
        self.assertEqual(take_screenshots.Demo._full("crm.x"), "crm.x")
        self.assertTrue((layout.ROOT / take_screenshots.MODULE).is_dir())


class TestIcons(unittest.TestCase):
    def test_each_add_on_has_one_with_its_drawing(self):
        for addon in layout.addons():
            with self.subTest(addon.name):
                drawing = (addon / "static/description/icon.svg").read_text()
                self.assertIn(f'width="{draw_icons.SIZE}" height="{draw_icons.SIZE}"', drawing)
                data = (addon / "static/description/icon.png").read_bytes()
                width, height, _depth, kind = struct.unpack(">IIBB", data[16:26])
                self.assertEqual((width, height), (draw_icons.SIZE,) * 2)
                self.assertEqual(kind, 6, "colours and transparency")

"""Which tests `./test` selects."""

import unittest

from tools import layout, test
from tools.database import APPS, UPGRADE


class TestSelected(unittest.TestCase):
    def test_all_but_those_that_need_other_applications(self):
        self.assertEqual(test._selected(None), [f"--ignore-glob=*/tests/{name}/*" for name in (*APPS, UPGRADE)])

    def test_those_alone(self):
        for name in (*APPS, UPGRADE):
            paths = test._selected(name)
            self.assertTrue(paths)
            for path in paths:
                self.assertTrue(list((layout.ROOT / path).glob("test_*.py")), path)

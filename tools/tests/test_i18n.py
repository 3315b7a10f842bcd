"""Where the translation files are exported from."""

import contextlib
import unittest
from unittest import mock

from tools import i18n, layout


class TestI18n(unittest.TestCase):
    def test_exports_from_a_demo_database_of_its_own(self):
        odoo = mock.Mock()
        odoo.server.prefix = "mine_"
        with (
            mock.patch.object(i18n.options, "odoo", return_value=contextlib.nullcontext(odoo)),
            mock.patch.object(i18n.layout, "locked", return_value=contextlib.nullcontext()),
            mock.patch.object(i18n, "Databases") as databases,
            mock.patch.object(i18n, "say"),
        ):
            self.assertEqual(i18n.main([]), 0)
        databases(odoo).demo.assert_called_once_with("mine_i18n")
        log = layout.LOGS / "mine_i18n-export.log"
        odoo.run_script.assert_called_once_with("exporting the terms", "mine_i18n", i18n.SCRIPT, log)
        self.assertTrue(i18n.SCRIPT.exists())

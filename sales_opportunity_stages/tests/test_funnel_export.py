import io
import json

import openpyxl

from odoo import http
from odoo.tests import HttpCase, tagged

from .common import OpportunityStagesSetup


@tagged("post_install", "-at_install")
class TestFunnelExport(OpportunityStagesSetup, HttpCase):
    """The stage-promotion table as a spreadsheet."""

    TABLE = {
        "title": "Funnel of Project Sale, 2026-03-20",
        "subtitle": "Expected Closing: 2026",
        "sheet": "Funnel of Project Sale, 2026-03",
        "columns": [
            {"title": "Reached", "kind": "integer"},
            {"title": "Expected Revenue", "kind": "monetary"},
            {"title": "Step Rate", "kind": "rate"},
            {"title": "Days in Stage", "kind": "days"},
        ],
        "rows": [
            {"title": "=Project Sale", "indent": 0, "values": []},
            {"title": "Contact", "indent": 1, "values": [44, 3727750.5, 0.7727272727272727, 10.4]},
            {"title": "Won", "indent": 1, "values": [9, 701385, None, None]},
        ],
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_pipeline()

    def _export(self, table):
        self.authenticate(self.salesman.login, self.salesman.login)
        data = {"data": json.dumps(table), "csrf_token": http.Request.csrf_token(self)}
        return self.url_open("/opportunity_funnel/export_xlsx", data=data)

    def test_figures_and_formats(self):
        answer = self._export(self.TABLE)
        self.assertIn("Funnel%20of%20Project%20Sale%202026-03-20.xlsx", answer.headers["Content-Disposition"])
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        self.assertEqual((sheet["A1"].value, sheet["A2"].value), (self.TABLE["title"], "Expected Closing: 2026"))
        self.assertEqual([cell.value for cell in sheet[4]][1:], [column["title"] for column in self.TABLE["columns"]])
        self.assertEqual(
            [(cell.value, cell.number_format) for cell in sheet[6]][1:],
            [(44, "#,##0"), (3727750.5, "#,##0.00"), (0.7727272727272727, "0.0%"), (10.4, "0.0")],
        )
        self.assertIsNone(sheet["D7"].value, "a rate that there is none of is no zero")

    def test_a_text_is_no_formula(self):
        sheet = openpyxl.load_workbook(io.BytesIO(self._export(self.TABLE).content)).active
        self.assertEqual((sheet["A5"].value, sheet["A5"].data_type), ("=Project Sale", "s"))

    def test_nothing_to_export(self):
        self.assertEqual(self._export({}).status_code, 422)

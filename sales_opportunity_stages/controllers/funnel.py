import io
import json

from werkzeug.exceptions import UnprocessableEntity

from odoo import http
from odoo.http import content_disposition, request
from odoo.tools import osutil

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NUMBER_FORMATS = {"integer": "#,##0", "monetary": "#,##0.00", "rate": "0.0%", "days": "0.0"}
TITLE_WIDTH, COLUMN_WIDTH = 36, 16


class FunnelExport(http.Controller):
    @http.route("/opportunity_funnel/export_xlsx", type="http", auth="user", readonly=True)
    def export_xlsx(self, data, **kwargs):
        """Return the stage-promotion table that the browser shows as a spreadsheet.

        Odoo's export of a pivot knows no percentages and no line that says what was searched for.

        :param data: a JSON document: ``title`` ``sheet`` ``subtitle`` ``columns`` (``title`` ``kind``) ``rows``
            (``title`` ``indent`` ``values``)
        """
        table = json.loads(data.read() if hasattr(data, "read") else data)
        if not table:
            raise UnprocessableEntity
        filename = osutil.clean_filename(f"{table['title']}.xlsx")
        headers = [("Content-Type", XLSX), ("Content-Disposition", content_disposition(filename))]
        return request.make_response(FunnelWorkbook(table).to_bytes(), headers=headers)


class FunnelWorkbook:
    """The stage-promotion table on a sheet: its title, what was searched for, and a row for each stage."""

    def __init__(self, table):
        self.table = table

    def to_bytes(self):
        """Return the workbook as the bytes of an xlsx file."""
        import xlsxwriter  # as Odoo does: it takes long to load

        output = io.BytesIO()
        with xlsxwriter.Workbook(output, {"in_memory": True}) as workbook:
            self.sheet = workbook.add_worksheet(self.table["sheet"])
            self.bold = workbook.add_format({"bold": True})
            self.formats = {kind: workbook.add_format({"num_format": code}) for kind, code in NUMBER_FORMATS.items()}
            self._write_head(workbook.add_format({"bold": True, "bottom": 1, "align": "right", "text_wrap": True}))
            for index, row in enumerate(self.table["rows"], start=4):
                self._write_row(index, row)
        return output.getvalue()

    def _write_head(self, header):
        # texts are written as texts: one that starts with "=" is no formula
        self.sheet.write_string(0, 0, self.table["title"], self.bold)
        self.sheet.write_string(1, 0, self.table["subtitle"])
        self.sheet.set_column(0, 0, TITLE_WIDTH)
        self.sheet.set_column(1, len(self.table["columns"]), COLUMN_WIDTH)
        for index, column in enumerate(self.table["columns"], start=1):
            self.sheet.write_string(3, index, column["title"], header)
        self.sheet.freeze_panes(4, 1)

    def _write_row(self, index, row):
        self.sheet.write_string(index, 0, "    " * row["indent"] + row["title"], None if row["indent"] else self.bold)
        for place, (column, value) in enumerate(zip(self.table["columns"], row["values"], strict=False), start=1):
            if isinstance(value, (int, float)):
                self.sheet.write_number(index, place, value, self.formats[column["kind"]])

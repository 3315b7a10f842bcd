"""Quoted quantities no longer count what is ordered."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Compute the quoted and ordered quantities of all product lines that orders were made from."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    lines = env["sale.order.line"].search([("opportunity_line_id", "!=", False)]).opportunity_line_id
    for name in ("quoted_qty", "ordered_qty"):
        env.add_to_compute(lines._fields[name], lines)
    lines.flush_recordset(["quoted_qty", "ordered_qty"])

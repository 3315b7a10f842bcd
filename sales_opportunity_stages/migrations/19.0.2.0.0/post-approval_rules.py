"""Quotations are approved by a flow of rules: what the settings asked for is its first rule."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Make the rules from the settings; approvals stay given, and pending requests become steps."""
    if version:
        api.Environment(cr, SUPERUSER_ID, {})["sale.approval.rule"]._upgrade_to_flow()

from odoo.tools.sql import column_exists, create_column


def migrate(cr, version):
    """Make the columns of order lines before Odoo does, or it would compute them one by one."""
    if not version:
        return
    for column, kind in (("credit_uninvoiced", "numeric"), ("is_rest_closed", "bool")):
        if not column_exists(cr, "sale_order_line", column):
            create_column(cr, "sale_order_line", column, kind)

import logging

from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

from odoo.addons.sales_opportunity_stages.uninstall import Uninstallation

_logger = logging.getLogger(__name__)


def pre_init_hook(env):
    """Link the expenses that are there to the order that they are re-invoiced on, in one statement.

    It makes the columns before Odoo does, or it would compute them for every expense, one by one. What is linked
    already keeps it, so that running this again changes nothing.
    """
    for column in ("opportunity_id", "quotation_id", "customer_id"):
        if not column_exists(env.cr, "hr_expense", column):
            create_column(env.cr, "hr_expense", column, "int4")
    env.cr.execute(_link_reinvoiced_expenses())
    _logger.info("sales_opportunity_stages_expense: %d expenses linked to their orders", env.cr.rowcount)


def uninstall_hook(env):
    uninstallation = Uninstallation(env, "sales_opportunity_stages_expense")
    uninstallation.forget_references()
    uninstallation.release_records()


def _link_reinvoiced_expenses():
    """An opportunity that has gone to another company since is left out: its expenses have not."""
    return SQL(
        """
        UPDATE hr_expense
           SET quotation_id = sale_order.id,
               opportunity_id = lead.id,
               customer_id = sale_order.partner_id
          FROM sale_order
     LEFT JOIN crm_lead lead
            ON lead.id = sale_order.opportunity_id
           AND COALESCE(lead.company_id, sale_order.company_id) = sale_order.company_id
         WHERE sale_order.id = hr_expense.sale_order_id
           AND hr_expense.quotation_id IS NULL
           AND hr_expense.opportunity_id IS NULL
        """
    )

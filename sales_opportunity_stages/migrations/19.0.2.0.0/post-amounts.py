from odoo.api import SUPERUSER_ID, Environment
from odoo.tools import SQL

from odoo.addons.sales_opportunity_stages.hooks import give_orders_their_credit


def migrate(cr, version):
    """Recount what orders use of credit: by line, and with the captures and refunds of their payments."""
    if version:
        give_orders_their_credit(Environment(cr, SUPERUSER_ID, {}), SQL("TRUE"))

from odoo.api import SUPERUSER_ID, Environment

from odoo.addons.sales_opportunity_stages.change_history import ChangeHistory


def migrate(cr, version):
    """Fill the change ledger from the chatter, and send the weekly digest of the pipeline to team leaders."""
    if not version:
        return
    env = Environment(cr, SUPERUSER_ID, {})
    ChangeHistory(env).rebuild()
    env["digest.digest"]._subscribe_team_leaders(env["crm.team"].search([]))

from odoo.addons.sales_opportunity_stages.uninstall import Uninstallation


def uninstall_hook(env):
    """Leave nothing that looks at what goes along."""
    uninstallation = Uninstallation(env, "sales_opportunity_stages_stock")
    uninstallation.forget_references()
    uninstallation.release_records()

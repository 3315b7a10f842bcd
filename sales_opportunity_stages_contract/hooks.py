from odoo.addons.sales_opportunity_stages.uninstall import Uninstallation


def uninstall_hook(env):
    uninstallation = Uninstallation(env, "sales_opportunity_stages_contract")
    uninstallation.forget_references()
    uninstallation.release_records()

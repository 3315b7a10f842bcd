from odoo.addons.sales_opportunity_stages.hooks import forget_references


def uninstall_hook(env):
    forget_references(env, "sales_opportunity_stages_contract")

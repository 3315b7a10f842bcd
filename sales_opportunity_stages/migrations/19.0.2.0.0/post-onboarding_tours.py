from odoo import SUPERUSER_ID, api

MODULE = "sales_opportunity_stages"
ROLES = {
    "tour_salesperson": ("sales_team.group_sale_manager", "base.group_system"),
    "tour_manager": ("base.group_system",),
    "tour_credit": ("base.group_system",),
}
FORMER_DOMAIN = "['|', ('group_ids', '=', False), ('group_ids', 'in', user.all_group_ids.ids)]"
DOMAIN = (
    "['|', ('group_ids', '=', False), ('group_ids', 'in', user.all_group_ids.ids),"
    " ('except_group_ids', 'not in', user.all_group_ids.ids)]"
)


def migrate(cr, version):
    """Show each role its own tour alone: the shipped tours and their rule are not updated with the module."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name, groups in ROLES.items():
        tour = env.ref(f"{MODULE}.{name}", raise_if_not_found=False)
        if tour and not tour.except_group_ids:
            tour.except_group_ids = env["res.groups"].union(*(env.ref(group) for group in groups))
    rule = env.ref(f"{MODULE}.web_tour_tour_rule_group", raise_if_not_found=False)
    if rule and rule.domain_force == FORMER_DOMAIN:
        rule.domain_force = DOMAIN

from odoo import api, fields, models
from odoo.fields import Domain


class CrmLead(models.Model):
    _inherit = "crm.lead"

    on_credit_hold = fields.Boolean(
        compute="_compute_on_credit_hold",
        search="_search_on_credit_hold",
        compute_sudo=True,
        help="A quotation of this opportunity is on credit hold.",
    )

    @api.depends("order_ids.on_credit_hold")
    def _compute_on_credit_hold(self):
        for lead in self:
            lead.on_credit_hold = any(lead.order_ids.mapped("on_credit_hold"))

    @api.model
    def _get_counted_lists(self):
        return super()._get_counted_lists() | {"order_ids": {"on_credit_hold": False}}

    @api.model
    def _search_on_credit_hold(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("order_ids", "any!", [("on_credit_hold", "=", True)])

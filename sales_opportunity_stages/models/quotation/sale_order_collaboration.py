from odoo import fields, models


class SaleOrder(models.Model):
    """Related employees of a quotation or order."""

    _name = "sale.order"
    _inherit = ["sale.order", "sales.collaboration.mixin"]

    collaborator_ids = fields.Many2many(relation="sale_order_collaborator_rel", column1="order_id", column2="user_id")

    def _message_auto_subscribe_followers(self, updated_values, default_subtype_ids):
        followers = super()._message_auto_subscribe_followers(updated_values, default_subtype_ids)
        return followers + self._get_new_collaborator_followers(updated_values, default_subtype_ids)

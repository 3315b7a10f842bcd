from odoo import fields, models


class SaleCreditRequest(models.Model):
    """A request may be for transfers, which a credit unit that is over or late holds."""

    _inherit = "sale.credit.request"

    picking_ids = fields.Many2many("stock.picking", string="Transfers", readonly=True)

    def _get_involved_users(self):
        # sudo: who is involved counts, whoever asks
        return super()._get_involved_users() | self.sudo().picking_ids.sale_id.user_id

    def _tell(self, message):
        result = super()._tell(message)
        for picking in self.picking_ids:
            picking._message_log(body=message, author_id=self.env.user.partner_id.id)
        return result

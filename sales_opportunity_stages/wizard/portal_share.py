from odoo import models


class PortalShare(models.TransientModel):
    _inherit = "portal.share"

    def action_send_mail(self):
        """To share the page of a quotation is to send it."""
        if self.res_model == "sale.order":
            self.env["sale.order"].browse(self.res_id)._check_allowed("send")
        return super().action_send_mail()

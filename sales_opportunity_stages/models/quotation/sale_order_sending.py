from odoo import models


class SaleOrder(models.Model):
    """Sending a quotation to the customer: by mail, by marking it as sent, by sharing its page."""

    _inherit = "sale.order"

    def action_quotation_send(self):
        """:raise UserError: when one of them may not be sent"""
        self._check_may_hear_reasons()
        self._check_allowed("send")
        return super().action_quotation_send()

    def action_share(self):
        """:raise UserError: when one of them may not be sent"""
        self._check_may_hear_reasons()
        self._check_allowed("send")
        return super().action_share()

    def message_post(self, **kwargs):
        if self.env.context.get("mark_so_as_sent"):
            self._check_allowed("send")
        return super().message_post(**kwargs)

from odoo import models


class MailComposeMessage(models.TransientModel):
    _inherit = "mail.compose.message"

    def _action_send_mail(self, auto_commit=False):
        """A message without a template is conversation; with one it is the quotation, and that may not be allowed.

        The system's own messages, which no client can send, tell the customer of a payment: they go out.
        """
        sending = self.filtered(
            lambda composer: composer.model == "sale.order" and composer.template_id and not self.env.su
        )
        for composer in sending:
            self.env["sale.order"].browse(composer._evaluate_res_ids())._check_allowed("send")
        return super()._action_send_mail(auto_commit=auto_commit)

from odoo import models


class MailActivityType(models.Model):
    """A rule without a label of its own is named after its activity type."""

    _name = "mail.activity.type"
    _inherit = ["mail.activity.type", "sales.cached.label.mixin"]

from odoo.exceptions import UserError


class CreditRefusal(UserError):
    """An order was refused by the credit check. The web client offers to request credit in the dialog of the refusal.

    The arguments are those of Odoo's redirecting warning: its dialog shows this one, too.

    :param str message: why it was refused
    :param str action: id of the action behind the button
    :param str button: its label
    :param dict context: what the action is opened with
    """

    def __init__(self, message, action, button, context):
        super().__init__(message)
        self.args = (message, action, button, context)
        # where the dialog of the add-on is not loaded, such as in a shop, it is shown as any other refusal
        self.context = {"exception_class": "odoo.exceptions.UserError"}

    def __str__(self):
        return self.args[0]

from odoo import models
from odoo.exceptions import UserError


class SaleOrder(models.Model):
    """What may be done with a quotation or order, and why not: asked by the screens and by the one who refuses.

    The deeds: ``send`` ``approve`` ``sign`` ``pay`` ``confirm`` ``contract`` ``edit`` ``close`` ``cancel`` ``delete``.
    """

    _inherit = "sale.order"

    def _get_refusals(self, deed):
        """Why this may not be done with the order now. Extend it with the reasons of another rule.

        The same answer serves before the deed, to hide a button, and after it, to undo it: do not look at what the
        deed itself changes.

        :param str deed: one of the deeds above
        :returns: a list of sentences, each with its remedy; empty when it may be done
        """
        self.ensure_one()
        return []

    def _get_deed_titles(self):
        """``{deed: the sentence above the reasons}``."""
        return {
            "send": self.env._("%s cannot be sent."),
            "approve": self.env._("%s cannot be approved."),
            "sign": self.env._("%s cannot be signed."),
            "pay": self.env._("%s cannot be paid."),
            "confirm": self.env._("%s cannot be confirmed."),
            "contract": self.env._("No contract can be made from %s."),
            "edit": self.env._("%s cannot be changed."),
            "close": self.env._("%s cannot be closed."),
            "cancel": self.env._("%s cannot be cancelled."),
            "delete": self.env._("%s cannot be deleted."),
        }

    def _check_allowed(self, deed):
        """All or nothing, with every reason named.

        :param str deed: see :meth:`_get_refusals`
        :raise UserError: when it may not be done with one of the orders
        :raise AccessError: instead, for who may not be told why
        """
        # sudo: rules hold for everybody alike
        refusals = {order: reasons for order in self.sudo() if (reasons := order._get_refusals(deed))}
        if refusals:
            self.browse([order.id for order in refusals])._check_may_hear_reasons()
            title = self._get_deed_titles()[deed]
            raise UserError(
                "\n".join(" ".join([title % order.name, *reasons]) for order, reasons in list(refusals.items())[:20])
            )

    def _check_may_hear_reasons(self):
        """:raise AccessError: when the user may not read these orders, or is the customer, who may not read why"""
        self.check_access("read")
        self._check_field_access(self._fields["approval_state"], "read")

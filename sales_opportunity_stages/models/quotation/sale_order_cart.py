from odoo import api, models
from odoo.fields import Domain

from ...tools import OpenCarts


class SaleOrder(models.Model):
    """Carts of a website, where that application is installed: what is closed or approved is no cart.

    The customer begins another one, and what Odoo does with carts by itself leaves it alone: mails that remind of it,
    coupons that are taken back, archived products that are taken out, taxes after a change of the address. The methods
    concerned are named in ``app_operations``.
    """

    _inherit = "sale.order"

    @api.model
    def _get_cart_domain(self):
        """Return a domain on quotations of websites that may be carts. Extend it with what else is none."""
        return Domain("approval_state", "=", "open")

    @api.model
    def _search(self, domain, *args, **kwargs):
        if OpenCarts.of(self):
            domain = Domain(domain) & (self._get_cart_domain() | Domain("website_id", "=", False))
        return super()._search(domain, *args, **kwargs)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.model
    def _search(self, domain, *args, **kwargs):
        if OpenCarts.of(self):
            carts = self.env["sale.order"]._get_cart_domain() | Domain("website_id", "=", False)
            domain = Domain(domain) & Domain("order_id", "any", carts)
        return super()._search(domain, *args, **kwargs)

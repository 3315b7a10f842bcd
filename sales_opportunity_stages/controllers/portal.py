import logging

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import request

from odoo.addons.sale.controllers.portal import CustomerPortal, PaymentPortal

from ..tools import Acceptance

_logger = logging.getLogger(__name__)


class SignaturePortal(CustomerPortal):
    @http.route()
    def portal_quote_accept(self, order_id, access_token=None, name=None, signature=None):
        """Keep the signature of a customer whose page was opened while signing was allowed.

        Odoo prints the signed order. Where it cannot print, the signature is not kept, and the customer is told so.
        """
        request.update_context(**Acceptance("portal").as_context(request.env.context))
        try:
            with request.env.cr.savepoint():
                return super().portal_quote_accept(order_id, access_token=access_token, name=name, signature=signature)
        except UserError:
            if request.env["ir.actions.report"].get_wkhtmltopdf_state() != "install":
                raise
            _logger.error("A customer could not sign order %s: wkhtmltopdf is not installed", order_id)
            return {"error": request.env._("Your signature could not be saved. Please contact us.")}


class QuotationPaymentPortal(PaymentPortal):
    @http.route()
    def portal_order_transaction(self, order_id, access_token, **kwargs):
        """Start no payment of what may not be paid.

        :raise UserError: which the payment form shows
        """
        try:
            order_sudo = self._document_check_access("sale.order", order_id, access_token)
        except (AccessError, MissingError):
            return super().portal_order_transaction(order_id, access_token, **kwargs)
        if order_sudo._get_refusals("pay"):  # the reasons are not for customers
            raise UserError(request.env._("%s cannot be paid at the moment: please contact us.", order_sudo.name))
        return super().portal_order_transaction(order_id, access_token, **kwargs)

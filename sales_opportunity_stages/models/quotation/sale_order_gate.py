from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_list

from ...tools import Acceptance, OrderOperation


class SaleOrder(models.Model):
    """What can be done with a quotation or order, and why not: asked by the screens and by the check of a change.

    The operations are :class:`OrderOperation`; their reasons come from the ordered list :meth:`_get_refusal_rules`.
    """

    _inherit = "sale.order"

    @api.model
    def _get_refusal_rules(self):
        """Return the rules that refuse an operation, as ``(position, name of a method)``.

        Each method takes the operation and returns sentences, each with its remedy. A rule below position 10 is final:
        where it refuses, the others are not asked. To add a rule, add a row.
        """
        return [
            (0, "_refuse_closed"),
            (10, "_refuse_by_state"),
            (20, "_refuse_by_opportunity"),
            (30, "_refuse_by_approval"),
            (40, "_refuse_by_contract"),
        ]

    def _get_refusals(self, operation):
        """Return why an operation is not possible with the order now.

        The same answer serves before the operation, to hide a button, and after it, to undo it: rules do not look at
        what the operation itself changes.

        :param str operation: value of an :class:`OrderOperation`
        :raise ValueError: for an unknown operation
        :returns: a list of sentences, each with its remedy; empty when it is possible
        """
        self.ensure_one()
        operation = OrderOperation(operation).value
        refusals = []
        for position, name in sorted(self._get_refusal_rules()):
            refusals += getattr(self, name)(operation)
            if refusals and position < 10:
                break
        return refusals

    def _refuse_by_state(self, operation):
        is_quotation = self.state in ("draft", "sent")
        if operation in ("request", "approve", "contract", "append") and not is_quotation:
            return [self.env._("The order is already confirmed or cancelled.")]
        if operation == "close" and self.state == "sale":
            return [self.env._("It is a confirmed order: only a quotation can be closed.")]
        return []

    def _get_operation_titles(self):
        """Return ``{operation: the sentence above the reasons}``, with the name of this order."""
        self.ensure_one()
        name = self.name
        return {
            "send": self.env._("%s cannot be sent.", name),
            "request": self.env._("No approval can be requested for %s.", name),
            "approve": self.env._("%s cannot be approved.", name),
            "unapprove": self.env._("The approval of %s cannot be withdrawn.", name),
            "refuse": self.env._("%s cannot be refused.", name),
            "return": self.env._("%s cannot be returned for change.", name),
            "withdraw": self.env._("The approval request for %s cannot be withdrawn.", name),
            "sign": self.env._("%s cannot be signed.", name),
            "pay": self.env._("%s cannot be paid.", name),
            "confirm": self.env._("%s cannot be confirmed.", name),
            "contract": self.env._("No contract can be made from %s.", name),
            "edit": self.env._("%s cannot be changed.", name),
            "append": self.env._("Nothing can be added to %s.", name),
            "close": self.env._("%s cannot be closed.", name),
            "reopen": self.env._("%s cannot be reopened.", name),
            "cancel": self.env._("%s cannot be cancelled.", name),
            "delete": self.env._("%s cannot be deleted.", name),
        }

    def _format_refusals(self, operation, refusals):
        """Return one text of the refused orders and their reasons, the first 20 of them.

        :param dict refusals: ``{order: sentences}``
        """
        return "\n".join(
            " ".join([order._get_operation_titles()[operation], *reasons])
            for order, reasons in list(refusals.items())[:20]
        )

    def _check_allowed(self, operation):
        """Refuse an operation for all orders where one of them does not allow it, with every reason named.

        :param str operation: see :meth:`_get_refusals`
        :raise UserError: when it is not possible with one of the orders
        :raise AccessError: instead, for users who may not read the orders
        """
        # sudo: rules hold for everybody alike
        refusals = {order: reasons for order in self.sudo() if (reasons := order._get_refusals(operation))}
        if not refusals:
            return
        refused = self.browse([order.id for order in refusals])
        refused._check_may_hear_reasons()
        raise UserError(refused._format_refusals(operation, refusals))

    def _check_may_hear_reasons(self, *models):
        """Refuse without reasons for customers and for users who may not read the orders, whatever mode they run in.

        :param models: names of models that the reasons tell of, which the user has to be able to read too
        :raise AccessError: naming the order and whom to ask
        """
        acceptance = Acceptance.of(self)
        if acceptance and acceptance.is_kept:
            return  # the reasons reach the salesperson alone
        # sudo: names of orders that were given, and of who is responsible for them
        names = format_list(self.env, self.sudo().mapped("name"))
        if self.env.user.share:
            raise AccessError(self.env._("This is not possible with %s at the moment. Please contact us.", names))
        readable = self.sudo(False)
        if not all(records.has_access("read") for records in (readable, *(readable.env[name] for name in models))):
            raise AccessError(
                self.env._(
                    "This is not possible with %(orders)s at the moment. Ask the salesperson: %(users)s.",
                    orders=names,
                    users=format_list(self.env, self.sudo().user_id.mapped("name") or [self.env._("none")]),
                )
            )

    def _check_operations(self, change):
        """Check the operation that a new state of an order stands for."""
        for operation, state in (("send", "sent"), ("confirm", "sale"), ("cancel", "cancel")):
            self.filtered(
                lambda order, state=state: order.state == state and change.was(order).get("state", "draft") != state
            )._check_allowed(operation)

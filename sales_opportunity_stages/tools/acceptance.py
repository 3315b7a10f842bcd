"""What a customer has done cannot be undone by what may not be done with the order."""

ACCEPTED_FIELDS = frozenset({"signature", "signed_by", "signed_on"})

CONTEXT_KEY = "sale_order_acceptance"


class Acceptance:
    """Says, in the context, that the customer has already signed or paid.

    Only an instance is believed, and an object cannot arrive by RPC.

    :param str origin: ``portal`` or ``payment``
    """

    def __init__(self, origin):
        self.origin = origin


def accepting(records, origin):
    """The same records, in the middle of an acceptance by the customer: keep it, whatever may come of it."""
    return records.with_context(**{CONTEXT_KEY: Acceptance(origin)})


def get_acceptance(records):
    """Where the customer has just signed or paid, or None."""
    acceptance = records.env.context.get(CONTEXT_KEY)
    return acceptance.origin if isinstance(acceptance, Acceptance) else None

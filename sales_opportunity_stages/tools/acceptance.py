"""What a customer has done cannot be undone by what may not be done with the order."""

ACCEPTED_FIELDS = frozenset({"signature", "signed_by", "signed_on"})

CONTEXT_KEY = "sale_order_acceptance"
ACCEPTANCE = object()


def accepting(records):
    """The same records, in the middle of an acceptance by the customer: keep it, whatever may come of it.

    What is carried is an object of this module, which cannot arrive by RPC.
    """
    return records.with_context(**{CONTEXT_KEY: ACCEPTANCE})


def is_accepting(records):
    """Whether the customer has already signed or paid, in this call."""
    return records.env.context.get(CONTEXT_KEY) is ACCEPTANCE

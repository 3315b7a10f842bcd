from . import test_credit_at_delivery

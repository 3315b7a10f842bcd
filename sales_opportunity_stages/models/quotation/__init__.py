"""Quotations and orders: sending, approval, content, closing, order source and the customer's acceptance.

``sale_order`` is where every change of an order is seen; credit is in ``credit``."""

from . import sale_order
from . import sale_order_gate
from . import sale_order_opportunity
from . import sale_order_portal
from . import sale_order_approval
from . import sale_order_author
from . import sale_order_content
from . import sale_order_contract
from . import sale_order_close
from . import sale_order_source
from . import sale_order_collaboration
from . import sale_order_from_opportunity
from . import sale_order_sending
from . import sale_order_acceptance
from . import sale_order_line
from . import sale_order_cart
from . import app_operations
from . import payment_transaction

"""Tests that need other applications of Odoo: ``./test --with apps`` runs them in a database that has these."""

from . import test_app_operations
from . import test_approval_margin
from . import test_cart
from . import test_delivery
from . import test_event
from . import test_expense
from . import test_manufacturing
from . import test_payment
from . import test_pos_sale
from . import test_promotion
from . import test_quotation_apps
from . import test_repair
from . import test_sale_stock
from . import test_service
from . import test_stock

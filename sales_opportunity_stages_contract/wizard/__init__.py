from . import sale_blanket_order_wizard
from . import sale_credit_dry_run

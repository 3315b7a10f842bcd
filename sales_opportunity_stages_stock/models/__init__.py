from . import sale_credit_request
from . import stock_picking
from . import sale_order

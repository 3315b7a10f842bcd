from . import sale_blanket_order
from . import sale_blanket_order_line
from . import sale_order
from . import sale_order_line
from . import crm_lead

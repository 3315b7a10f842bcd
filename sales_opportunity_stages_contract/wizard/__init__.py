from . import sale_blanket_order_wizard

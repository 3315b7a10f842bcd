from . import sales_expense_mixin
from . import hr_expense
from . import crm_lead
from . import sale_order

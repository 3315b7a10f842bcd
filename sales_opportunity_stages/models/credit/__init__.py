"""Credit units: limit and term on the customer, exposure, the check at confirmation and growth, and its decisions."""

from . import res_partner_credit
from . import res_partner_credit_unit
from . import res_partner_credit_access
from . import res_partner_credit_documents
from . import res_partner_credit_projection
from . import sale_credit_authority
from . import sale_credit_grant
from . import sale_credit_exposure
from . import sale_credit_recount
from . import sale_credit_lock
from . import sale_credit_check
from . import sale_credit_request
from . import account_move
from . import account_move_credit
from . import account_move_line
from . import payment_transaction_credit
from . import sale_order_line_credit
from . import sale_order_credit
from . import sale_order_credit_hold
from . import sale_order_credit_recheck
from . import sale_order_rest
from . import crm_lead_credit

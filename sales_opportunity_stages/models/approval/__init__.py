"""The approval flow (审批流): rules, the ledger of its steps, requests and decisions, deputies and escalation.

What an approval is, and what it freezes, is in ``quotation``: ``sale_order_approval`` and ``sale_order_content``."""

from . import sale_approval_rule
from . import sale_approval_dry_run
from . import res_company_approval
from . import res_users_deputy
from . import sale_order_criteria
from . import sale_order_four_eyes
from . import sale_order_approval
from . import sale_order_flow
from . import sale_order_decision
from . import sale_order_following
from . import sale_order_asking
from . import sale_order_queue
from . import approval_escalation
from . import mail_activity_approval
from . import approval_upgrade

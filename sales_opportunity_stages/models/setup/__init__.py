"""What an administrator sets and checks: company settings, the onboarding tours and the consistency check."""

from . import res_company
from . import res_config_settings
from . import sales_consistency
from . import sales_ledger_seal
from . import web_tour_tour
from . import sales_consistency_ledger

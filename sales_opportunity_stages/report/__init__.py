from . import crm_lead_report_mixin
from . import crm_deadline_report
from . import crm_funnel_report

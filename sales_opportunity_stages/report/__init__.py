from . import crm_lead_report_mixin
from . import crm_deadline_report
from . import crm_funnel_report
from . import crm_competition_report
from . import crm_pipeline_report
from . import crm_stage_visit_report

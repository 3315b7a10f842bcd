from . import crm_lead_assign
from . import crm_lead_lost
from . import crm_lead_stage_force
from . import crm_lead_to_opportunity
from . import mail_activity_schedule

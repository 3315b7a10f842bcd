from . import crm_lead_stage_force, crm_lead_to_opportunity, mail_activity_schedule

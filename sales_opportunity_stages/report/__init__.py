from . import crm_deadline_report

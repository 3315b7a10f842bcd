"""The opportunity: its type, the gate between stages, visits, promotion, and what it carries (product lines, contacts,
competitors, deadline). ``crm_lead`` is where every change of stage is seen."""

from . import res_partner
from . import crm_lead
from . import crm_lead_type
from . import crm_opportunity_line
from . import crm_lead_line
from . import crm_lead_collaboration
from . import crm_opportunity_contact
from . import crm_competing_product
from . import crm_opportunity_competitor
from . import crm_lead_gate
from . import crm_lead_signoff
from . import crm_lead_guidance
from . import crm_lead_standing
from . import crm_lead_outcome
from . import ir_attachment
from . import crm_lead_visit
from . import crm_lead_change
from . import crm_lead_ledger
from . import crm_lead_promotion
from . import crm_lead_checklist
from . import crm_lead_merge
from . import crm_lead_competition
from . import crm_lead_deadline
from . import crm_lead_order
from . import crm_lead_funnel
from . import crm_lead_overview
from . import crm_lead_parts
from . import crm_lead_opening
from . import crm_team_pipeline
from . import digest_digest
from . import crm_team_digest

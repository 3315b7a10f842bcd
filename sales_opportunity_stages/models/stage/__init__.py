"""Opportunity types, stages, stage rules, stage visits and the activities that count for a stage.

An opportunity's own side of them (gate, visits, promotion) is in ``opportunity``."""

from . import crm_opportunity_type
from . import crm_opportunity_type_demo
from . import crm_opportunity_type_learning
from . import crm_opportunity_type_options
from . import crm_stage
from . import crm_stage_guidance
from . import crm_stage_learned_probability
from . import crm_stage_learning
from . import crm_stage_rule
from . import crm_stage_rule_signoff
from . import crm_stage_visit
from . import crm_team
from . import mail_activity
from . import mail_activity_type

from .acceptance import ACCEPTED_FIELDS, CONTEXT_KEY, Acceptance, accepting, get_acceptance
from . import learned_probability
from .stage_map import Rule, Stage, StageMap, Type
from .stage_move import DerivedValues, StageChange, StageMove

from .acceptance import ACCEPTED_FIELDS, CONTEXT_KEY, Acceptance, accepting, get_acceptance
from .stage_map import Rule, Stage, StageMap, Type
from .stage_move import DerivedValues, StageMove

from .acceptance import ACCEPTANCE, ACCEPTED_FIELDS, CONTEXT_KEY, accepting, is_accepting
from .stage_map import Rule, Stage, StageMap, Type
from .stage_move import DerivedValues, StageMove

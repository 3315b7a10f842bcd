from .stage_map import Rule, Stage, StageMap, Type
from .stage_move import DerivedValues, StageMove

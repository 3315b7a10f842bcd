from . import test_stage_gate

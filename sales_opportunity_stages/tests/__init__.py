from . import (
    test_json_rpc,
    test_opportunity_type,
    test_stage_checklist,
    test_stage_gate,
    test_stage_rules,
    test_stage_visit,
    test_tours,
)

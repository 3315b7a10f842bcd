from . import test_demo
from . import test_json_rpc
from . import test_opportunity_type
from . import test_stage_checklist
from . import test_stage_gate
from . import test_stage_rules
from . import test_stage_visit
from . import test_tours

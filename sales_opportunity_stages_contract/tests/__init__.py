from . import test_contract_as_approved
from . import test_contract_json_rpc
from . import test_contract_life_cycle
from . import test_contract_making
from . import test_contract_orders
from . import test_contract_traps
from . import test_order_or_contract
from . import test_public_methods

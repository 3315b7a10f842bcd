from . import common
from . import test_expense_access
from . import test_expense_json_rpc
from . import test_expense_life_cycle
from . import test_expense_link
from . import test_expense_posting
from . import test_expense_total
from . import test_install

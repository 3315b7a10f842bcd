from . import learned_probability
from .approval import AMOUNT, ApprovalTerms, get_criteria, get_digest
from .change import Change, ChangeStack
from .order_operation import OrderOperation
from .server_token import (
    CONTEXT_KEY,
    Acceptance,
    ActivityChain,
    DerivedValues,
    LeadImport,
    LeadMerge,
    LedgerWrite,
    OpenCarts,
    ServerToken,
    StageMove,
    UnruledActivity,
)
from .stage_map import Rule, Stage, StageMap, Type

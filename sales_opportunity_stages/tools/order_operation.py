from enum import Enum


class OrderOperation(str, Enum):
    """What can be done with a quotation or order. An unknown word raises ``ValueError`` instead of being allowed."""

    SEND = "send"
    REQUEST = "request"
    APPROVE = "approve"
    UNAPPROVE = "unapprove"
    REFUSE = "refuse"
    RETURN = "return"
    WITHDRAW = "withdraw"
    SIGN = "sign"
    PAY = "pay"
    CONFIRM = "confirm"
    CONTRACT = "contract"
    EDIT = "edit"
    APPEND = "append"
    CLOSE = "close"
    REOPEN = "reopen"
    CANCEL = "cancel"
    DELETE = "delete"

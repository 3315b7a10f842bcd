from . import sale_credit_request_create

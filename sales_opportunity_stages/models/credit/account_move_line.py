from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    # What a credit unit has open, whatever it has paid: Odoo's own index of what is not reconciled also has every line
    # of an account that never is. With the amounts, it is added up without a look at the lines.
    _credit_residual_idx = models.Index(
        "(partner_id, account_id, company_id) INCLUDE (amount_residual, invoice_date, date) "
        "WHERE reconciled IS NOT TRUE AND parent_state = 'posted' AND amount_residual <> 0"
    )

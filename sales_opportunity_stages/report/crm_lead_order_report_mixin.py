from odoo import models
from odoo.tools import SQL


class CrmLeadReportMixin(models.AbstractModel):
    """What was ordered and invoiced of opportunities: amounts without taxes, of confirmed orders.

    They are in the currency of the order's company, at the rate of the order's date (``currency_rate``).
    """

    _inherit = "crm.lead.report.mixin"
    _depends = {
        "sale.order": ["amount_untaxed", "company_id", "currency_rate", "opportunity_id", "state"],
        "sale.order.line": ["order_id", "untaxed_amount_invoiced"],
    }

    def _get_order_joins(self) -> dict[str, SQL]:
        """Return the joins of ``ordered`` and ``invoiced``, with an ``amount`` for each opportunity."""
        lines = SQL(
            """
            JOIN (SELECT order_id, SUM(untaxed_amount_invoiced) AS invoiced
                    FROM sale_order_line GROUP BY order_id) line ON line.order_id = sale.id
            """
        )
        return {
            "ordered": self._join_orders("ordered", SQL("sale.amount_untaxed"), SQL("")),
            "invoiced": self._join_orders("invoiced", SQL("line.invoiced"), lines),
        }

    def _join_orders(self, alias, amount, joins) -> SQL:
        return SQL(
            """
            LEFT JOIN (SELECT sale.opportunity_id,
                              SUM(ROUND(%(amount)s / COALESCE(NULLIF(sale.currency_rate, 0), 1),
                                        currency.decimal_places)) AS amount
                         FROM sale_order sale
                         JOIN res_company seller ON seller.id = sale.company_id
                         JOIN res_currency currency ON currency.id = seller.currency_id
                         %(joins)s
                        WHERE sale.state = 'sale' AND sale.opportunity_id IS NOT NULL
                        GROUP BY sale.opportunity_id) %(alias)s ON %(alias)s.opportunity_id = lead.id
            """,
            amount=amount,
            joins=joins,
            alias=SQL.identifier(alias),
        )

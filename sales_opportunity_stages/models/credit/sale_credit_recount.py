from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL, split_every
from odoo.tools.sql import column_exists

BATCH = 500


class SaleCreditRecount(models.AbstractModel):
    """Credit worked out another way than while working: from the documents themselves, whatever is stored of them.

    Orders are recounted by one statement over their lines, invoices and payments; draft invoices document by document;
    receivables from every posted entry and what is matched with it. The check of a database compares this with what is
    in use.
    """

    _name = "sale.credit.recount"
    _description = "Recount of Credit"

    # ------------------------------------------------------------
    # Orders
    # ------------------------------------------------------------

    @api.model
    def _select_orders(self, condition):
        """Return a row for each order: its id and what it uses, or would use, in the currency of its company.

        NULL where a line delivers what was never ordered: only the taxes of the line tell what that comes to.

        :param SQL condition: on ``sale_order``
        """
        return SQL(
            """
            WITH recounted AS (
                SELECT sale_order.id, sale_order.state, sale_order.amount_total, sale_order.currency_rate,
                       sale_order.company_id, COALESCE(BOOL_OR(line.uninvoiced <> 0), FALSE) AS any_left,
                       BOOL_OR(line.uninvoiced IS NULL) AS unknown,
                       SUM(line.uninvoiced) AS uninvoiced, SUM(line.price_total) AS ordered,
                       SUM(line.invoiced) FILTER (WHERE line.is_downpayment) AS advance
                  FROM sale_order
             LEFT JOIN (%(lines)s) line ON line.order_id = sale_order.id
                 WHERE %(condition)s
                 GROUP BY sale_order.id)
            SELECT recounted.id, recounted.state,
                   CASE WHEN unknown AND recounted.state = 'sale' THEN NULL
                        WHEN recounted.state <> 'sale' OR NOT any_left THEN 0
                        ELSE ROUND(GREATEST(COALESCE(uninvoiced, 0) + amount_total - COALESCE(ordered, 0)
                                            - GREATEST(COALESCE(advance, 0), 0) - COALESCE(received.amount, 0), 0)
                                   / COALESCE(NULLIF(currency_rate, 0), 1)::numeric, currency.decimal_places) END
                   AS amount
              FROM recounted
              JOIN res_company company ON company.id = recounted.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
         LEFT JOIN (%(received)s) received ON received.order_id = recounted.id
            """,
            lines=self._select_lines(condition),
            received=self._select_received(condition),
            condition=condition,
        )

    @api.model
    def _select_lines(self, condition):
        """Return a row for each line of the orders: what it has left, and what is invoiced of it, in the currency of
        the order."""
        return SQL(
            """
            SELECT id, order_id, is_downpayment, price_total, invoiced,
                   CASE WHEN display_type IS NOT NULL OR is_downpayment THEN 0
                        WHEN expected = 0 OR SIGN(expected) * (quantity - expected) > -%(precision)s THEN 0
                        WHEN ordered = 0 THEN NULL
                        WHEN price_total >= 0 THEN LEAST(GREATEST(rest, 0), amount)
                        ELSE GREATEST(LEAST(rest, 0), amount) END AS uninvoiced
              FROM (SELECT counted.*,
                           CASE WHEN expected = ordered THEN price_total
                                ELSE ROUND(price_total / NULLIF(ordered, 0) * expected, decimal_places) END AS amount,
                           CASE WHEN expected - quantity = ordered THEN price_total
                                ELSE ROUND(price_total / NULLIF(ordered, 0) * (expected - quantity), decimal_places)
                           END AS rest
                      FROM (SELECT line.id, line.order_id, line.display_type,
                                   COALESCE(line.is_downpayment, FALSE) AS is_downpayment,
                                   COALESCE(line.price_total, 0) AS price_total, line.product_uom_qty AS ordered,
                                   currency.decimal_places, %(expected)s AS expected,
                                   COALESCE(posted.quantity, 0) + %(settled_quantity)s AS quantity,
                                   COALESCE(posted.amount, 0) + %(settled_amount)s AS invoiced
                              FROM sale_order
                              JOIN sale_order_line line ON line.order_id = sale_order.id
                         LEFT JOIN res_currency currency ON currency.id = sale_order.currency_id
                         LEFT JOIN product_product product ON product.id = line.product_id
                         LEFT JOIN product_template template ON template.id = product.product_tmpl_id
                         LEFT JOIN LATERAL (%(posted)s) posted ON TRUE
                         %(settled)s
                             WHERE %(condition)s) counted) expected
            """,
            expected=self._get_expected_quantity(),
            posted=self._select_posted(),
            condition=condition,
            precision=10 ** -self.env["decimal.precision"].precision_get("Product Unit") / 2,
            **self._get_settled(),
        )

    @api.model
    def _get_expected_quantity(self):
        """Return what a ``line`` will have invoiced in the end."""
        more = SQL(
            "CASE WHEN ABS(line.qty_delivered) > ABS(line.product_uom_qty) THEN line.qty_delivered"
            " ELSE line.product_uom_qty END"
        )
        if self._has_column("stock_move", "sale_line_id"):
            more = SQL(
                """
                CASE WHEN EXISTS (SELECT FROM stock_move transfer WHERE transfer.sale_line_id = line.id)
                      AND NOT EXISTS (SELECT FROM stock_move transfer
                                        JOIN stock_location source ON source.id = transfer.location_id
                                       WHERE transfer.sale_line_id = line.id
                                         AND transfer.state NOT IN ('done', 'cancel')
                                         AND source.usage <> 'customer')
                     THEN line.qty_delivered ELSE %s END
                """,
                more,
            )
        return SQL(
            """
            CASE WHEN line.is_rest_closed THEN
                      CASE WHEN ABS(line.qty_delivered) >= ABS(COALESCE(posted.quantity, 0)) THEN line.qty_delivered
                           ELSE posted.quantity END
                 WHEN template.invoice_policy = 'delivery' THEN %s
                 ELSE line.product_uom_qty END
            """,
            more,
        )

    @api.model
    def _select_posted(self):
        """Return the quantity, in the unit of the ``line``, and the amount that posted invoices have of it."""
        return SQL(
            """
            SELECT SUM(sign * quantity) AS quantity, SUM(sign * amount) AS amount
              FROM (SELECT CASE WHEN move.move_type IN ('out_invoice', 'out_receipt', 'in_refund') THEN 1
                                ELSE -1 END AS sign,
                           item.quantity * COALESCE(unit.factor / line_unit.factor, 1)::numeric AS quantity,
                           CASE WHEN item.currency_id = line.currency_id THEN item.price_total
                                ELSE ROUND(item.price_total * %(line_rate)s / %(item_rate)s,
                                           currency.decimal_places) END AS amount
                      FROM sale_order_line_invoice_rel rel
                      JOIN account_move_line item ON item.id = rel.invoice_line_id
                      JOIN account_move move ON move.id = item.move_id
                 LEFT JOIN uom_uom unit ON unit.id = item.product_uom_id
                 LEFT JOIN uom_uom line_unit ON line_unit.id = line.product_uom_id
                     WHERE rel.order_line_id = line.id
                       AND (move.state = 'posted' OR move.payment_state = 'invoicing_legacy')) item
            """,
            line_rate=self._get_rate(SQL("line.currency_id"), SQL("move.invoice_date")),
            item_rate=self._get_rate(SQL("item.currency_id"), SQL("move.invoice_date")),
        )

    @api.model
    def _get_rate(self, currency, day):
        """Return the rate of a currency on a day, for the company of ``sale_order``, as Odoo finds it."""
        known = SQL(
            """
            SELECT rate.rate::numeric FROM res_currency_rate rate
             WHERE rate.currency_id = %s
               AND (rate.company_id IS NULL
                    OR rate.company_id = (SELECT SPLIT_PART(parent_path, '/', 1)::int FROM res_company
                                           WHERE id = sale_order.company_id))
            """,
            currency,
        )
        return SQL(
            """
            COALESCE((%(known)s AND rate.name <= COALESCE(%(day)s, CURRENT_DATE)
                      ORDER BY rate.company_id, rate.name DESC LIMIT 1),
                     (%(known)s ORDER BY rate.company_id, rate.name LIMIT 1), 1)
            """,
            known=known,
            day=day,
        )

    @api.model
    def _get_settled(self):
        """Return what point of sale orders have settled of the ``line``, where that app is installed."""
        if not self._has_column("pos_order_line", "sale_order_line_id"):
            return {"settled": SQL(""), "settled_quantity": SQL("0"), "settled_amount": SQL("0")}
        settled = SQL(
            """
            LEFT JOIN LATERAL (SELECT SUM(settling.qty * COALESCE(unit.factor / line_unit.factor, 1)::numeric)
                                      AS quantity,
                                      SUM(settling.price_subtotal_incl) AS amount
                                 FROM pos_order_line settling
                                 JOIN pos_order ON pos_order.id = settling.order_id
                            LEFT JOIN uom_uom unit ON unit.id = template.uom_id
                            LEFT JOIN uom_uom line_unit ON line_unit.id = line.product_uom_id
                                WHERE settling.sale_order_line_id = line.id
                                  AND pos_order.state NOT IN ('draft', 'cancel')) settled ON TRUE
            """
        )
        return {
            "settled": settled,
            "settled_quantity": SQL("COALESCE(settled.quantity, 0)"),
            "settled_amount": SQL("COALESCE(settled.amount, 0)"),
        }

    @api.model
    def _has_column(self, table, column):
        return column_exists(self.env.cr, table, column)

    # ------------------------------------------------------------
    # Payments
    # ------------------------------------------------------------

    @api.model
    def _select_received(self, condition):
        """Return a row for each order with payments that are not in the books: the amount, in its currency."""
        return SQL(
            """
            SELECT share.order_id, SUM(ROUND(share.amount, share.decimal_places)) AS amount
              FROM (SELECT sale_order.id AS order_id, sale_order.currency_id, order_currency.decimal_places,
                           received.amount * %(order_rate)s / %(payment_rate)s
                           * CASE WHEN totals.orders < 2 THEN 1
                                  WHEN totals.amount = 0 THEN 1.0 / totals.orders
                                  ELSE sale_order.amount_total / %(order_rate)s * %(payment_rate)s / totals.amount
                                  END AS amount
                      FROM sale_order
                      JOIN res_currency order_currency ON order_currency.id = sale_order.currency_id
                      JOIN sale_order_transaction_rel rel ON rel.sale_order_id = sale_order.id
                      JOIN payment_transaction payment ON payment.id = rel.transaction_id
                      JOIN (%(transactions)s) received ON received.id = payment.id
                      JOIN (SELECT others.transaction_id, COUNT(*) AS orders,
                                   SUM(sale_order.amount_total / %(order_rate)s * %(payment_rate)s) AS amount
                              FROM sale_order_transaction_rel others
                              JOIN sale_order ON sale_order.id = others.sale_order_id
                              JOIN payment_transaction payment ON payment.id = others.transaction_id
                             GROUP BY 1) totals ON totals.transaction_id = payment.id
                     WHERE %(condition)s
                       AND NOT EXISTS (SELECT FROM sale_order_transaction_rel source
                                        WHERE source.transaction_id = payment.source_transaction_id
                                          AND source.sale_order_id = sale_order.id)) share
             GROUP BY share.order_id
            """,
            order_rate=self._get_rate(SQL("sale_order.currency_id"), SQL("payment.last_state_change::date")),
            payment_rate=self._get_rate(SQL("payment.currency_id"), SQL("payment.last_state_change::date")),
            transactions=self._select_transactions(),
            condition=condition,
        )

    @api.model
    def _select_transactions(self):
        """Return a row for each transaction: what it and all that came of it have received and not booked."""
        return SQL(
            """
            WITH RECURSIVE family (root_id, id) AS (
                SELECT id, id FROM payment_transaction
                UNION ALL
                SELECT family.root_id, child.id
                  FROM family
                  JOIN payment_transaction child ON child.source_transaction_id = family.id)
            SELECT family.root_id AS id,
                   SUM(transaction.amount
                       - COALESCE((SELECT SUM(child.amount)
                                     FROM payment_transaction child
                                    WHERE child.source_transaction_id = transaction.id
                                      AND child.operation = transaction.operation
                                      AND child.state IN ('done', 'cancel')), 0)) AS amount
              FROM family
              JOIN payment_transaction transaction ON transaction.id = family.id
         LEFT JOIN account_payment payment ON payment.id = transaction.payment_id
         LEFT JOIN account_move move ON move.id = payment.move_id
             WHERE transaction.state IN ('authorized', 'done')
               AND payment.state IS DISTINCT FROM 'paid'
               AND move.state IS DISTINCT FROM 'posted'
             GROUP BY family.root_id
            """
        )

    # ------------------------------------------------------------
    # Draft invoices
    # ------------------------------------------------------------

    @api.model
    def _recount_drafts(self):
        """Return ``{draft customer invoice: amount that no order carries}``, in the currency of its company."""
        # sudo: all documents; the method is private and an administrator's
        drafts = (
            self.env["account.move"]
            .sudo()
            .search([("state", "=", "draft"), ("move_type", "in", ("out_invoice", "out_receipt"))], order="id")
        )
        taken = defaultdict(float)
        return {draft: self._recount_draft(draft, taken) for draft in drafts}

    @api.model
    def _recount_draft(self, draft, taken):
        """:param dict taken: what earlier drafts have taken of each order line; this one adds to it"""
        carried = 0.0
        lines = draft.line_ids.filtered(lambda line: line.display_type == "product")
        by_order_line = defaultdict(float)
        for line in lines:
            for order_line in line.sale_line_ids:
                by_order_line[order_line] += line.price_total
        for order_line, amount in by_order_line.items():
            carried += self._carry(draft, order_line, amount, taken[order_line])
            taken[order_line] += amount
        rest = sum(lines.mapped("price_total")) - carried
        if not carried:
            return draft.amount_total_signed
        if draft.currency_id.compare_amounts(rest, 0) <= 0:
            return 0.0
        return draft.company_currency_id.round(rest / (draft.invoice_currency_rate or 1.0))

    @api.model
    def _carry(self, draft, order_line, amount, taken):
        """Return what a confirmed order carries of an amount on a draft invoice."""
        order, smallest = order_line.order_id, draft.currency_id.rounding
        if order.state != "sale":
            return 0.0
        if order_line.is_downpayment:
            return amount if any(order.order_line.mapped("credit_uninvoiced")) else 0.0
        left = order_line.credit_uninvoiced
        if order.currency_id != draft.currency_id:
            left *= (draft.invoice_currency_rate or 1.0) / (order.currency_rate or 1.0)
        sign = 1 if amount > 0 else -1
        left = sign * (left - taken)
        return amount if sign * amount <= left + smallest + 1e-9 else sign * max(left, 0.0)

    # ------------------------------------------------------------
    # Units
    # ------------------------------------------------------------

    @api.model
    def _recount_units(self, root):
        """Return ``{unit id: [receivable, uninvoiced, draft invoiced]}`` in a tree of companies.

        :param root: the company at its top
        """
        # sudo: all of the tree counts; the method is private and an administrator's
        tree = self.env["res.company"].sudo().with_context(active_test=False).search([("id", "child_of", root.id)])
        amounts = defaultdict(lambda: [0.0, 0.0, 0.0])
        for partner_id, total in self.env.execute_query(self._select_receivables(tree)):
            amounts[self.env["res.partner"].browse(partner_id)._get_credit_unit().id][0] += float(total)
        orders = SQL("sale_order.state = 'sale' AND sale_order.company_id = ANY(%s)", tree.ids)
        for order_id, _state, amount in self.env.execute_query(self._select_orders(orders)):
            order = self.env["sale.order"].sudo().browse(order_id)
            for unit in order._get_credit_partners()._get_credit_unit():
                amounts[unit.id][1] += float(order.credit_uninvoiced if amount is None else amount)
        for draft, amount in self._recount_drafts().items():
            if draft.company_id in tree and draft.partner_id:
                amounts[draft.partner_id._get_credit_unit().id][2] += amount
        return amounts

    @api.model
    def _select_receivables(self, tree):
        """Return a row for each partner: its posted receivables, less what is matched with each of them."""
        return SQL(
            """
            SELECT line.partner_id,
                   SUM(line.balance
                       - COALESCE((SELECT SUM(amount) FROM account_partial_reconcile
                                    WHERE debit_move_id = line.id), 0)
                       + COALESCE((SELECT SUM(amount) FROM account_partial_reconcile
                                    WHERE credit_move_id = line.id), 0))
              FROM account_move_line line
              JOIN account_account account ON account.id = line.account_id
             WHERE account.account_type = 'asset_receivable'
               AND line.parent_state = 'posted'
               AND line.partner_id IS NOT NULL
               AND line.company_id = ANY(%s)
             GROUP BY line.partner_id
            """,
            tree.ids,
        )

    # ------------------------------------------------------------
    # Differences
    # ------------------------------------------------------------

    @api.model
    def _find_differences(self):
        """Yield (sentence, model, id) of the orders and units whose credit in use is another than recounted."""
        yield from self._find_wrong_orders()
        # sudo: all companies; the method is private and an administrator's
        for root in self.env["res.company"].sudo().search([("parent_id", "=", False)]):
            yield from self._find_wrong_units(root)

    @api.model
    def _find_wrong_orders(self):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT sale_order.id
                  FROM sale_order
                  JOIN (%s) recounted ON recounted.id = sale_order.id
                 WHERE ABS(COALESCE(sale_order.credit_uninvoiced, 0) - recounted.amount) > 0.000001
                 ORDER BY sale_order.id
                """,
                self._select_orders(SQL("sale_order.state = 'sale'")),
            )
        )
        for (order_id,) in rows:
            yield "uses another amount of credit than it has left to invoice", "sale.order", order_id

    @api.model
    def _find_wrong_units(self, root):
        recounted = self._recount_units(root)
        compare = root.currency_id.compare_amounts
        # sudo: all units; the method is private and an administrator's
        Exposures = self.env["sale.credit.exposure"].sudo()
        for ids in split_every(BATCH, sorted(recounted)):
            standings = Exposures._get_standings(ids, root)
            for unit_id in ids:
                exposure = standings[unit_id].exposure
                used = (exposure.receivable, exposure.uninvoiced, exposure.draft_invoiced)
                if any(compare(one, other) for one, other in zip(used, recounted[unit_id], strict=True)):
                    yield "has another exposure than its documents add up to", "res.partner", unit_id

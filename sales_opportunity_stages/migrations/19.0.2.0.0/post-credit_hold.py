def migrate(cr, version):
    """Put the quotations on hold whose last credit decision blocked them."""
    cr.execute(
        """
        UPDATE sale_order
           SET on_credit_hold = TRUE
          FROM (SELECT DISTINCT ON (rel.sale_order_id) rel.sale_order_id AS order_id, decision.result
                  FROM sale_credit_check_sale_order_rel rel
                  JOIN sale_credit_check decision ON decision.id = rel.sale_credit_check_id
                 ORDER BY rel.sale_order_id, decision.id DESC) last
         WHERE last.order_id = sale_order.id
           AND last.result = 'blocked'
           AND sale_order.state IN ('draft', 'sent')
           AND sale_order.approval_state <> 'closed'
           AND sale_order.on_credit_hold IS NOT TRUE
        """
    )

"""Record who has worked on the quotations that may still be approved: so far the lines told."""

from odoo.tools import SQL


def migrate(cr, version):
    """Fill the authors of open quotations from the users of their lines."""
    cr.execute(
        SQL(
            """
            INSERT INTO sale_order_author_rel (order_id, user_id)
                 SELECT DISTINCT o.id, worker.id
                   FROM sale_order o
                   JOIN res_company c ON c.id = o.company_id AND c.quotation_approval = 'required'
                   JOIN sale_order_line l ON l.order_id = o.id
                   JOIN res_users worker ON worker.id IN (l.create_uid, l.write_uid)
                  WHERE o.state IN ('draft', 'sent')
                    AND worker.id <> 1
            ON CONFLICT DO NOTHING
            """
        )
    )

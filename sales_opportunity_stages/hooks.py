import logging

from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

from .history import StageHistory
from .uninstall import Uninstallation

_logger = logging.getLogger(__name__)

STANDARD_TYPE = "sales_opportunity_stages.opportunity_type_standard"


def pre_init_hook(env):
    """Make the columns and the table before Odoo does, or it would compute them for every opportunity, one by one."""
    for table, column, kind in (
        ("crm_lead", "opportunity_type_id", "int4"),
        ("crm_lead", "furthest_stage_id", "int4"),
        ("sale_order", "order_source", "varchar"),
        ("sale_order", "credit_received", "numeric"),
        ("sale_order", "credit_uninvoiced", "numeric"),
        ("res_partner", "credit_unit_id", "int4"),
    ):
        if not column_exists(env.cr, table, column):
            create_column(env.cr, table, column, kind)
    env.cr.execute(
        """
        CREATE TABLE IF NOT EXISTS crm_lead_collaborator_rel (
            lead_id int4 NOT NULL, user_id int4 NOT NULL, PRIMARY KEY (lead_id, user_id));
        CREATE INDEX IF NOT EXISTS crm_lead_collaborator_rel_user_id_lead_id_idx
            ON crm_lead_collaborator_rel (user_id, lead_id)
        """
    )


def post_init_hook(env):
    """Let an existing database go on as before: all that is there becomes *Standard Sale*, in a few statements.

    What has been given something already keeps it, so that running this again changes nothing.
    """
    standard = env.ref(STANDARD_TYPE)
    env.flush_all()
    _run(env, "stages given a type", give_stages_a_type(standard))
    _run(env, "stages given a probability", _spread_probabilities(standard))
    _run(env, "opportunities given a type", _give_opportunities_a_type(standard))
    StageHistory(env, standard).rebuild()
    _run(env, "planned activities put into their stay", _place_activities())
    _run(env, "orders given a source", _give_orders_a_source(env))
    _run(env, "orders given what they use of credit", _give_orders_their_credit())
    _compute_remaining_credit(env)
    env.cr.execute("ANALYZE crm_stage_visit")
    env.invalidate_all()
    env.registry.clear_cache()


def _run(env, what, query):
    env.cr.execute(query)
    _logger.info("sales_opportunity_stages: %d %s", env.cr.rowcount, what)


def give_stages_a_type(standard):
    """Make the stages that are of no type, and so open to all, stages of the standard type."""
    return SQL(
        """
        INSERT INTO crm_opportunity_type_stage_rel (opportunity_type_id, stage_id)
             SELECT %s, stage.id
               FROM crm_stage stage
              WHERE NOT EXISTS (SELECT FROM crm_opportunity_type_stage_rel rel WHERE rel.stage_id = stage.id)
        ON CONFLICT DO NOTHING
        """,
        standard.id,
    )


def _spread_probabilities(standard):
    """Even steps up to 100 %, for the day the type is switched to probabilities from the stage."""
    return SQL(
        """
        UPDATE crm_stage stage
           SET probability = ranked.probability
          FROM (SELECT s.id,
                       CASE WHEN s.is_won THEN 100
                            ELSE ROUND(100.0 * ROW_NUMBER() OVER by_rank / (COUNT(*) OVER () + 1)) END AS probability
                  FROM crm_stage s
                  JOIN crm_opportunity_type_stage_rel rel ON rel.stage_id = s.id AND rel.opportunity_type_id = %s
                WINDOW by_rank AS (ORDER BY COALESCE(s.is_won, FALSE), s.sequence, s.id)) ranked
         WHERE ranked.id = stage.id
           AND COALESCE(stage.probability, 0) = 0
        """,
        standard.id,
    )


def _give_opportunities_a_type(standard):
    return SQL(
        """
        UPDATE crm_lead
           SET opportunity_type_id = %s, furthest_stage_id = stage_id, initial_date_deadline = date_deadline
         WHERE type = 'opportunity' AND opportunity_type_id IS NULL
        """,
        standard.id,
    )


def _place_activities():
    """Activities planned since the opportunity stands where it stands belong to that stay."""
    return SQL(
        """
        UPDATE mail_activity activity
           SET stage_visit_id = visit.id
          FROM crm_stage_visit visit
         WHERE activity.res_model = 'crm.lead'
           AND activity.res_id = visit.lead_id
           AND activity.active
           AND activity.stage_visit_id IS NULL
           AND visit.date_end IS NULL
           AND activity.create_date >= visit.date_start
        """
    )


def _give_orders_a_source(env):
    """As far as it can be told afterwards: the website's carts by their website, what was sent by the note of it."""
    on_website = SQL("website_id IS NOT NULL") if column_exists(env.cr, "sale_order", "website_id") else SQL("FALSE")
    return SQL(
        """
        UPDATE sale_order
           SET order_source =
               CASE WHEN %(on_website)s THEN 'other'
                    WHEN state = 'sale'
                         AND EXISTS (SELECT FROM mail_message message
                                      WHERE message.model = 'sale.order'
                                        AND message.res_id = sale_order.id
                                        AND message.subtype_id = %(sent)s) THEN 'quotation'
                    WHEN opportunity_id IS NOT NULL THEN 'opportunity'
                    ELSE 'manual' END
         WHERE order_source IS NULL
        """,
        on_website=on_website,
        sent=env.ref("sale.mt_order_sent").id,
    )


def _give_orders_their_credit():
    """What confirmed orders have not invoiced, for all but those that :func:`_compute_remaining_credit` takes one by
    one: invoiced in another currency, or paid online."""
    return SQL(
        """
        UPDATE sale_order
           SET credit_uninvoiced = computed.amount
          FROM (SELECT sale_order.id,
                       CASE WHEN sale_order.state <> 'sale' THEN 0
                            ELSE ROUND(GREATEST(sale_order.amount_total - COALESCE(invoiced.amount, 0), 0)
                                       / COALESCE(NULLIF(sale_order.currency_rate, 0), 1)::numeric, 6) END AS amount
                  FROM sale_order
     LEFT JOIN LATERAL (SELECT SUM(CASE move.move_type WHEN 'out_refund' THEN -line.price_total
                                                       ELSE line.price_total END) AS amount,
                               BOOL_AND(line.currency_id = sale_order.currency_id) AS same_currency
                          FROM sale_order_line
                          JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = sale_order_line.id
                          JOIN account_move_line line ON line.id = rel.invoice_line_id
                          JOIN account_move move ON move.id = line.move_id
                         WHERE sale_order_line.order_id = sale_order.id
                           AND (move.state = 'posted' OR move.payment_state = 'invoicing_legacy')) invoiced ON TRUE
                 WHERE sale_order.credit_uninvoiced IS NULL
                   AND invoiced.same_currency IS NOT FALSE
                   AND sale_order.id NOT IN (%s)) computed
         WHERE computed.id = sale_order.id
        """,
        _paid_and_not_in_books(),
    )


def _paid_and_not_in_books():
    """Ids of the orders that ``credit_received`` is more than nought of."""
    return SQL(
        """
        SELECT rel.sale_order_id
          FROM sale_order_transaction_rel rel
          JOIN payment_transaction transaction ON transaction.id = rel.transaction_id
     LEFT JOIN account_payment payment ON payment.id = transaction.payment_id
     LEFT JOIN account_move move ON move.id = payment.move_id
         WHERE transaction.state IN ('authorized', 'done')
           AND payment.state IS DISTINCT FROM 'paid'
           AND move.state IS DISTINCT FROM 'posted'
        """
    )


def _compute_remaining_credit(env):
    """The few orders that take currency rates or payments to work out."""
    query = SQL("SELECT id FROM sale_order WHERE credit_uninvoiced IS NULL OR id IN (%s)", _paid_and_not_in_books())
    orders = env["sale.order"].browse(row[0] for row in env.execute_query(query))
    for name in ("credit_received", "credit_uninvoiced"):
        env.add_to_compute(orders._fields[name], orders)
    env.flush_all()
    _logger.info("sales_opportunity_stages: %d orders worked out one by one", len(orders))


def uninstall_hook(env):
    """Leave the stages to Odoo, and nothing that looks at what goes along."""
    uninstallation = Uninstallation(env, "sales_opportunity_stages")
    uninstallation.forget_references()
    _take_back_rules(env)
    uninstallation.release_records()
    env["sale.credit.exposure"]._drop_functions()


def _take_back_rules(env):
    """A type takes its stages along when it is deleted, and a rule keeps its activity type from being deleted."""
    env["crm.stage.rule"].search([]).unlink()
    env.cr.execute("DELETE FROM crm_opportunity_type_stage_rel")
    env.invalidate_all()
    env.registry.clear_cache()

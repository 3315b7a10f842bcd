import logging

from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

from .change_history import ChangeHistory
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
        ("sale_order_line", "credit_uninvoiced", "numeric"),
        ("sale_order_line", "is_rest_closed", "bool"),
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
    ChangeHistory(env).rebuild()
    _run(env, "planned activities put into their stay", _place_activities())
    _run(env, "orders given a source", _give_orders_a_source(env))
    give_orders_their_credit(env, SQL("sale_order.credit_uninvoiced IS NULL"))
    env["digest.digest"]._subscribe_team_leaders(env["crm.team"].search([]))
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


def give_orders_their_credit(env, condition):
    """Store what orders and their lines use of credit, in a few statements, and compute the few that need taxes.

    :param SQL condition: on ``sale_order``
    """
    recount = env["sale.credit.recount"]
    received, lines, orders = (
        select(condition) for select in (recount._select_received, recount._select_lines, recount._select_orders)
    )
    for what, table, column, amount, rows in (
        ("orders given what is paid online", "sale_order", "credit_received", "amount", received),
        (
            "order lines given what they have left to invoice",
            "sale_order_line",
            "credit_uninvoiced",
            "uninvoiced",
            lines,
        ),
        ("orders given what they use of credit", "sale_order", "credit_uninvoiced", "amount", orders),
    ):
        _run(
            env,
            what,
            SQL(
                "UPDATE %(table)s SET %(column)s = computed.%(amount)s FROM (%(rows)s) computed"
                " WHERE computed.%(key)s = %(table)s.id AND %(table)s.%(column)s IS DISTINCT FROM computed.%(amount)s",
                table=SQL.identifier(table),
                column=SQL.identifier(column),
                amount=SQL.identifier(amount),
                rows=rows,
                key=SQL.identifier("order_id" if column == "credit_received" else "id"),
            ),
        )
    _compute_remaining_credit(env, lines, orders)


def _compute_remaining_credit(env, lines, orders):
    """Compute what no statement says: lines that deliver what was never ordered, and their orders."""
    for model, rows, column in (("sale.order.line", lines, "uninvoiced"), ("sale.order", orders, "amount")):
        query = SQL("SELECT id FROM (%s) computed WHERE %s IS NULL", rows, SQL.identifier(column))
        records = env[model].browse(row[0] for row in env.execute_query(query))
        env.add_to_compute(records._fields["credit_uninvoiced"], records)
    env.flush_all()


def uninstall_hook(env):
    """Leave the stages to Odoo, and nothing that looks at what goes along."""
    uninstallation = Uninstallation(env, "sales_opportunity_stages")
    uninstallation.forget_references()
    _take_back_rules(env)
    uninstallation.release_records()
    env["sale.credit.exposure"]._drop_functions()
    env["ir.config_parameter"].search([("key", "like", "sales_opportunity_stages.lead_change_%")]).unlink()


def _take_back_rules(env):
    """A type takes its stages along when it is deleted, and a rule keeps its activity type from being deleted."""
    env["crm.stage.rule"].search([]).unlink()
    env.cr.execute("DELETE FROM crm_opportunity_type_stage_rel")
    env.invalidate_all()
    env.registry.clear_cache()

"""How long installing the add-on takes in a database full of opportunities, compared with an empty one.

Copies a database that has Odoo's ``sale_crm`` and ``sale_management`` but not the add-on, twice; fills one copy with
opportunities that have moved and orders, installs the add-on in both, each in a process of its own, looks whether what
it has made of them is right, and drops the copies::

    python benchmarks/install.py --config odoo.conf --template native --count 200000 --moves 1000000 --orders 100000
"""

import argparse
import multiprocessing
import time

import odoo.modules.module
import odoo.service.db
from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.sql_db import close_db, db_connect

ADDON = "sales_opportunity_stages"
OPPORTUNITIES = """
    INSERT INTO crm_lead (
                name, type, active, stage_id, team_id, company_id, user_id, email_from, expected_revenue, probability,
                automated_probability, won_status, priority, message_bounce, create_uid, write_uid, create_date,
                write_date, date_open, date_last_stage_update, date_closed)
         SELECT 'Opportunity ' || n, 'opportunity', status <> 'lost',
                CASE status WHEN 'won' THEN won.id ELSE open_stages.ids[1 + n %% CARDINALITY(open_stages.ids)] END,
                team.id, company.id, 2, 'customer' || n || '@example.com', n %% 90000, chance, chance, status,
                '0', 0, 1, 1, made, made, made, made + INTERVAL '9 days',
                CASE WHEN status <> 'pending' THEN made + INTERVAL '30 days' END
           FROM GENERATE_SERIES(1, %(count)s) n,
        LATERAL (SELECT CASE WHEN n %% 10 < 5 THEN 'pending' WHEN n %% 10 < 8 THEN 'lost' ELSE 'won' END AS status,
                        NOW() AT TIME ZONE 'UTC' - n %% 900 * INTERVAL '1 day' - INTERVAL '31 days' AS made) lead,
        LATERAL (SELECT CASE status WHEN 'won' THEN 100 WHEN 'lost' THEN 0 ELSE 30 END AS chance) odds,
                (SELECT ARRAY_AGG(id ORDER BY sequence) AS ids FROM crm_stage WHERE is_won IS NOT TRUE) open_stages,
                (SELECT MIN(id) AS id FROM crm_stage WHERE is_won) won,
                (SELECT MIN(id) AS id FROM crm_team) team,
                (SELECT MIN(id) AS id FROM res_company) company
"""
ACTIVITIES = """
    INSERT INTO mail_activity (
                res_model, res_model_id, res_id, res_name, activity_type_id, user_id, date_deadline, active, automated,
                create_uid, write_uid, create_date, write_date)
         SELECT 'crm.lead', model.id, lead.id, lead.name, type.id, 2, CURRENT_DATE, TRUE, FALSE, 1, 1,
                lead.date_last_stage_update + INTERVAL '1 day', lead.date_last_stage_update + INTERVAL '1 day'
           FROM crm_lead lead,
                (SELECT id FROM ir_model WHERE model = 'crm.lead') model,
                (SELECT MIN(id) AS id FROM mail_activity_type WHERE res_model IS NULL) type
          WHERE lead.won_status = 'pending'
"""
# Each opportunity goes round the open stages, each move a message, and ends where it stands; besides, a message when it
# is lost, one about the salesperson and one that tracks nothing.
MOVES = """
    CREATE TEMPORARY TABLE move ON COMMIT DROP AS
         SELECT NEXTVAL('mail_message_id_seq') AS id, lead.id AS lead_id, lead.won_status AS status, what,
                what = 'move' AND number = %(moves)s AS is_last,
                CASE what WHEN 'lost' THEN lead.date_closed
                          ELSE lead.create_date + number * INTERVAL '9 days' / %(moves)s END AS date,
                stages.ids[1 + (lead.id + %(moves)s - number + 1) %% CARDINALITY(stages.ids)] AS old_id,
                CASE WHEN number = %(moves)s AND lead.stage_id <> ALL(stages.ids) THEN lead.stage_id
                     ELSE stages.ids[1 + (lead.id + %(moves)s - number) %% CARDINALITY(stages.ids)] END AS new_id
           FROM crm_lead lead
     CROSS JOIN GENERATE_SERIES(1, %(moves)s + 3) number
     CROSS JOIN (SELECT ARRAY_AGG(id ORDER BY sequence) AS ids FROM crm_stage WHERE is_won IS NOT TRUE) stages,
        LATERAL (SELECT (ARRAY['lost', 'salesperson', 'note'])[number - %(moves)s] AS extra) extra,
        LATERAL (SELECT COALESCE(extra, 'move') AS what) kind
          WHERE what <> 'lost' OR lead.won_status = 'lost'
       ORDER BY date;

    UPDATE crm_lead lead
       SET stage_id = move.new_id
      FROM move
     WHERE move.lead_id = lead.id AND move.is_last AND lead.stage_id <> move.new_id;

    INSERT INTO mail_message (
                id, model, res_id, date, message_type, subtype_id, message_id, create_uid, write_uid, create_date,
                write_date)
         SELECT move.id, 'crm.lead', lead_id, date, 'notification', subtype.res_id,
                '<' || move.id || '-openerp-' || lead_id || '-crm.lead@example.com>', 2, 2, date, date
           FROM move
           JOIN ir_model_data subtype
             ON subtype.module || '.' || subtype.name = CASE WHEN what = 'lost' THEN 'crm.mt_lead_lost'
                                                             WHEN what <> 'move' THEN 'mail.mt_note'
                                                             WHEN is_last AND status = 'won' THEN 'crm.mt_lead_won'
                                                             ELSE 'crm.mt_lead_stage' END;

    INSERT INTO mail_tracking_value (
                mail_message_id, field_id, old_value_integer, new_value_integer, old_value_char, new_value_char,
                create_uid, create_date)
         SELECT move.id, field.id,
                CASE field.name WHEN 'stage_id' THEN old_id WHEN 'user_id' THEN 1 WHEN 'active' THEN 1 END,
                CASE field.name WHEN 'stage_id' THEN new_id WHEN 'user_id' THEN 2 WHEN 'active' THEN 0 END,
                CASE field.name WHEN 'won_status' THEN 'Pending' END,
                CASE field.name WHEN 'won_status' THEN CASE status WHEN 'won' THEN 'Won' ELSE 'Lost' END END,
                2, date
           FROM move
           JOIN ir_model_fields field
             ON field.model = 'crm.lead'
            AND CASE field.name WHEN 'stage_id' THEN what = 'move'
                                WHEN 'user_id' THEN what = 'salesperson'
                                WHEN 'active' THEN what = 'lost'
                                WHEN 'won_status' THEN what = 'lost' OR is_last AND status = 'won' END
"""
# A customer for each 20 orders. Of ten, four are quotations and six orders, half of these from opportunities; of the
# six three are not invoiced, one is invoiced in part, two are invoiced in full. Each has three lines of 100.
ORDERS = """
    CREATE TEMPORARY TABLE customer ON COMMIT DROP AS
         SELECT NEXTVAL('res_partner_id_seq')::int AS id, number
           FROM GENERATE_SERIES(0, %(orders)s / 20) number;

    INSERT INTO res_partner (
                id, name, complete_name, type, is_company, active, autopost_bills, commercial_partner_id, lang,
                create_uid, write_uid, create_date, write_date)
         SELECT id, 'Customer ' || number, 'Customer ' || number, 'contact', TRUE, TRUE, 'ask', id, 'en_US', 1,
                1, NOW(), NOW()
           FROM customer;

    CREATE TEMPORARY TABLE made ON COMMIT DROP AS
         SELECT NEXTVAL('sale_order_id_seq')::int AS id, n, customer.id AS partner_id, lead.id AS lead_id,
                CASE WHEN n %% 10 < 3 THEN 'draft' WHEN n %% 10 < 4 THEN 'sent' ELSE 'sale' END AS state,
                CASE n %% 10 WHEN 7 THEN 1 WHEN 8 THEN 3 WHEN 9 THEN 3 ELSE 0 END AS invoiced,
                NOW() AT TIME ZONE 'UTC' - n %% 900 * INTERVAL '1 day' AS date
           FROM GENERATE_SERIES(1, %(orders)s) n
           JOIN customer ON customer.number = n / 20
      LEFT JOIN (SELECT id, ROW_NUMBER() OVER (ORDER BY id) * 2 AS number FROM crm_lead WHERE type = 'opportunity') lead
             ON lead.number = n;

    INSERT INTO sale_order (
                id, name, state, partner_id, partner_invoice_id, partner_shipping_id, company_id, currency_id,
                currency_rate, date_order, opportunity_id, user_id, team_id, amount_untaxed, amount_tax, amount_total,
                invoice_status, create_uid, write_uid, create_date, write_date)
         SELECT made.id, 'S' || made.id, state, partner_id, partner_id, partner_id, company.id, company.currency_id, 1,
                date, lead_id, 2, (SELECT MIN(id) FROM crm_team), 300, 0, 300,
                CASE WHEN state <> 'sale' THEN 'no' WHEN invoiced = 3 THEN 'invoiced' ELSE 'to invoice' END, 2, 2, date,
                date
           FROM made, (SELECT id, currency_id FROM res_company ORDER BY id LIMIT 1) company;

    INSERT INTO sale_order_line (
                order_id, sequence, name, product_id, product_uom_id, product_uom_qty, qty_invoiced, price_unit,
                discount, customer_lead, company_id, currency_id, order_partner_id, state, price_subtotal, price_tax,
                price_total, create_uid, write_uid, create_date, write_date)
         SELECT made.id, number, 'Line ' || number, product.id, template.uom_id, 1, (number <= invoiced)::int, 100,
                0, 0, company.id, company.currency_id, partner_id, made.state, 100, 0, 100, 2, 2, date, date
           FROM made
     CROSS JOIN GENERATE_SERIES(1, 3) number
     CROSS JOIN (SELECT id, currency_id FROM res_company ORDER BY id LIMIT 1) company
     CROSS JOIN (SELECT id, product_tmpl_id FROM product_product ORDER BY id LIMIT 1) product
           JOIN product_template template ON template.id = product.product_tmpl_id;

    INSERT INTO account_move (
                id, name, state, payment_state, move_type, auto_post, date, invoice_date, journal_id, company_id,
                currency_id, partner_id, commercial_partner_id, amount_total, amount_residual, create_uid, write_uid,
                create_date, write_date)
         SELECT NEXTVAL('account_move_id_seq'), 'B' || made.id, 'posted', 'not_paid', 'out_invoice', 'no', date, date,
                journal.id, company.id, company.currency_id, partner_id, partner_id, 100 * invoiced, 100 * invoiced,
                2, 2, date, date
           FROM made, (SELECT id, currency_id FROM res_company ORDER BY id LIMIT 1) company,
                (SELECT MIN(id) AS id FROM account_journal WHERE type = 'sale') journal
          WHERE invoiced > 0;

    CREATE TEMPORARY TABLE billed ON COMMIT DROP AS
         SELECT NEXTVAL('account_move_line_id_seq')::int AS id, line.id AS line_id, move.id AS move_id,
                line.price_total, line.currency_id, line.company_id, line.order_partner_id, move.date
           FROM made
           JOIN account_move move ON move.name = 'B' || made.id
           JOIN sale_order_line line ON line.order_id = made.id AND line.sequence <= invoiced;

    INSERT INTO account_move_line (
                id, move_id, parent_state, currency_id, company_id, company_currency_id, partner_id, account_id,
                display_type, date, quantity, price_unit, price_subtotal, price_total, balance, amount_currency, debit,
                credit)
         SELECT billed.id, move_id, 'posted', currency_id, company_id, currency_id, order_partner_id, account.id,
                'product', date, 1, price_total, price_total, price_total, -price_total, -price_total, 0, price_total
           FROM billed, (SELECT MIN(id) AS id FROM account_account WHERE account_type = 'income') account;

    INSERT INTO sale_order_line_invoice_rel (order_line_id, invoice_line_id) SELECT line_id, id FROM billed
"""
FILLED = (
    *("crm_lead", "mail_activity", "mail_message", "mail_tracking_value", "sale_order", "sale_order_line"),
    *("account_move", "account_move_line", "sale_order_line_invoice_rel"),
)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="a configuration of Odoo whose addons_path has the add-on")
    parser.add_argument("--template", required=True, help="the database to copy")
    parser.add_argument("--count", type=int, default=200_000, help="opportunities (default: %(default)s)")
    parser.add_argument("--moves", type=int, default=1_000_000, help="of all of them (default: %(default)s)")
    parser.add_argument("--orders", type=int, default=100_000, help="and quotations (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="do not drop the copies")
    return parser.parse_args()


def configure(config):
    odoo.tools.config.parse_config(
        ["-c", config, "--log-level=error", "--log-handler=odoo.addons.sales_opportunity_stages:INFO"]
    )
    odoo.tools.config["db_name"] = []  # only databases named here could be dropped
    odoo.tools.config["list_db"] = True


def copy(template, database):
    odoo.service.db.exp_duplicate_database(template, database)
    close_db(database)
    close_db(template)


def fill(database, count, moves, orders):
    """Half of the opportunities are pending, each with a planned activity; the rest were lost or won."""
    with db_connect(database).cursor() as cr:
        cr.execute(OPPORTUNITIES, {"count": count})
        if moves:
            cr.execute(MOVES, {"moves": max(moves // count, 1)})
        cr.execute(ACTIVITIES)
        if orders:
            cr.execute(ORDERS, {"orders": orders})
        for table in FILLED:
            cr.execute(f"ANALYZE {table}")
    close_db(database)


def install(config, database):
    """Install the add-on; return the seconds of all of it and of its hooks, the visits that there are then, and how
    many things are found that must never be, such as an order that uses a wrong amount of credit.

    To be called in a process that has loaded nothing yet.
    """
    configure(config)
    odoo.modules.module.initialize_sys_path()
    addon = __import__(f"odoo.addons.{ADDON}", fromlist=["post_init_hook"])
    spent = []
    for name in ("pre_init_hook", "post_init_hook"):
        setattr(addon, name, timed(getattr(addon, name), spent))
    start = time.monotonic()
    registry = Registry.new(database, update_module=True, install_modules={ADDON})
    total = time.monotonic() - start
    with registry.cursor() as cr:
        cr.execute("SELECT COUNT(*) FROM crm_stage_visit")
        (visits,) = cr.fetchone()
        findings = Environment(cr, SUPERUSER_ID, {})["sales.consistency"].get_findings()
        return total, sum(spent), visits, sum(1 for _finding in findings)


def timed(hook, spent):
    def wrapper(env):
        start = time.monotonic()
        hook(env)
        spent.append(time.monotonic() - start)

    return wrapper


def main():
    arguments = parse_arguments()
    configure(arguments.config)
    numbers = arguments.count, arguments.moves, arguments.orders
    wrong = 0
    for label, filling in (
        ("empty", (0, 0, 0)),
        ("{} opportunities, {} moves, {} orders".format(*numbers), numbers),
    ):
        database = f"{arguments.template}_install_{filling[0]}"
        copy(arguments.template, database)
        try:
            fill(database, *filling)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                total, hooks, visits, findings = pool.apply(install, (arguments.config, database))
            print(
                f"{label}: {total:.1f} s, of which the hooks {hooks:.2f} s; {visits} visits, {findings} wrong",
                flush=True,
            )
            wrong += findings
        finally:
            if not arguments.keep:
                odoo.service.db.exp_drop(database)
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()

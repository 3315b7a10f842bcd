"""How long installing the add-on takes in a database full of opportunities, compared with an empty one.

Copies a database that has Odoo's ``sale_crm`` and ``sale_management`` but not the add-on, twice; fills one copy with
opportunities that have moved, installs the add-on in both, each in a process of its own, and drops the copies::

    python benchmarks/install.py --config odoo.conf --template native --count 200000 --moves 1000000
"""

import argparse
import multiprocessing
import time

import odoo.modules.module
import odoo.service.db
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
FILLED = ("crm_lead", "mail_activity", "mail_message", "mail_tracking_value")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="a configuration of Odoo whose addons_path has the add-on")
    parser.add_argument("--template", required=True, help="the database to copy")
    parser.add_argument("--count", type=int, default=200_000, help="opportunities (default: %(default)s)")
    parser.add_argument("--moves", type=int, default=1_000_000, help="of all of them (default: %(default)s)")
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


def fill(database, count, moves):
    """Half of the opportunities are pending, each with a planned activity; the rest were lost or won."""
    with db_connect(database).cursor() as cr:
        cr.execute(OPPORTUNITIES, {"count": count})
        if moves:
            cr.execute(MOVES, {"moves": max(moves // count, 1)})
        cr.execute(ACTIVITIES)
        for table in FILLED:
            cr.execute(f"ANALYZE {table}")
    close_db(database)


def install(config, database):
    """Install the add-on; return the seconds of all of it and of its hooks, and the visits that there are then.

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
        return total, sum(spent), cr.fetchone()[0]


def timed(hook, spent):
    def wrapper(env):
        start = time.monotonic()
        hook(env)
        spent.append(time.monotonic() - start)

    return wrapper


def main():
    arguments = parse_arguments()
    configure(arguments.config)
    process = multiprocessing.get_context("spawn")
    full = f"{arguments.count} opportunities, {arguments.moves} moves"
    for label, count, moves in (("empty", 0, 0), (full, arguments.count, arguments.moves)):
        database = f"{arguments.template}_install_{count}"
        copy(arguments.template, database)
        try:
            fill(database, count, moves)
            with process.Pool(1) as pool:
                total, hooks, visits = pool.apply(install, (arguments.config, database))
            print(
                f"{label:>40}: installed in {total:6.1f} s, of which the hooks {hooks:6.2f} s; {visits} visits",
                flush=True,
            )
        finally:
            if not arguments.keep:
                odoo.service.db.exp_drop(database)


if __name__ == "__main__":
    main()

"""Whether the add-ons can be upgraded and removed in a database that is full of use: every table is compared.

Upgrading them changes nothing, however often. Removing one of them leaves the tables, columns, indexes and constraints
of a database that has never had it, each value that belongs to Odoo's own modules as it was, nothing that refers to
what is gone, and a server on which opportunities, quotations and customers are opened, made and confirmed.
``--database`` is one with demo data that nobody works on, as ``./run`` makes it, ``--template`` one with Odoo's
``sale_crm``, ``sale_management`` and ``sale_expense`` and no more. Both are copied, and the copies dropped. The exit
status is 1 where something differs::

    python benchmarks/life_cycle.py --config odoo.conf --database demo --template native
"""

import argparse
import multiprocessing
from contextlib import closing, contextmanager

from database_content import compare, find_dangling, read_content, read_schema
from http_client import serve

import odoo.modules.module
import odoo.service.db
from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.sql_db import close_db, db_connect
from odoo.tools import SQL

CORE = "sales_opportunity_stages"
ADDONS = [CORE, f"{CORE}_contract", f"{CORE}_expense"]
# So that there are users' automations to look at.
BESIDES = ["base_automation"]
# Records that the add-ons bring or archive, and that have a chatter.
TALKATIVE = ["base.automation", "ir.actions.server", "ir.cron"]
# What the add-ons bring besides demo data.
SHIPPED = ("ir.", "res.groups", "crm.stage", "crm.opportunity.type", "mail.activity.type")
# What removing a module has to change: what Odoo keeps about modules, and what the add-ons had brought or mended there.
ABOUT_MODULES = ("ir_", "res_groups", "rule_group", "base_automation", "mail_activity_type", "orm_")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="a configuration of Odoo whose addons_path has the add-ons")
    parser.add_argument("--database", required=True, help="with the add-ons, in use")
    parser.add_argument("--template", required=True, help="without the add-ons")
    parser.add_argument("--port", type=int, default=8299, help="free, for a server of its own (default: %(default)s)")
    parser.add_argument("--only", choices=["upgrade", *ADDONS], help="leave out the other trials")
    parser.add_argument("--keep", action="store_true", help="do not drop the copies")
    return parser.parse_args()


def configure(config):
    odoo.tools.config.parse_config(["-c", config, "--log-level=error"])
    odoo.tools.config["db_name"] = []  # only databases named here could be dropped
    odoo.tools.config["list_db"] = True
    odoo.modules.module.initialize_sys_path()


@contextmanager
def copy(arguments, template, suffix):
    database = f"{template}_{suffix}"
    odoo.service.db.exp_duplicate_database(template, database)
    close_db(template)
    close_db(database)
    try:
        yield database
    finally:
        close_db(database)
        if not arguments.keep:
            odoo.service.db.exp_drop(database)


def in_process(function, arguments, database, *more):
    """Call it in a process that has loaded nothing yet, as after a restart."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_call, (function, arguments.config, database, *more))


def _call(function, config, database, *more):
    configure(config)
    return function(database, *more)


# What is done to a database


@contextmanager
def environment(database):
    with Registry(database).cursor() as cr:
        yield Environment(cr, SUPERUSER_ID, {"active_test": False})


def use(database):
    """Leave traces where the demo data has none: what users type and change, a day's work, and a night's."""
    with environment(database) as env:
        _type_in(env)
        _change_what_was_shipped(env)
        _work_a_day(env(context={}))
        env["crm.lead"]._cron_remind_deadlines()
        env["crm.opportunity.type"].search([]).export_data(["id"])


def _type_in(env):
    env["ir.filters"].create(
        [
            {"name": f"Favourite {number}", "model_id": model, "domain": domain, "context": context, "user_ids": False}
            for number, (model, domain, context) in enumerate(
                (
                    ("crm.lead", "[('opportunity_type_id', '!=', False)]", "{'group_by': ['furthest_stage_id']}"),
                    ("sale.order", "[('approval_state', '=', 'closed')]", "{}"),
                    ("hr.expense", "[('opportunity_id', '!=', False)]", "{}"),
                    ("sale.order", "[('contract_ids', '!=', False)]", "{}"),
                    ("crm.lead", "[('stage_id', '!=', False)]", "{'group_by': ['user_id']}"),
                )
            )
        ]
    )
    env["base.automation"].create(
        [
            {
                "name": name,
                "model_id": env["ir.model"]._get_id("crm.lead"),
                "trigger": "on_create_or_write",
                "filter_domain": f"[('{name}', '!=', False)]",
                "action_server_ids": [
                    Command.create(
                        {
                            "name": name,
                            "model_id": env["ir.model"]._get_id("crm.lead"),
                            "state": "code",
                            "code": "log('seen')",
                        }
                    )
                ],
            }
            for name in ("furthest_stage_id", "spent_expense_ids", "partner_id")
        ]
    )
    env["ir.ui.view"].create(
        {
            "name": "Typed in",
            "model": "crm.lead",
            "inherit_id": env.ref("crm.crm_lead_view_form").id,
            "arch": "<field name='partner_id' position='after'><field name='furthest_stage_id'/></field>",
        }
    )


def _change_what_was_shipped(env):
    """What an upgrade must leave alone."""
    env.ref(f"{CORE}.opportunity_type_project").write({"name": "Plants", "probability_mode": "native"})
    env.ref(f"{CORE}.stage_negotiation").write({"name": "Haggling", "probability": 77})
    env.ref(f"{CORE}.rule_negotiation_call").required = True
    env.ref(f"{CORE}.rule_needs_todo").unlink()
    env.ref(f"{CORE}.mail_activity_type_site_visit").name = "Visit"
    env.ref(f"{CORE}.ir_cron_learn_probabilities").active = False
    env.ref(f"{CORE}.crm_lead_rule_collaborator").active = False
    env["res.company"].search([]).write({"quotation_approval": "required", "credit_policy": "warn"})


def _work_a_day(env):
    leads = env["crm.lead"].search(
        [("won_status", "=", "pending"), ("type", "=", "opportunity"), ("partner_id", "!=", False)], limit=5
    )
    leads.date_deadline = "2020-01-01"
    env["crm.lead.stage.force"].create(
        {"lead_ids": leads[:1].ids, "target_stage_id": leads[0]._get_stage_path()[-2].id, "reason": "Use"}
    ).action_force()
    leads[1].action_set_lost(lost_reason_id=env["crm.lost.reason"].search([], limit=1).id)
    product = env["product.product"].search([("sale_ok", "=", True)], limit=1)
    values = {"partner_id": leads[2].partner_id.id, "opportunity_id": leads[2].id}
    quotations = env["sale.order"].create([{**values, "order_line": [Command.create({"product_id": product.id})]}] * 2)
    quotations.action_approve()
    quotations[0].action_create_contract()
    quotations[1].action_unapprove()
    quotations[1].action_close_quotation("Use")


def disown(database):
    """Let the demo data be as if it had been typed in: what a module has brought goes along with it."""
    with environment(database) as env:
        brought = env["ir.model.data"].search([("module", "in", ADDONS)])
        brought.filtered(lambda data: not data.model.startswith(SHIPPED)).unlink()


def install(database, modules):
    Registry.new(database, update_module=True, install_modules=set(modules))


def upgrade(database, modules):
    Registry.new(database, update_module=True, upgrade_modules=set(modules))


def uninstall(database, module):
    with environment(database) as env:
        env["ir.module.module"].search([("name", "=", module)]).button_immediate_uninstall()


def get_models_of(database, modules):
    """Names of the models that no other module has."""
    return _read_only_of(database, modules, "ir.model", SQL("SELECT id, model FROM ir_model"))


def get_fields_of(database, modules):
    """Ids of the fields that no other module has."""
    return _read_only_of(database, modules, "ir.model.fields", SQL("SELECT id, id FROM ir_model_fields"))


def _read_only_of(database, modules, model, query):
    with closing(db_connect(database).cursor()) as cr:
        cr.execute(
            SQL(
                """
                SELECT value
                  FROM (%s) record (id, value)
                 WHERE NOT EXISTS (SELECT FROM ir_model_data data
                                    WHERE data.model = %s AND res_id = record.id AND module <> ALL(%s))
                """,
                query,
                model,
                list(modules),
            )
        )
        return [value for (value,) in cr.fetchall()]


def get_installed(database):
    with closing(db_connect(database).cursor()) as cr:
        cr.execute("SELECT name FROM ir_module_module WHERE state = 'installed'")
        return {name for (name,) in cr.fetchall()}


def work(client):
    """What a salesperson does, without a word of the add-ons.

    :raise RuntimeError: when something does not go
    """
    for xmlid in ("crm.crm_lead_action_pipeline", "sale.action_quotations_with_onboarding", "contacts.action_contacts"):
        client.open(xmlid)
    partner_id, lead_id = (
        client.call(model, "web_save", [], values, specification={})[0]["id"]
        for model, values in (
            ("res.partner", {"name": "Life goes on"}),
            ("crm.lead", {"name": "Life goes on", "type": "opportunity"}),
        )
    )
    client.call("crm.lead", "write", [lead_id], {"partner_id": partner_id, "expected_revenue": 100})
    product_id = client.call("product.product", "search", [["sale_ok", "=", True]], limit=1)[0]
    values = {"partner_id": partner_id, "opportunity_id": lead_id, "order_line": [[0, 0, {"product_id": product_id}]]}
    (order_id,) = client.call("sale.order", "create", [values])
    client.call("sale.order", "action_confirm", [order_id])
    for deed in ("action_set_lost", "action_restore", "action_set_won"):
        client.call("crm.lead", deed, [lead_id])
    state = client.call("sale.order", "read", [order_id], ["state"])[0]["state"]
    won = client.call("crm.lead", "read", [lead_id], ["won_status"])[0]["won_status"]
    if (state, won) != ("sale", "won"):
        raise RuntimeError(f"the order is {state}, the opportunity {won}")


# The judgement


def try_upgrade(arguments):
    """Sentences about what has changed, the first time and the second."""
    with copy(arguments, arguments.database, "upgraded") as database:
        in_process(install, arguments, database, BESIDES)
        in_process(use, arguments, database)
        wrong, before = [], read_content(database)
        for time in ("first", "second"):
            in_process(upgrade, arguments, database, ADDONS)
            after = read_content(database)
            wrong += [f"{time} time: {column} has changed" for column in compare(before, after)]
            before = after
        return wrong


def try_uninstall(arguments, module, native, schema):
    """Sentences about what is wrong once a module is gone.

    :param set native: the (table, column) that belong to Odoo's own modules
    :param set schema: of a database that has never had the add-ons, or None if others of them stay
    """
    removed = ADDONS if module == CORE else [module]
    with copy(arguments, arguments.database, f"without_{module}") as database:
        in_process(install, arguments, database, BESIDES)
        in_process(use, arguments, database)
        in_process(disown, arguments, database)
        models = [*get_models_of(database, removed), *TALKATIVE]
        fields = get_fields_of(database, removed)
        before = read_content(database, models, fields)
        in_process(uninstall, arguments, database, module)
        wrong = [f"{column} has changed" for column in compare(before, read_content(database, models, fields), native)]
        if schema:
            now = read_schema(database)
            wrong += [f"left behind: {line}" for line in sorted(now - schema)]
            wrong += [f"missing: {line}" for line in sorted(schema - now)]
        wrong += in_process(list_dangling, arguments, database, removed)
        return wrong + try_work(arguments, database)


def try_work(arguments, database):
    try:
        with serve(arguments.config, arguments.port, database) as client:
            work(client)
    except RuntimeError as error:
        return [f"work stops: {error}"]
    return []


def list_dangling(database, modules):
    return list(find_dangling(database, modules))


def read_baseline(arguments):
    """The schema of a database that has never had the add-ons, and its (table, column) whose values are users'."""
    with copy(arguments, arguments.template, "baseline") as baseline:
        modules = get_installed(arguments.database) - set(ADDONS)
        in_process(install, arguments, baseline, modules | set(BESIDES))
        content = read_content(baseline)
        columns = {
            (table, column)
            for table, names in content.items()
            for column in names
            if not table.startswith(ABOUT_MODULES)
        }
        return read_schema(baseline), columns


def main():
    arguments = parse_arguments()
    configure(arguments.config)
    failed = 0
    if arguments.only in (None, "upgrade"):
        failed += report("upgrading changes nothing", try_upgrade(arguments))
    removed = [module for module in reversed(ADDONS) if arguments.only in (None, module)]
    schema, native = read_baseline(arguments) if removed else (None, None)
    for module in removed:
        wrong = try_uninstall(arguments, module, native, schema if module == CORE else None)
        failed += report(f"removing {module} leaves nothing behind", wrong)
    raise SystemExit(bool(failed))


def report(title, wrong):
    print(f"{title}: {f'no, {len(wrong)}' if wrong else 'yes'}", flush=True)
    for sentence in wrong:
        print(f"    {sentence}", flush=True)
    return len(wrong)


if __name__ == "__main__":
    main()

"""What is in a database, to be compared, and what in it refers to something that is gone. For ``life_cycle.py``."""

import json
from contextlib import closing

from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Domain
from odoo.modules.registry import Registry
from odoo.sql_db import db_connect
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval

# What Odoo itself writes when modules are updated or removed, whatever they are.
WRITE_LOG = {"create_uid", "create_date", "write_uid", "write_date", "arch_prev"}
BOOKS = {"bus_bus", "ir_attachment", "ir_cron_trigger", "ir_logging"}
# An upgrade writes them anew each time: the ids of an action's list of views, and what the manifest says.
REWRITTEN = {("ir_act_window_view", "id"), ("ir_module_module", "url")}
# Where records are told by the name of their model, and no foreign key sees to it.
NAMED = {
    "ir_act_window": "res_model",
    "ir_attachment": "res_model",
    "ir_model_data": "model",
    "mail_activity": "res_model",
    "mail_followers": "res_model",
    "mail_message": "model",
    "mail_message_subtype": "res_model",
    "mail_template": "model",
}


def read_schema(database):
    """Descriptions of all columns, indexes, constraints, sequences, functions and triggers, without those that Odoo
    makes for each analytic plan."""
    with closing(db_connect(database).cursor()) as cr:
        cr.execute(
            """
            SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
              FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL
            SELECT 'index ' || indexname || ' ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
             UNION ALL
            SELECT 'constraint ' || conname || ' on ' || conrelid::regclass || ' ' || PG_GET_CONSTRAINTDEF(oid)
              FROM pg_constraint WHERE connamespace = 'public'::regnamespace
             UNION ALL
            SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
             UNION ALL
            SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
             UNION ALL
            SELECT 'sequence ' || sequencename FROM pg_sequences
             WHERE schemaname = 'public' AND sequencename !~ '_[0-9]+$'
            """
        )
        return {line for (line,) in cr.fetchall() if "x_plan" not in line}


def read_content(database, models=(), field_ids=()):
    """``{table: {column: digest of its values, in order of the rows}}``, without what is about these models and fields.

    Of a change of a field that goes Odoo keeps what the field was called instead.
    """
    with closing(db_connect(database).cursor()) as cr:
        cr.execute(
            """
            SELECT table_name, ARRAY_AGG(column_name::text ORDER BY ordinal_position)
              FROM information_schema.columns
              JOIN information_schema.tables USING (table_schema, table_name)
             WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
             GROUP BY table_name
            """
        )
        return {
            table: _read_table(
                cr, table, [name for name in columns if _counts(table, name)], _is_counted(table, models, field_ids)
            )
            for table, columns in cr.fetchall()
            if table not in BOOKS and not table.startswith("orm_signaling")
        }


def _counts(table, column):
    return column not in WRITE_LOG and (table, column) not in REWRITTEN


def _is_counted(table, models, field_ids):
    """The condition of rows that are not about what goes."""
    if table == "mail_tracking_value":
        return SQL("field_id <> ALL(%s)", list(field_ids))
    if table in NAMED:
        name = SQL.identifier(NAMED[table])
        return SQL("%s IS NULL OR %s <> ALL(%s)", name, name, list(models))
    return SQL("TRUE")


def _read_table(cr, table, columns, counted):
    names = [SQL.identifier(name) for name in columns]
    order = [SQL.identifier("id")] if "id" in columns else [SQL("%s::text", name) for name in names]
    digests = [
        SQL("MD5(STRING_AGG(COALESCE(%s::text, '~'), '|' ORDER BY %s))", name, SQL(", ").join(order)) for name in names
    ]
    cr.execute(SQL("SELECT COUNT(*), %s FROM %s WHERE %s", SQL(", ").join(digests), SQL.identifier(table), counted))
    count, *values = cr.fetchone()
    return {"(rows)": count, **dict(zip(columns, values, strict=True))}


def compare(before, after, columns=None):
    """Names of the columns that differ, of those that are asked for."""
    return sorted(
        f"{table}.{column}"
        for table, digests in before.items()
        for column, digest in digests.items()
        if (columns is None or (table, column) in columns) and after.get(table, {}).get(column) != digest
    )


# What refers to what is gone


def find_dangling(database, modules):
    """Sentences about it."""
    with Registry(database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {"active_test": False})
        return [
            *_find_lost_models(env),
            *_find_lost_records(env, modules),
            *_find_broken_views(env),
            *_find_broken_filters(env),
        ]


def _find_lost_models(env):
    for table, column in NAMED.items():
        env.cr.execute(SQL("SELECT DISTINCT %s FROM %s", SQL.identifier(column), SQL.identifier(table)))
        for (model,) in env.cr.fetchall():
            if model and model not in env:
                yield f"{table} knows of the model {model}"
    for name in ("ir.actions.server", "ir.cron", "ir.rule", "ir.model.access", "ir.filters", "base.automation"):
        for record in env[name].search([]) if name in env else ():
            model = record.model_id if isinstance(record.model_id, str) else record.model_id.model
            if model not in env:
                yield f"{name} {record.display_name} is of the model {model}"
    for model in env["ir.model"].search([("state", "=", "base")]):
        if model.model not in env:
            yield f"ir.model has {model.model}"


def _find_lost_records(env, modules):
    for data in env["ir.model.data"].search([("module", "in", modules)]):
        yield f"ir.model.data has {data.complete_name}"
    for menu in env["ir.ui.menu"].search([("action", "!=", False)]):
        if not menu.action.exists():
            yield f"the menu {menu.complete_name} has no action"
    env.cr.execute("SELECT model, ARRAY_AGG(res_id) FROM ir_model_data GROUP BY model")
    for model, ids in env.cr.fetchall():
        if model in env and not env[model]._abstract:
            records = env[model].browse(ids)
            for record in records - records.exists():
                yield f"ir.model.data names {record}, which is gone"


def _find_broken_views(env):
    for view in env["ir.ui.view"].search([("active", "=", True), ("inherit_id", "=", False)]):
        try:
            view._check_xml()
        except Exception as error:
            yield f"view {view.xml_id or view.name}: {error}"


def _find_broken_filters(env):
    for favourite in env["ir.filters"].search([]):
        try:
            model, order = env[favourite.model_id], ", ".join(json.loads(favourite.sort))
            model.search(Domain(safe_eval(favourite.domain, {"uid": 1})), limit=1, order=order or None)
            for groupby in safe_eval(favourite.context).get("group_by", []):
                model._read_group([], [groupby], ["__count"])
        except Exception as error:
            yield f"the favourite {favourite.name} of {favourite.model_id}: {error}"

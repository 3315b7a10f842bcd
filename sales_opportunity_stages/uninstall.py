import ast
import logging
import re
from collections import defaultdict

from odoo.exceptions import UserError
from odoo.orm.domains import CONDITION_OPERATORS
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

MAIL = ("subject", "body_html", "email_from", "email_to", "email_cc", "partner_to", "reply_to", "scheduled_date")
# Where users name fields: the model, its field that names the model whose fields they are (none: opportunities), those
# with the text, and what becomes of a record that names what goes along.
REFERRERS = (
    ("ir.rule", "model_id.model", ("domain_force",), "_refuse"),
    ("ir.filters", "model_id", ("domain", "context", "sort"), "_delete"),
    ("ir.exports.line", "export_id.resource", ("name",), "_delete"),
    ("ir.embedded.actions", "parent_res_model", ("domain", "context"), "_delete"),
    ("ir.actions.act_window", "res_model", ("domain", "context"), "_clear"),
    ("ir.actions.report", "model", ("domain", "print_report_name"), "_clear"),
    ("ir.actions.server", "model_id.model", ("code",), "_warn"),
    ("crm.stage.rule", None, ("domain",), "_delete"),
    ("base.automation", "model_id.model", ("filter_domain", "filter_pre_domain"), "_archive"),
    ("ir.ui.view", "model", ("arch_db",), "_archive"),
    ("mail.template", "model", MAIL, "_archive"),
    ("mail.alias", "alias_model_id.model", ("alias_defaults",), "_clear"),
    ("crm.team", None, ("assignment_domain",), "_clear"),
    ("crm.team.member", None, ("assignment_domain",), "_clear"),
)
RECORDS = {"object", "record", "records"}  # what code and templates call the record that they work on
SUBQUERIES = {"any", "not any", "any!", "not any!"}
TECHNICAL = ("ir.", "res.groups")


class Uninstallation:
    """What Odoo does not do by itself when one of the add-ons is uninstalled.

    Odoo deletes what a module has brought, and the columns of its fields. What users have made that looks at those
    fields would stop whoever opens it; what the module has brought and users have taken into use cannot be deleted,
    and would be said to belong to a module that is not there.
    """

    def __init__(self, env, module):
        """
        :param str module: what is being uninstalled; before Odoo deletes anything
        """
        self.env = env(context={**env.context, "active_test": False})
        self.module = module
        self.removed = self._get_removed_fields()

    def _get_removed_fields(self):
        """``{model: names of the fields that no other module has}``; *id* among them where the model itself goes."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT field.model, field.name
                  FROM ir_model_fields field
                  JOIN ir_model_data data ON data.model = 'ir.model.fields' AND data.res_id = field.id
                 GROUP BY field.id
                HAVING BOOL_AND(data.module = %s)
                """,
                self.module,
            )
        )
        removed = defaultdict(set)
        for model, name in rows:
            removed[model].add(name)
        return dict(removed)

    def _goes(self, model):
        return "id" in self.removed.get(model, ())

    # ------------------------------------------------------------
    # What looks at fields that go along
    # ------------------------------------------------------------

    def forget_references(self):
        """Delete, archive or clear what looks at fields that go along, and tell the log.

        :raise UserError: for a record rule: without it more might be seen than should be
        """
        for name, path, texts, deed in REFERRERS:
            if name in self.env and not self._goes(name):
                for model, record in self._find_references(name, path, texts):
                    getattr(self, "_delete" if self._goes(model) else deed)(record, model, texts)

    def _find_references(self, name, path, texts):
        domain = [(path, "in", list(self.removed))] if path else []
        for record in self.env[name].search([*domain, ("id", "not in", self._get_owned_ids(name))]):
            (model,) = record.mapped(path) if path else ("crm.lead",)
            if self._goes(model) or any(self._looks_at(model, record[text]) for text in texts):
                yield model, record

    def _get_owned_ids(self, name):
        """Ids of the records that a module has brought and takes back. A view of Odoo's own names no field of ours,
        while a favourite or rule of Odoo's own may have been changed by a user."""
        modules = self.env["ir.module.module"].search([("state", "=", "to remove")]).mapped("name")
        owner = ("module", "!=", "__export__") if name == "ir.ui.view" else ("module", "in", [self.module, *modules])
        return self.env["ir.model.data"].search([("model", "=", name), owner]).mapped("res_id")

    def _looks_at(self, model, text):
        """Whether a text that a user has typed names a field that goes: a domain, a context, an order, a view, code."""
        text = str(text or "").strip()
        try:
            return self._names_in(model, ast.parse(text.replace("/", "."), mode="eval"))
        except SyntaxError:
            return any(self._is_removed(model, path) for path in re.findall(r"[\w.]+", text))

    def _names_in(self, model, node):
        if isinstance(node, ast.Constant):
            return isinstance(node.value, str) and self._is_removed(model, node.value)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._is_removed(model, ast.unparse(node))
        if self._is_condition(node):
            path, operator, value = node.elts
            inner = operator.value in SUBQUERIES and self._get_comodel(model, path.value)
            return self._is_removed(model, path.value) or (bool(inner) and self._names_in(inner, value))
        return any(self._names_in(model, child) for child in ast.iter_child_nodes(node))

    @staticmethod
    def _is_condition(node):
        """Whether it is a term of a domain, whose value names no field."""
        elements = getattr(node, "elts", ())
        words = [element.value for element in elements[:2] if isinstance(element, ast.Constant)]
        return (
            len(elements) == 3
            and [type(word) for word in words] == [str, str]
            and words[1] in CONDITION_OPERATORS | SUBQUERIES
        )

    def _is_removed(self, model, path):
        """:param str path: as in a domain, a grouping (``date:month``) or an order (``name desc``), or a model"""
        if self._goes(path):
            return True
        names = re.match(r"[\w.]*", path)[0].split(".")
        for name in names[names[0] in RECORDS :]:
            if name in self.removed.get(model, ()):
                return True
            model = self._get_comodel(model, name)
        return False

    def _get_comodel(self, model, path):
        """The model that a path of fields leads to, or None."""
        for name in path.split("."):
            field = model and self.env[model]._fields.get(name)
            model = field and field.comodel_name
        return model

    def _refuse(self, rule, _model, _texts):
        raise UserError(
            self.env._(
                "Record rule '%(rule)s' of %(model)s looks at fields that go along with %(module)s. Change its domain "
                "or delete it, then uninstall again.",
                rule=rule.name,
                model=rule.model_id.name,
                module=self.module,
            )
        )

    def _delete(self, record, _model, _texts):
        _logger.warning("%s: %s '%s' is deleted", self.module, record._description, record.display_name)
        record.unlink()

    def _archive(self, record, _model, _texts):
        if record.active:
            _logger.warning("%s: %s '%s' is archived", self.module, record._description, record.display_name)
            record.active = False

    def _warn(self, record, _model, _texts):
        _logger.warning("%s: %s '%s' will not run any more", self.module, record._description, record.display_name)

    def _clear(self, record, model, texts):
        for text in texts:
            if self._looks_at(model, record[text]):
                label = record._fields[text].string
                _logger.warning(
                    "%s: %s of %s '%s' is cleared", self.module, label, record._description, record.display_name
                )
                record[text] = self._get_rest(model, record[text])

    def _get_rest(self, model, text):
        """What a text with values by name says of fields that stay; nothing of any other text."""
        if not text.lstrip().startswith("{"):
            return False
        try:
            values = ast.literal_eval(text)
        except ValueError:  # with expressions
            values = {}
        return str({name: value for name, value in values.items() if not self._looks_at(model, repr({name: value}))})

    # ------------------------------------------------------------
    # What the module has brought
    # ------------------------------------------------------------

    def release_records(self):
        """Delete what the module has brought to models of others, the newest first; what is in use, or may not be
        deleted, stays, and is the users' from now on. What it has brought to its own models goes with their tables.
        """
        own = [model for model in self.removed if self._goes(model)]
        Data = self.env["ir.model.data"]
        Data.search([("model", "in", own)]).unlink()
        for data in Data.search([("module", "=", self.module)], order="id DESC"):
            if not data.model.startswith(TECHNICAL):
                self._release(data)

    def _release(self, data):
        record = self.env[data.model].browse(data.res_id).exists()
        if not self._is_referred_to(record) and self._can_delete(record):
            return
        _logger.info("%s: %s '%s' is in use and stays", self.module, record._description, record.display_name)
        data.unlink()

    def _can_delete(self, record):
        try:
            with self.env.cr.savepoint():
                record.unlink()
        except UserError:
            return False
        return True

    def _is_referred_to(self, record):
        """Whether PostgreSQL would refuse to delete it. Asked first, because a refusal is an error in the log."""
        return any(
            self.env.execute_query(
                SQL(
                    "SELECT 1 FROM %s WHERE %s = ANY(%s) LIMIT 1",
                    SQL.identifier(table),
                    SQL.identifier(column),
                    record.ids,
                )
            )
            for table, column in self._get_restrictions(record._table)
        )

    def _get_restrictions(self, table):
        """``(table, column)`` of the foreign keys that keep a row of the table from being deleted."""
        return self.env.execute_query(
            SQL(
                """
                SELECT referrer.relname, attribute.attname
                  FROM pg_constraint
                  JOIN pg_class referrer ON referrer.oid = conrelid
                  JOIN pg_attribute attribute ON attrelid = conrelid AND attnum = conkey[1]
                 WHERE contype = 'f'
                   AND confdeltype IN ('a', 'r')
                   AND confrelid = (SELECT oid FROM pg_class
                                     WHERE relname = %s AND relnamespace = 'public'::regnamespace)
                """,
                table,
            )
        )

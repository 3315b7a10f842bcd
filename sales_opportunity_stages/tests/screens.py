"""Find in views what a test of the server cannot see: a screen that shows a value and does not save it.

Each check takes a model and an arch, and yields one sentence for each fault:

- :func:`find_lost_values`: a column is read-only where the dialog behind the row edits it, so it is not saved.
- :func:`find_wrong_records`: a domain or a default takes the ``id`` of another record than it means.
- :func:`find_useless_filters`: a filter stands in one group with a default filter, and so shows more instead of less.
"""

import ast

from lxml import etree

from odoo.tools.safe_eval import safe_eval

MODULES = ("sales_opportunity_stages", "sales_opportunity_stages_contract", "sales_opportunity_stages_expense")
BREADCRUMB = {"active_id", "active_ids"}


# ------------------------------------------------------------
# What there is to check
# ------------------------------------------------------------


def get_own_views(env):
    """Return the views of the add-ons, with every view of others that shows them."""
    data = env["ir.model.data"].sudo().search([("model", "=", "ir.ui.view"), ("module", "=like", f"{MODULES[0]}%")])
    own = env["ir.ui.view"].sudo().browse(data.mapped("res_id")).exists()
    shown = own.browse()
    while own:
        shown |= own
        own = own.search([("inherit_id", "in", own.ids)]) | own.filtered(lambda v: v.mode == "extension").inherit_id
        own -= shown
    return shown.filtered(lambda view: view.mode == "primary" and view.type not in ("qweb", False))


def get_arch(view):
    """Return the arch with all extensions, before anything is taken out of it for a user."""
    return view._get_combined_arch()


def is_own_field(field):
    """Say whether the add-ons define or extend the field."""
    return bool(set(field._modules) & set(MODULES))


def get_default_filters(env, model):
    """Return the names of the filters that some action on the model switches on by default."""
    contexts = env["ir.actions.act_window"].sudo().search([("res_model", "=", model)]).mapped("context")
    names = set()
    for context in contexts:
        names |= {
            node.value.removeprefix("search_default_")
            for node in ast.walk(ast.parse((context or "{}").strip(), mode="eval"))
            if isinstance(node, ast.Constant) and str(node.value).startswith("search_default_")
        }
    return names


# ------------------------------------------------------------
# Values that are not saved
# ------------------------------------------------------------


def find_lost_values(env, model, arch):
    """Yield each column that a row's dialog edits while the list says ``readonly="1"`` without ``force_save``."""
    for node, record_model in _walk_fields(env, model, arch):
        field = env[record_model]._fields.get(node.get("name"))
        if field is None or field.type not in ("one2many", "many2many") or _is_true(node.get("readonly")):
            continue
        for rows in node.iterchildren("list"):
            if _is_true(rows.get("no_open")) and not rows.get("editable"):
                continue
            edited = _get_edited_names(env, field.comodel_name, node)
            for column in rows.iterchildren("field"):
                name = column.get("name")
                if _is_true(column.get("readonly")) and not _is_true(column.get("force_save")) and name in edited:
                    yield f"{record_model}.{field.name}: '{name}' is read-only in the list and edited in its form"


def _get_edited_names(env, model, node):
    """Return the stored fields that the form behind the rows edits."""
    form = node.find("form")
    if form is None:
        view_id = env["ir.ui.view"].default_view(model, "form")
        if not view_id:
            return set()
        form = get_arch(env["ir.ui.view"].sudo().browse(view_id))
    return {
        field.get("name")
        for field, owner in _walk_fields(env, model, form)
        if owner == model
        and not _is_true(field.get("readonly"))
        and not _is_true(field.get("invisible"))
        and field.get("name") in env[model]._fields
        and not env[model]._fields[field.get("name")].readonly
    }


# ------------------------------------------------------------
# Records taken for others
# ------------------------------------------------------------


def find_wrong_records(env, model, arch):
    """Yield each domain and each default of an arch that names the ``id`` of a record which it cannot mean."""
    for node, record_model in _walk_fields(env, model, arch):
        field = env[record_model]._fields.get(node.get("name"))
        if field is None or not field.relational:
            continue
        where = f"{record_model}.{field.name}"
        if node.get("domain"):
            yield from find_wrong_domain(env, where, record_model, field.comodel_name, node.get("domain"))
        if node.get("context"):
            yield from _find_wrong_defaults(env, where, record_model, field.comodel_name, node.get("context"))
    for button in arch.iter("button"):
        if button.get("type") == "action" and button.get("context") and button.get("name", "").isdigit():
            action = env["ir.actions.act_window"].sudo().browse(int(button.get("name"))).exists()
            if action and button.xpath("not(ancestor::field)"):
                where = f"the button '{button.get('string')}' of {model}"
                yield from _find_wrong_defaults(env, where, model, action.res_model, button.get("context"))


def find_wrong_field_domains(env):
    """Yield each domain of the add-ons' fields that names the ``id`` of a record which it cannot mean."""
    for model in env.registry.models.values():
        for field in model._fields.values():
            if field.relational and is_own_field(field) and isinstance(field.domain, str):
                where = f"{model._name}.{field.name}"
                yield from find_wrong_domain(env, where, model._name, field.comodel_name, field.domain)


def find_wrong_domain(env, where, model, comodel, text):
    """Yield what is wrong with a domain on ``comodel`` that is evaluated with the values of a record of ``model``.

    In a domain ``id`` is the record that is being edited, not the one that is being looked for.
    """
    for left, operator, value in _get_leaves(text):
        names = _get_names(value)
        if names & BREADCRUMB:
            yield f"{where}: the domain names the record that was opened before: {text}"
        if "id" not in names:
            continue
        target = _get_target(env, comodel, left)
        excludes = left == "id" and operator in ("!=", "not in") and comodel == model
        belongs = left != "id" and target == model and comodel != model
        if not (excludes or belongs):
            yield f"{where}: 'id' is a record of {model}, the one that is edited, not {comodel}.{left}: {text}"


def _find_wrong_defaults(env, where, model, comodel, text):
    for node in ast.walk(ast.parse(text.strip(), mode="eval")):
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            name = str(getattr(key, "value", "")).removeprefix("default_")
            if not str(getattr(key, "value", "")).startswith("default_") or "id" not in _get_names(value):
                continue
            if _get_target(env, comodel, name) != model:
                yield f"{where}: the default of {comodel}.{name} is a record of {model}: {text}"


def _get_leaves(text):
    """Yield ``(field, operator, node of the value)`` for each condition of a domain in text."""
    for node in ast.walk(ast.parse(text.strip(), mode="eval")):
        if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == 3:
            left, operator, value = node.elts
            if isinstance(left, ast.Constant) and isinstance(operator, ast.Constant) and left.value not in "&|!":
                yield left.value, operator.value, value


def _get_names(node):
    """Return the variables of an expression, ``parent.x`` as ``parent``."""
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


def _get_target(env, model, path):
    """Return the model that a path of fields leads to; for a plain value the model that has it."""
    for name in path.split("."):
        field = env[model]._fields.get(name)
        model = field.comodel_name if field is not None and field.relational else model
    return model


# ------------------------------------------------------------
# Filters
# ------------------------------------------------------------


def find_useless_filters(model, arch, defaults):
    """Yield each filter that is combined by *or* with a default one, and is no alternative to it.

    :param set defaults: the names of the filters that are on when the list opens
    """
    for group in _get_filter_groups(arch):
        for default in (node for node in group if node.get("name") in defaults):
            for other in group:
                offered = other is not default and not _is_true(other.get("invisible"))
                if offered and not _are_alternatives(default, other):
                    names = f"'{other.get('name')}' does not narrow what the default '{default.get('name')}' shows"
                    yield f"{model}: {names}: put a separator between them"


def _get_filter_groups(arch):
    """Return the filters that the web client combines by *or*: those with nothing but filters between them."""
    groups, current = [], []
    for node in arch.iterdescendants("filter", "field", "separator", "group", "searchpanel"):
        groups_by = "group_by" in (node.get("context") or "")
        if node.tag == "filter" and not groups_by and node.getparent().tag != "filter":
            current.append(node)
        elif node.tag != "filter" or groups_by:
            groups.append(current)
            current = []
    return [group for group in [*groups, current] if len(group) > 1]


def _are_alternatives(one, other):
    """Say whether two filters show different records, or the records of the same person in different roles."""
    if one.get("date") or other.get("date"):
        return _get_filtered_names(one) == _get_filtered_names(other)
    first, second = one.get("domain") or "[]", other.get("domain") or "[]"
    if "uid" in first and "uid" in second:
        return True
    conditions = list(_get_leaves(second))
    return any(
        field == other_field and _exclude(operator, _get_value(value), other_operator, _get_value(other_value))
        for field, operator, value in _get_leaves(first)
        for other_field, other_operator, other_value in conditions
    )


def _get_filtered_names(node):
    return {node.get("date")} if node.get("date") else {leaf[0] for leaf in _get_leaves(node.get("domain") or "[]")}


def _get_value(node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.dump(node)  # a variable is equal to itself alone


def _exclude(operator, value, other_operator, other_value):
    """Say whether no record meets both conditions on the same field."""
    kinds = {operator, other_operator}
    if kinds <= {"=", "in"}:
        return not (_as_set(value) & _as_set(other_value))
    if kinds == {"=", "!="}:
        return value == other_value
    if kinds == {"in", "not in"}:
        return _as_set(value) == _as_set(other_value)
    if kinds in ({"<", ">="}, {">", "<="}):
        return value == other_value
    return False


def _as_set(value):
    return set(value) if isinstance(value, list | tuple) else {value}


# ------------------------------------------------------------
# Archs
# ------------------------------------------------------------


def _walk_fields(env, model, arch):
    """Yield each field of an arch with the model that it belongs to, those of the rows of a field too."""
    for node in arch:
        if not isinstance(node.tag, str):
            continue
        inner = model
        if node.tag == "field" and model in env:
            yield node, model
            field = env[model]._fields.get(node.get("name"))
            inner = field.comodel_name if field is not None and field.relational else model
        yield from _walk_fields(env, inner, node)


def _is_true(text):
    try:
        return bool(safe_eval(text, {})) if text else False
    except Exception:  # an expression on the record: not always true
        return False


def parse(text):
    """Return the arch of a sample."""
    return etree.fromstring(text)

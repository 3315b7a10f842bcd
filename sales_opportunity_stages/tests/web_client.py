"""What the web client reads when a view is opened, as ``getFieldsSpec`` of the web client puts it together."""

from lxml import etree

X2MANY = ("one2many", "many2many")
TAG_FIELDS = ("display_name", "color")


def get_specification(model, view_type, view_id=False):
    """Return the specification of ``web_read`` for a view of ``model``, as its user.

    :param model: an empty recordset
    """
    views = model.get_views([(view_id, view_type)])
    arch = etree.fromstring(views["views"][view_type]["arch"])
    return _read_arch(model.env, arch, model._name, views["models"])


def _read_arch(env, arch, model_name, models):
    level = arch.xpath("count(ancestor::field)")
    specification = {}
    for node in arch.xpath(f".//field[count(ancestor::field) = {level}]"):
        field = models.get(model_name, {}).get("fields", {}).get(node.get("name"))
        if field and node.get("name") not in specification:
            specification[node.get("name")] = _read_field(env, node, field, models)
    return specification


def _read_field(env, node, field, models):
    is_hidden = node.get("invisible") in ("True", "1") or node.get("column_invisible") in ("True", "1")
    if is_hidden or field["type"] not in (*X2MANY, "many2one", "reference"):
        return {"fields": {}} if field["type"] == "many2one" else {}
    if field["type"] not in X2MANY:
        return {"fields": {"display_name": {}}}
    inner = [child for child in node if child.tag in ("list", "kanban")]
    if inner:
        return {"fields": _read_arch(env, inner[0], field["relation"], models), "limit": 40, "order": ""}
    if not node.get("widget"):
        return {}
    names = [name for name in TAG_FIELDS if name in env[field["relation"]]._fields]
    return {"fields": {name: {} for name in names}}

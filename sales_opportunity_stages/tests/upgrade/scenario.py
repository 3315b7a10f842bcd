"""A company's data, made through the API of the previous release, and all that the add-ons know of it.

It runs in both releases, so it uses names alone that both have, and no test class.
"""

from odoo import fields
from odoo.fields import Command

PARAMETER = "sales_opportunity_stages.upgrade_test"
FAMILY = "sales_opportunity_stages"
ROLES = {
    "salesman": "sales_team.group_sale_salesman",
    "colleague": "sales_team.group_sale_salesman",
    "supervisor": "sales_team.group_sale_salesman_all_leads",
    "manager": "sales_team.group_sale_manager",
    "approver": f"{FAMILY}.group_quotation_approver",
    "credit": f"{FAMILY}.group_credit_manager",
    "accountant": "account.group_account_invoice",
    "employee": "base.group_user",
    "portal": "base.group_portal",
}
FIGURES = ("integer", "float", "monetary", "boolean")
MOST_RECORDS = 200


# What there is


def fill(env):
    """Fill a database with what a company does in its first weeks."""
    env = env(context={**env.context, "no_reset_password": True, "mail_create_nosubscribe": True})
    users = {name: _create_user(env, name, group) for name, group in ROLES.items()}
    env.company.write({"account_use_credit_limit": True, "credit_policy": "block"})
    env["account.chart.template"].try_loading("generic_coa", env.company, install_demo=False)
    stages = _create_pipeline(env)
    partners = _create_partners(env)
    products = _create_products(env)
    leads = _create_opportunities(env, users, stages, partners, products)
    env.flush_all()
    orders = _create_orders(env, users, leads, partners, products)
    _create_invoices(env, orders, partners, products)
    _create_contract(env, users, partners, products)


def _create_user(env, name, group):
    return env["res.users"].create(
        {
            "name": name.title(),
            "login": f"upgrade_{name}",
            "password": f"upgrade_{name}",
            "email": f"{name}@example.com",
            "group_ids": [Command.set(env.ref(group).ids)],
        }
    )


def _create_pipeline(env):
    opportunity_type = env["crm.opportunity.type"].create(
        {"name": "Plant", "probability_mode": "stage", "reminder_days": 5}
    )
    stages = env["crm.stage"].create(
        [
            {
                "name": name,
                "sequence": 700 + index,
                "probability": probability,
                "is_won": probability == 100,
                "opportunity_type_ids": [Command.set(opportunity_type.ids)],
            }
            for index, (name, probability) in enumerate(
                [("Contact", 10), ("Needs", 25), ("Solution", 50), ("Signed", 100)]
            )
        ]
    )
    activity_type = env["mail.activity.type"].create({"name": "Upgrade Call", "res_model": "crm.lead"})
    env["crm.stage.rule"].create(
        [
            {
                "stage_id": stages[0].id,
                "kind": "action",
                "activity_type_id": activity_type.id,
                "required": True,
                "promotes": True,
            },
            {
                "stage_id": stages[1].id,
                "kind": "condition",
                "name": "Revenue set",
                "domain": "[('expected_revenue', '>', 0)]",
                "required": True,
            },
        ]
    )
    return {"type": opportunity_type, "stages": stages, "call": activity_type}


def _create_partners(env):
    names = ("Holding", "Subsidiary", "Branch Office", "Unlimited", "Rival")
    partners = dict(
        zip(names, env["res.partner"].create([{"name": name, "is_company": True} for name in names]), strict=True)
    )
    partners["Holding"].write({"credit_limit": 5000, "credit_term_days": 30})
    partners["Subsidiary"].credit_unit_id = partners["Holding"]
    partners["Branch Office"].credit_unit_id = partners["Holding"]
    partners["Rival"].is_competitor = True
    return partners


def _create_products(env):
    return env["product.product"].create(
        [
            {"name": name, "list_price": price, "invoice_policy": policy, "taxes_id": [Command.clear()]}
            | ({"type": "service"} if policy == "delivery" else {})
            for name, price, policy in (("Pump", 100, "order"), ("Hours", 40, "delivery"))
        ]
    )


def _create_opportunities(env, users, pipeline, partners, products):
    """Open ones in each stage with history, a won, a lost and one that went back."""
    leads = (
        env["crm.lead"]
        .with_user(users["manager"])
        .create(
            [
                {
                    "name": f"Deal {number}",
                    "type": "opportunity",
                    "partner_id": partners[("Holding", "Subsidiary", "Unlimited")[number % 3]].id,
                    "user_id": users["salesman" if number % 2 else "colleague"].id,
                    "opportunity_type_id": pipeline["type"].id,
                    "expected_revenue": 100 * number + 50,
                    "date_deadline": f"2031-0{number % 8 + 1}-15",
                }
                for number in range(9)
            ]
        )
    )
    manager, stages = users["manager"], pipeline["stages"]
    env["crm.opportunity.line"].create(
        [
            {"lead_id": lead.id, "product_id": product.id, "product_uom_qty": 5 + index, "price_unit": 80 - 40 * index}
            for lead in leads[:5]
            for index, product in enumerate(products)
        ]
    )
    env["crm.opportunity.contact"].create({"lead_id": leads[0].id, "partner_id": partners["Unlimited"].id})
    env["crm.opportunity.competitor"].create({"lead_id": leads[0].id, "partner_id": partners["Rival"].id})
    leads[0].sudo().collaborator_ids = [Command.set(users["supervisor"].ids)]
    owned = leads[1].with_user(users["salesman"])
    owned.activity_schedule(
        activity_type_id=pipeline["call"].id, user_id=owned.env.uid
    ).action_feedback()  # moves it on
    for lead, stage in ((leads[2], 1), (leads[3], 2), (leads[4], 2), (leads[5], 1), (leads[6], 1)):
        env["crm.lead.stage.force"].with_user(manager).create(
            {"lead_ids": [Command.set(lead.ids)], "target_stage_id": stages[stage].id, "reason": "known before"}
        ).action_force()
    leads[4].with_user(manager).stage_id = stages[0]  # back
    leads[5].with_user(manager).action_set_lost(lost_reason_id=env["crm.lost.reason"].create({"name": "Price"}).id)
    env["crm.lead.stage.force"].with_user(manager).create(
        {"lead_ids": [Command.set(leads[6].ids)], "target_stage_id": stages[3].id, "reason": "signed"}
    ).action_force()
    leads[7].with_user(manager).date_deadline = "2031-12-31"  # pushed
    return leads


def _create_orders(env, users, leads, partners, products):
    env.company.write(
        {
            "quotation_approval": "required",
            "quotation_approval_min_amount": 400,
            "quotation_approval_four_eyes": True,
        }
    )

    def quote(quantity, partner="Subsidiary", user="salesman", **values):
        return (
            env["sale.order"]
            .with_user(users[user])
            .create(
                {
                    "partner_id": partners[partner].id,
                    "user_id": users[user].id,
                    "order_line": [
                        Command.create(
                            {"product_id": products[0].id, "product_uom_qty": quantity, "price_unit": 100.0}
                        ),
                        Command.create({"product_id": products[1].id, "product_uom_qty": 1, "price_unit": 40.0}),
                    ],
                    **values,
                }
            )
        )

    approver = users["approver"]
    orders = {"open": quote(5), "requested": quote(11), "approved": quote(7), "closed": quote(2), "small": quote(1)}
    orders["requested"].action_request_approval()
    orders["approved"].with_user(approver).action_approve()
    orders["closed"].action_close_quotation("They buy elsewhere")
    for name, quantity, partner in (
        ("confirmed", 8, "Subsidiary"),
        ("invoiced", 9, "Branch Office"),
        ("invoiced in part", 10, "Holding"),
        ("of somebody else", 4, "Unlimited"),
    ):
        orders[name] = quote(quantity, partner)
        orders[name].with_user(approver).action_approve()
        orders[name].action_confirm()
    orders["small"].action_confirm()
    wizard = env["crm.opportunity.generate"].with_user(users["salesman"]).create({"lead_id": leads[1].id})
    orders["from an opportunity"] = env["sale.order"].browse(wizard.action_generate()["res_id"])
    orders["cancelled"] = quote(3, "Unlimited")
    orders["cancelled"].action_confirm()
    orders["cancelled"]._action_cancel()
    orders["confirmed"].sudo().order_line[1].qty_delivered = 1
    return orders


def _create_invoices(env, orders, partners, products):
    whole = orders["invoiced"].sudo()
    whole.order_line[1].qty_delivered = 1
    whole._create_invoices().action_post()
    part = orders["invoiced in part"].sudo()._create_invoices()
    part.invoice_line_ids[0].quantity = 4
    part.action_post()
    env["account.payment.register"].with_context(active_model="account.move", active_ids=part.ids).create(
        {"amount": 150}
    )._create_payments()
    for partner, amount, post in (("Holding", 321.5, True), ("Subsidiary", 77, False), ("Unlimited", 12, True)):
        move = env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partners[partner].id,
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": products[0].id,
                            "quantity": 1,
                            "price_unit": amount,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
            }
        )
        if post:
            move.action_post()


def _create_contract(env, users, partners, products):
    """A contract instead of an order, with something ordered under it."""
    if "sale.blanket.order" not in env:
        return
    quotation = env["sale.order"].create(
        {
            "partner_id": partners["Unlimited"].id,
            "user_id": users["salesman"].id,
            "order_line": [Command.create({"product_id": products[0].id, "product_uom_qty": 20, "price_unit": 100.0})],
        }
    )
    quotation.with_user(users["approver"]).action_approve()
    contract = env["sale.blanket.order"].browse(quotation.action_create_contract()["res_id"])
    contract.action_confirm()


# What the add-ons know of it


def read(env):
    """Return all of it: stored fields and figures of the add-ons by record, reports, and rights by role."""
    env = env(user=1, su=False, context={"allowed_company_ids": env.company.ids, "lang": "en_US"})
    return {
        "values": {
            model: {
                field.name: {
                    str(record.id): _to_plain(record, field) for record in records if not _is_unreadable(record, field)
                }
                for field in _get_fields(records)
            }
            for model, records in _get_records(env).items()
        },
        "reports": {model: _read_report(env, model) for model in _get_models(env, is_table=False)},
        "rights": {
            f"{role} {model}": _read_rights(env, role, model)
            for role in ROLES
            for model in (*_get_models(env), *_get_models(env, is_table=False))
        },
        "exposures": _read_exposures(env),
    }


def _get_models(env, is_table=True):
    """Return the names of the models that have a field of the add-ons, tables or reports."""
    return sorted(
        name
        for name, cls in env.registry.items()
        if not cls._abstract
        and not cls._transient
        and cls._auto == is_table
        and any(_is_ours(field) for field in cls._fields.values())
    )


def _is_ours(field):
    return bool(field._modules) and all(module.startswith(FAMILY) for module in field._modules)


def _get_records(env):
    """Return ``{model: its records}``, the first of them where there are many."""
    Models = ((name, env[name].with_context(active_test=False).sudo()) for name in _get_models(env))
    return {name: Model.search([], order="id", limit=MOST_RECORDS) for name, Model in Models}


def _get_fields(records):
    """Return the add-ons' fields that hold something: stored ones, and figures that are worked out."""
    return [
        field
        for field in records._fields.values()
        if _is_ours(field)
        and field.type not in ("one2many", "binary", "html", "properties")
        and (field.store or field.type in FIGURES)
        and field.name not in ("id", "create_date", "write_date", "create_uid", "write_uid", "display_name")
    ]


def _is_unreadable(record, field):
    """Say whether a figure is of no record but of a form under way."""
    try:
        record[field.name]
    except Exception:
        return True
    return False


def _to_plain(record, field):
    value = record[field.name]
    if field.relational:
        return sorted(value.ids)
    if field.type in ("float", "monetary"):
        return round(value, 4)
    return value if field.type in ("integer", "boolean", "json") else str(value or "")


def _read_report(env, model):
    """Return how many rows a report has, and the sum of each of its measures."""
    Report = env[model].sudo()
    measures = [
        field.name
        for field in Report._fields.values()
        if field.store and field.type in FIGURES[:3] and field.aggregator == "sum"
    ]
    [row] = Report._read_group([], [], ["__count", *(f"{name}:sum" for name in measures)])
    return dict(zip(["__count", *measures], [round(value or 0, 4) for value in row], strict=True))


def _read_rights(env, role, model):
    """Return what a role may do with a model, and how many of its records it sees."""
    user = env["res.users"].sudo().search([("login", "=", f"upgrade_{role}")])
    Model = env[model].with_user(user).with_context(active_test=False)
    allowed = [operation for operation in ("read", "write", "create", "unlink") if Model.has_access(operation)]
    return allowed, Model.search_count([]) if "read" in allowed else 0


def _read_exposures(env):
    """Return receivable, uninvoiced and draft invoiced of each unit."""
    partners = env["res.partner"].sudo().search([("name", "in", ["Holding", "Unlimited"])])
    standings = env["sale.credit.exposure"].sudo()._get_standings(partners.ids, env.company)
    return {
        partner.name: [
            round(getattr(standings[partner.id].exposure, name), 2)
            for name in ("receivable", "uninvoiced", "draft_invoiced")
        ]
        for partner in partners
    }

"""Who may do what: the access table of the add-on, in one place for the tests through the ORM and over JSON-RPC."""

from odoo.fields import Command
from odoo.tests import new_test_user

from .common import OpportunityStagesSetup

# The columns are situations: who, and how they stand to the opportunity that the record is on or belongs to.
#   own         a salesperson, on their own opportunity      collab      another, who collaborates on it
#   nobody      a salesperson, where nobody is responsible   other       another, who does not
#   supervisor  sees all documents                           elsewhere   a manager, on another company's
#   manager     Sales Administrator                          admin       Administration: Settings, and nothing in sales
#   credit      Credit Manager                               approver    Quotation Approver, who does not work on it
#   portal      the customer, whose own orders Odoo shows
# The letters are read, write, create and delete. A wizard has one: x, whoever can open it and get it done.
TABLE = """
model                         portal public employee accountant credit approver own  nobody collab other supervisor manager admin elsewhere
crm.lead                      ----   ----   ----     ----       ----   ----     rwc- rwc-   rw--   ----  rwc-       rwcd    ----  ----
crm.opportunity.line          ----   ----   ----     ----       ----   ----     rwcd rwcd   rwcd   ----  rwcd       rwcd    ----  ----
crm.opportunity.contact       ----   ----   ----     ----       ----   ----     rwcd rwcd   rwcd   ----  rwcd       rwcd    ----  ----
crm.opportunity.competitor    ----   ----   ----     ----       ----   ----     rwcd rwcd   rwcd   ----  rwcd       rwcd    ----  ----
crm.stage.visit               ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.stage.rule.signoff        ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.lead.change               ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.stage.learned.probability ----   ----   ----     ----       ----   r---     r--- r---   r---   r---  r---       r---    ----  ----
crm.deadline.report           ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.funnel.report             ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.pipeline.report           ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.stage.visit.report        ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.competition.report        ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.snapshot.report           ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.flow.report               ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.pipeline.change.report    ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.calibration.report        ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.rule.report               ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.standing.report           ----   ----   ----     ----       ----   ----     r--- r---   r---   ----  r---       r---    ----  ----
crm.competing.product         ----   ----   ----     ----       ----   rwc-     rwc- rwc-   rwc-   rwc-  rwc-       rwcd    ----  ----
crm.opportunity.type          ----   ----   r---     r---       r---   r---     r--- r---   r---   r---  r---       rwcd    r---  ----
crm.stage.rule                ----   ----   r---     r---       r---   r---     r--- r---   r---   r---  r---       rwcd    r---  rwcd
sale.order                    r---   ----   ----     rw--       ----   r---     rwc- rwc-   rw--   ----  rwc-       rwcd    ----  ----
sale.order.line               r---   ----   ----     rw--       ----   r---     rwcd rwcd   rwcd   ----  rwcd       rwcd    ----  ----
sale.approval.rule            ----   ----   ----     r---       ----   r---     r--- r---   r---   r---  r---       rwcd    ----  ----
sale.order.approval           ----   ----   ----     r---       ----   r---     r--- r---   r---   ----  r---       r---    ----  ----
sale.approval.report          ----   ----   ----     ----       ----   r---     r--- r---   r---   ----  r---       r---    ----  ----
sale.order.decision           -      -      -        -          -      x        -    -      -      -     -          x       -     -
sale.credit.check             ----   ----   ----     r---       r---   ----     r--- r---   r---   ----  r---       r---    ----  ----
sale.credit.lock              ----   ----   ----     ----       ----   ----     ---- ----   ----   ----  ----       ----    r---  ----
sale.credit.request           ----   ----   ----     r---       r---   ----     r--- r---   r---   ----  r---       r---    ----  ----
sale.credit.grant             ----   ----   ----     r---       r---   r---     r--- r---   r---   r---  r---       r---    ----  ----
sale.credit.authority         ----   ----   ----     r---       r---   ----     ---- ----   ----   ----  ----       rwcd    ----  ----
sales.ledger.seal             ----   ----   ----     ----       ----   ----     ---- ----   ----   ----  ----       ----    r---  ----
sales.ledger.amendment        ----   ----   ----     ----       ----   ----     ---- ----   ----   ----  ----       ----    r---  ----
sale.credit.request.create    -      -      -        -          -      -        x    x      x      -     x          x       -     -
sale.credit.decide            -      -      -        -          x      -        -    -      -      -     -          -       -     -
sale.credit.grant.create      -      -      -        -          x      -        -    -      -      -     -          -       -     -
sale.order.rest               -      -      -        -          -      -        x    x      x      -     x          x       -     -
sale.credit.dry.run           -      -      -        -          x      -        -    -      -      -     -          -       -     -
crm.lead.assign               -      -      -        -          -      -        x    x      -      -     x          x       -     -
crm.lead.promote              -      -      -        -          -      -        x    x      x      -     x          x       -     -
crm.lead.snooze               -      -      -        -          -      -        x    x      x      -     x          x       -     -
crm.lead.stage.force          -      -      -        -          -      -        -    -      -      -     -          x       -     -
crm.opportunity.generate      -      -      -        -          -      -        x    x      x      -     x          x       -     -
crm.opportunity.generate.line -      -      -        -          -      -        x    x      x      -     x          x       -     -
crm.lead.promote.line         -      -      -        -          -      -        x    x      x      -     x          x       -     -
crm.pipeline.history          -      -      -        -          -      x        x    x      x      x     x          x       -     x
sale.order.close              -      -      -        -          -      -        x    x      x      -     x          x       -     -
"""  # noqa: E501 - a table

NATIVE_MODELS = {"crm.lead", "sale.order", "sale.order.line"}  # Odoo's own, whose rules the add-on extends

OPERATIONS = {"r": "read", "w": "write", "c": "create", "d": "unlink", "x": "execute"}


def parse_table():
    """``{model: {situation: letters}}``"""
    (_model, *situations), *rows = (line.split() for line in TABLE.strip().splitlines())
    return {model: dict(zip(situations, cells, strict=True)) for model, *cells in rows}


class AccessSetup(OpportunityStagesSetup):
    """An opportunity for each situation, and how to make a record of each model.

    For a new model add a row to the table and a method here, ``_make_`` and the model's name, which gives a record that
    belongs to the opportunity, values to write to it and values to create another one from.
    """

    @classmethod
    def _set_up_access(cls):
        cls._set_up_pipeline()
        kwargs = {"context": {"no_reset_password": True}}
        portal = new_test_user(cls.env, "sos_portal", groups="base.group_portal", **kwargs)
        accountant, credit, approver, admin = (
            new_test_user(cls.env, f"sos_{name}", groups=group, **kwargs)
            for name, group in (
                ("accountant", "account.group_account_invoice"),
                ("credit", "sales_opportunity_stages.group_credit_manager"),
                ("approver", "sales_opportunity_stages.group_quotation_approver"),
                ("admin", "base.group_system"),
            )
        )
        cls.company = cls.env["res.company"].create({"name": "Elsewhere"})
        cls.product = cls.env["product.product"].create({"name": "Pump"})
        cls.rival, cls.customer = cls.env["res.partner"].create(
            [{"name": "Rival", "is_competitor": True}, {"name": "Customer"}]
        )
        portal.partner_id.parent_id = cls.customer
        lead, nobodys, others = cls._create_opportunities(3, partner_id=cls.customer.id)
        lead.collaborator_ids = [Command.link(cls.colleague.id)]
        nobodys.with_user(cls.supervisor).user_id = False
        elsewhere = lead.sudo().create(
            {"name": "There", "type": "opportunity", "company_id": cls.company.id, "user_id": False, "team_id": False}
        )
        cls.situations = {
            "portal": (portal, lead),
            "public": (cls.env.ref("base.public_user"), lead),
            "employee": (cls.employee, lead),
            "accountant": (accountant, lead),
            "credit": (credit, lead),
            "approver": (approver, lead),
            "own": (cls.salesman, lead),
            "nobody": (cls.salesman, nobodys),
            "collab": (cls.colleague, lead),
            "other": (cls.colleague, others),
            "supervisor": (cls.supervisor, lead),
            "manager": (cls.manager, lead),
            "admin": (admin, lead),
            "elsewhere": (cls.manager, elsewhere),
        }

    def _make(self, model, lead):
        """A record of the model that belongs to the opportunity, values to write and values to create from."""
        return getattr(self, f"_make_{model.replace('.', '_')}")(lead.sudo())

    def _make_crm_lead(self, lead):
        values = {name: lead[name].id for name in ("user_id", "team_id", "company_id")}
        return lead, {"name": "Renamed"}, {"name": "Another", "type": "opportunity", **values}

    def _make_crm_opportunity_line(self, lead):
        values = {"lead_id": lead.id, "product_id": self.product.id}
        return self.env["crm.opportunity.line"].create(values), {"price_unit": 3}, values

    def _make_crm_opportunity_contact(self, lead):
        partners = self.env["res.partner"].create([{"name": "Buyer"}, {"name": "Engineer"}])
        contact, another = ({"lead_id": lead.id, "partner_id": partner.id} for partner in partners)
        return self.env["crm.opportunity.contact"].create(contact), {"role": "user"}, another

    def _make_crm_opportunity_competitor(self, lead):
        values = {"lead_id": lead.id, "partner_id": self.rival.id}
        return self.env["crm.opportunity.competitor"].create(values), {"threat": "3"}, values

    def _make_crm_lead_change(self, lead):
        lead.expected_revenue += 10
        values = {"lead_id": lead.id, "field_name": "probability", "change_date": "2026-01-01 00:00:00"}
        return lead.lead_change_ids[:1], {"old_amount": 1}, values

    def _make_crm_stage_visit(self, lead):
        return lead.stage_visit_ids, {"reason": "x"}, {"lead_id": lead.id, "date_start": "2026-01-01 00:00:00"}

    def _make_crm_stage_rule_signoff(self, lead):
        rule = self.env["crm.stage.rule"].create({"stage_id": self.stage_closing.id, "kind": "signoff"})
        values = {"lead_id": lead.id, "rule_id": rule.id, "user_id": self.manager.id, "comment": "Fine"}
        signoff = self.env["crm.stage.rule.signoff"]._as_ledger().create(values).with_env(self.env)
        return signoff, {"comment": "x"}, values

    def _make_crm_stage_learned_probability(self, lead):
        opportunity_type, _to_write, _to_create = self._make_crm_opportunity_type(lead)
        values = {
            "opportunity_type_id": opportunity_type.id,
            "stage_id": self.stage_needs.id,
            "probability": 40,
            "date_learned": "2026-01-01 00:00:00",
        }
        learned = self.env["crm.stage.learned.probability"]._as_ledger().create(values).with_env(self.env)
        return learned, {"probability": 90}, {**values, "stage_id": self.stage_won.id}

    def _make_crm_deadline_report(self, lead):
        return self._make_report("crm.deadline.report", lead)

    def _make_crm_funnel_report(self, lead):
        return self._make_report("crm.funnel.report", lead)

    def _make_crm_pipeline_report(self, lead):
        return self._make_report("crm.pipeline.report", lead)

    def _make_crm_stage_visit_report(self, lead):
        return self._make_report("crm.stage.visit.report", lead)

    def _make_crm_snapshot_report(self, lead):
        return self._make_report("crm.snapshot.report", lead)

    def _make_crm_pipeline_change_report(self, lead):
        return self._make_report("crm.pipeline.change.report", lead)

    def _make_crm_flow_report(self, lead):
        return self._make_report("crm.flow.report", lead)

    def _make_crm_standing_report(self, lead):
        return self._make_report("crm.standing.report", lead)

    def _make_crm_rule_report(self, lead):
        values = {"stage_id": lead.stage_id.id, "kind": "condition", "name": "Any", "domain": "[]"}
        self.env["crm.stage.rule"].create(values)
        lead.action_set_lost()
        return self._make_report("crm.rule.report", lead)

    def _make_crm_competition_report(self, lead):
        self._make_crm_opportunity_competitor(lead)
        return self._make_report("crm.competition.report", lead)

    def _make_crm_calibration_report(self, lead):
        lead.stage_visit_ids._as_ledger().write({"probability": 40})
        lead.action_set_lost()
        return self._make_report("crm.calibration.report", lead)

    def _make_report(self, model, lead):
        """The first row about the opportunity, which nobody writes."""
        self.env.flush_all()
        row = self.env[model].search([("lead_id", "=", lead.id)], limit=1)
        return row, {"won_status": "won"}, {"lead_id": lead.id}

    def _make_crm_competing_product(self, lead):
        product = self.env["product.product"].create({"name": "Valve", "company_id": lead.company_id.id})
        values = {"name": "R-1", "partner_id": self.rival.id, "product_id": product.id}
        return self.env["crm.competing.product"].create(values), {"price": 5}, values

    def _make_crm_opportunity_type(self, lead):
        values = {"name": "New", "company_id": lead.company_id.id}
        return self.env["crm.opportunity.type"].create(values), {"color": 1}, values

    def _make_crm_stage_rule(self, lead):
        values = {"stage_id": self.stage_closing.id, "kind": "condition", "name": "Any", "domain": "[]"}
        return self.env["crm.stage.rule"].create(values), {"sequence": 9}, values

    def _make_sale_order(self, lead):
        values = {
            "partner_id": self.customer.id,
            "opportunity_id": lead.id,
            "user_id": lead.user_id.id,
            "company_id": (lead.company_id or self.env.company).id,
        }
        shared = {**values, "collaborator_ids": [Command.set(lead.collaborator_ids.ids)]}
        return self.env["sale.order"].create(shared), {"client_order_ref": "x"}, values

    def _make_sale_order_line(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        values = {"order_id": order.id, "product_id": self.product.id}
        return self.env["sale.order.line"].create(values), {"price_unit": 3}, values

    def _make_sale_approval_rule(self, lead):
        group = self.env.ref("sales_opportunity_stages.group_quotation_approver")
        company = lead.company_id or self.env.company
        values = {"name": "Any", "approver_type": "group", "approver_group_id": group.id, "company_id": company.id}
        return self.env["sale.approval.rule"].create(values), {"min_amount": 5}, values

    def _make_sale_order_approval(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        order._start_round(order.create_uid)
        values = {"order_id": order.id, "company_id": order.company_id.id, "level": 1, "round": 1, "state": "approved"}
        return order.approval_step_ids[:1].with_env(self.env), {"state": "approved"}, values

    def _make_sale_approval_report(self, lead):
        step, _to_write, _to_create = self._make_sale_order_approval(lead)
        self.env.flush_all()
        return self.env["sale.approval.report"].browse(step.id), {"level": 2}, {"level": 2}

    def _make_sale_order_decision(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        order._start_round(order.create_uid)
        return None, None, {"order_ids": [Command.set(order.ids)], "reason": "x"}

    def _make_sale_credit_check(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        values = {
            "order_ids": [Command.set(order.ids)],
            "unit_id": self.customer.id,
            "company_id": order.company_id.id,
            "user_id": (lead.user_id or self.salesman).id,
            "result": "passed",
            "origin": "confirm",
        }
        check = self.env["sale.credit.check"]._as_ledger().create(values).with_env(self.env)
        return check, {"result": "blocked"}, values

    def _make_sale_credit_request(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        values = {
            "order_ids": [Command.set(order.ids)],
            "unit_id": self.customer.id,
            "company_id": order.company_id.id,
            "user_id": order.user_id.id,
            "requested_by_id": (lead.user_id or self.salesman).id,
            "document_names": order.name,
        }
        request = self.env["sale.credit.request"]._as_ledger().create(values).with_env(self.env)
        return request, {"state": "granted"}, values

    def _make_sale_credit_grant(self, lead):
        company = lead.company_id or self.env.company
        values = {
            "unit_id": self.customer.id,
            "company_id": company.id,
            "root_company_id": company.root_id.id,
            "amount": 5,
        }
        grant = self.env["sale.credit.grant"]._as_ledger().create(values).with_env(self.env)
        return grant, {"amount": 10**6}, values

    def _make_sale_credit_authority(self, lead):
        values = {"company_id": (lead.company_id or self.env.company).id, "user_id": self.manager.id}
        return self.env["sale.credit.authority"].create(values), {"max_excess": 1}, values

    def _make_sales_ledger_seal(self, lead):
        values = {"model": "sale.credit.check", "last_id": 0, "digest": "x"}
        return self.env["sales.ledger.seal"]._as_ledger().create(values).with_env(self.env), {"digest": "y"}, values

    def _make_sales_ledger_amendment(self, lead):
        values = {"model": "sale.credit.check", "res_id": 1}
        amendment = self.env["sales.ledger.amendment"]._as_ledger().create(values)
        return amendment.with_env(self.env), {"digest": "y"}, values

    def _make_refused_order(self, lead):
        """A quotation that the credit check refuses."""
        order, _to_write, _to_create = self._make_sale_order(lead)
        order.company_id.account_use_credit_limit = True
        self.customer.with_company(order.company_id).credit_control = "stop"
        return order

    def _make_confirmed_order(self, lead):
        """An order with something left to deliver."""
        line, _to_write, _to_create = self._make_sale_order_line(lead)
        line.order_id.action_confirm()
        return line.order_id

    def _make_sale_credit_request_create(self, lead):
        order = self._make_refused_order(lead)
        return None, None, {"order_ids": [Command.set(order.ids)], "reason": "x"}

    def _make_sale_credit_decide(self, lead):
        request, _to_write, _to_create = self._make_sale_credit_request(lead)
        return None, None, {"request_ids": [Command.set(request.ids)], "decision": "refuse", "reason": "x"}

    def _make_sale_credit_grant_create(self, lead):
        return None, None, {"unit_id": self.customer.id, "amount": 5, "reason": "x"}

    def _make_sale_order_rest(self, lead):
        order = self._make_confirmed_order(lead)
        return None, None, {"order_ids": [Command.set(order.ids)], "reason": "x"}

    def _make_sale_credit_lock(self, lead):
        partner = self.env["res.partner"].create({"name": "Unit"})
        values = {"unit_id": partner.id}
        return self.env["sale.credit.lock"].create(values), {"version": 0}, {"unit_id": self.rival.id}

    def _make_sale_credit_dry_run(self, lead):
        return None, None, {"unit_id": self.customer.id, "credit_limit": 1}

    def _make_crm_opportunity_generate(self, lead):
        self._make_crm_opportunity_line(lead)
        return None, None, {"lead_id": lead.id}

    def _make_crm_opportunity_generate_line(self, lead):
        """A line of anybody's dialog, which shows what it says of the product line that it names."""
        line, _to_write, _to_create = self._make_crm_opportunity_line(lead)
        dialog = self.env["crm.opportunity.generate"].create({"lead_id": lead.id})
        return None, None, {"generate_id": dialog.id, "opportunity_line_id": line.id, "product_uom_qty": 1}

    def _make_sale_order_close(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        return None, None, {"order_ids": [Command.set(order.ids)], "reason": "x"}

    def _make_crm_pipeline_history(self, lead):
        return None, None, {"kind": "flow"}

    def _make_crm_lead_assign(self, lead):
        return None, None, {"lead_ids": [Command.set(lead.ids)], "mode": "set", "user_id": self.manager.id}

    def _make_crm_lead_promote(self, lead):
        if lead.opportunity_type_id == self.type_project:
            self._force(lead, self.stage_closing)
        return None, None, {"lead_ids": [Command.set(lead.ids)]}

    def _make_crm_lead_promote_line(self, lead):
        """A line of anybody's dialog, which shows what is missing on the opportunity that it names."""
        dialog = self.env["crm.lead.promote"].create({"lead_ids": [Command.set(lead.ids)]})
        return None, None, {"promote_id": dialog.id, "lead_id": lead.id, "rule_id": self.rule_call.id}

    def _make_crm_lead_snooze(self, lead):
        values = {"snooze_until": "2999-01-01", "reason": "x"}
        return None, None, {"lead_ids": [Command.set(lead.ids)], **values}

    def _make_crm_lead_stage_force(self, lead):
        stage = self.stage_needs if lead.opportunity_type_id == self.type_project else lead._get_next_stage()
        return None, None, {"lead_ids": [Command.set(lead.ids)], "target_stage_id": stage.id, "reason": "x"}

    def _get_action(self, model):
        """The method that gets the wizard's work done."""
        return {
            "crm.lead.assign": "action_assign",
            "crm.lead.promote": "action_promote",
            "crm.lead.snooze": "action_snooze",
            "crm.lead.stage.force": "action_force",
            "crm.opportunity.generate": "action_generate",
            "crm.opportunity.generate.line": "read",
            "crm.lead.promote.line": "read",
            "crm.pipeline.history": "action_show",
            "sale.order.close": "action_close",
            "sale.order.decision": "action_decide",
            "sale.credit.decide": "action_decide",
            "sale.credit.dry.run": "action_apply",
            "sale.credit.grant.create": "action_grant",
            "sale.credit.request.create": "action_request",
            "sale.order.rest": "action_close_rest",
        }[model]

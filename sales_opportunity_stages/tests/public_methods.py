"""Who may call what: the public methods of the add-on, which anybody who is logged in can call by name."""

import json

from odoo.tools import mute_logger

from .access import AccessSetup

# The columns are those of the table of access, with an x where the method does its work. Who has no x is told that
# access is refused, and nothing else: no reason that tells of a record.
TABLE = """
method                                              portal public employee accountant credit approver own nobody collab other supervisor manager admin elsewhere
crm.lead.action_complete_rule                       -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_new_order                           -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_new_quotation                       -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_promote                             -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_request_signoff                     -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_restore                             -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_set_lost                            -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_set_won                             -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_sign_off                            -      -      -        -          -      -        -   -      -      -     x          -       -     -
crm.lead.action_take_reference_prices               -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_unarchive                           -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_view_actions                        -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_view_documents                      -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.action_view_sale_quotation                 -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.convert_opportunity                        -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.lead.lost.action_lost_reason_apply              -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.opportunity.line.action_take_reference_price    -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.opportunity.type.action_learn_probabilities     -      -      -        -          -      -        -   -      -      -     -          x       -     -
crm.opportunity.type.action_open_pipeline           -      -      x        x          x      x        x   x      x      x     x          x       x     -
crm.team.action_your_pipeline                       -      -      -        -          -      x        x   x      x      x     x          x       -     x
crm.calibration.report.action_open_lead             -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.competition.report.action_open_lead             -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.deadline.report.action_open_lead                -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.flow.report.action_open_lead                    -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.flow.report.get_history_notice                  -      -      -        -          -      x        x   x      x      x     x          x       -     x
crm.pipeline.change.report.action_open_lead         -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.pipeline.change.report.get_history_notice       -      -      -        -          -      x        x   x      x      x     x          x       -     x
crm.funnel.report.action_open_lead                  -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.funnel.report.get_funnels                       -      -      -        -          -      x        x   x      x      x     x          x       -     x
crm.funnel.report.get_opportunities_action          -      -      -        -          -      x        x   x      x      x     x          x       -     x
crm.pipeline.report.action_open_lead                -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.rule.report.action_open_lead                    -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.snapshot.report.action_open_lead                -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.standing.report.action_open_lead                -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.snapshot.report.get_history_notice              -      -      -        -          -      x        x   x      x      x     x          x       -     x
crm.stage.visit.report.action_open_lead             -      -      -        -          -      -        x   x      x      -     x          x       -     -
crm.stage.action_duplicate                          -      -      -        -          -      -        -   -      -      -     -          x       -     x
crm.stage.action_take_proposed_thresholds           -      -      -        -          -      -        -   -      -      -     -          x       -     x
portal.share.action_send_mail                       -      -      -        -          -      -        -   -      -      -     -          -       -     -
res.partner.action_view_credit_checks               -      -      -        x          x      x        x   x      x      x     x          x       -     x
res.partner.action_view_credit_draft_invoiced       -      -      -        x          x      x        x   x      x      x     x          x       -     x
res.partner.action_view_credit_grants               -      -      -        x          x      x        x   x      x      x     x          x       -     x
res.partner.action_view_credit_receivable           -      -      -        x          x      x        x   x      x      x     x          x       -     x
res.partner.action_view_credit_uninvoiced           -      -      -        x          x      x        x   x      x      x     x          x       -     x
sale.credit.request.action_decide                   -      -      -        x          x      -        x   x      x      -     x          x       -     -
sale.credit.request.action_forward                  -      -      -        -          x      -        -   -      -      -     -          -       -     -
sale.credit.request.action_grant                    -      -      -        -          x      -        -   -      -      -     -          -       -     -
sale.credit.request.action_refuse                   -      -      -        -          x      -        -   -      -      -     -          -       -     -
sale.credit.request.action_release                  -      -      -        -          x      -        -   -      -      -     -          -       -     -
sale.credit.request.action_view_draft_invoiced      -      -      -        x          x      -        x   x      x      -     x          x       -     -
sale.credit.request.action_view_receivable          -      -      -        x          x      -        x   x      x      -     x          x       -     -
sale.credit.request.action_view_uninvoiced          -      -      -        x          x      -        x   x      x      -     x          x       -     -
sale.order.action_add_from_opportunity              -      -      -        x          -      -        x   x      x      -     x          x       -     -
sale.order.action_approve                           -      -      -        -          -      x        -   -      -      -     -          x       -     -
sale.order.action_close_quotation                   -      -      -        x          -      -        x   x      x      -     x          x       -     -
sale.order.action_close_rest                        -      -      -        x          -      -        x   x      x      -     x          x       -     -
sale.order.action_credit_check                      -      -      -        x          -      x        x   x      x      -     x          x       -     -
sale.order.action_preview_approval                  -      -      -        x          -      x        x   x      x      -     x          x       -     -
sale.order.action_quotation_send                    -      -      -        x          -      x        x   x      x      -     x          x       -     -
sale.order.action_quotation_sent                    -      -      -        x          -      -        x   x      x      -     x          x       -     -
sale.order.action_refuse_approval                   -      -      -        -          -      x        -   -      -      -     -          x       -     -
sale.order.action_reopen_quotation                  -      -      -        -          -      -        -   -      -      -     -          x       -     -
sale.order.action_reopen_rest                       -      -      -        x          -      -        x   x      x      -     x          x       -     -
sale.order.action_request_credit                    -      -      -        x          -      -        x   x      x      -     x          x       -     -
sale.order.action_request_approval                  -      -      -        x          -      -        x   x      x      -     x          x       -     -
sale.order.action_return_approval                   -      -      -        -          -      x        -   -      -      -     -          x       -     -
sale.order.action_share                             -      -      -        x          -      x        x   x      x      -     x          x       -     -
sale.order.action_unapprove                         -      -      -        -          -      x        -   -      -      -     -          x       -     -
sale.order.action_withdraw_request                  -      -      -        -          -      -        -   -      -      -     -          -       -     -
sale.order.action_view_credit_checks                -      -      -        x          -      x        x   x      x      -     x          x       -     -
sale.order.action_view_credit_requests              -      -      -        x          -      x        x   x      x      -     x          x       -     -
sale.order.message_post                             -      -      -        x          -      -        x   x      x      -     x          x       -     -
"""  # noqa: E501 - a table

# Odoo's own ways to records, overridden: the table of access tries them model by model.
ORM_METHODS = {
    "fields_get",
    "get_import_templates",
    "init",  # Odoo lets nobody call it
    "load",
    *("create", "write", "unlink", "copy", "copy_data"),
    *("web_read", "name_create", "name_search", "default_get"),
}


def parse_methods(text):
    """``{(model, method): {situation: whether it may}}``"""
    (_method, *situations), *rows = (line.split() for line in text.strip().splitlines())
    return {
        tuple(name.rsplit(".", 1)): {situation: cell == "x" for situation, cell in zip(situations, cells, strict=True)}
        for name, *cells in rows
    }


def find_public_methods(registry, module):
    """What the classes of a module let be called by name: ``{(model, method)}``, of models that have records."""
    return {
        (name, method)
        for name, model in registry.items()
        if not model._abstract
        for cls in model.mro()
        if cls.__module__.startswith(f"odoo.addons.{module}.")
        for method, attribute in vars(cls).items()
        if callable(attribute) and not method.startswith("_") and not getattr(attribute, "_api_private", False)
    } - {(name, method) for name in registry for method in ORM_METHODS}


class PublicMethodsSetup(AccessSetup):
    """How each method is called.

    For a new method add a row to the table and, unless it takes a record and nothing else, a method here:
    ``_prepare_``, the model's name and the method's, which gives its arguments.
    """

    def _prepare_call(self, model, method, lead):
        """The arguments of a call that works, where access is given: the ids of a record of the opportunity first.

        A dict at the end is the context.
        """
        prepare = getattr(self, f"_prepare_{model.replace('.', '_')}_{method}", None)
        if prepare:
            return prepare(lead.sudo())
        record, _to_write, _to_create = self._make(model, lead)
        return [record.ids]

    def _make_res_partner(self, lead):
        return self.customer, {}, {}

    def _prepare_crm_stage_action_duplicate(self, lead):
        return [self.stage_needs.ids]

    def _prepare_crm_stage_action_take_proposed_thresholds(self, lead):
        return [self.stage_needs.ids]

    def _prepare_crm_lead_action_complete_rule(self, lead):
        return [lead.ids, self.rule_call.id]

    def _prepare_crm_lead_action_sign_off(self, lead):
        self.team.user_id = self.supervisor
        rule = self.env["crm.stage.rule"].create({"stage_id": self.stage_closing.id, "kind": "signoff"})
        return [lead.ids, rule.id, "Fine"]

    def _prepare_crm_lead_action_request_signoff(self, lead):
        self.team.user_id = self.env.ref("base.user_admin")
        rule = self.env["crm.stage.rule"].create({"stage_id": self.stage_closing.id, "kind": "signoff"})
        return [lead.ids, rule.id]

    def _prepare_crm_team_action_your_pipeline(self, lead):
        return [{}]

    def _prepare_crm_lead_action_promote(self, lead):
        self._force(lead, self.stage_closing) if lead.opportunity_type_id == self.type_project else None
        return [lead.ids]

    def _prepare_crm_lead_action_set_won(self, lead):
        return self._prepare_crm_lead_action_promote(lead)

    def _prepare_crm_lead_action_restore(self, lead):
        lead.action_set_lost()
        return [lead.ids]

    def _prepare_crm_lead_action_unarchive(self, lead):
        return self._prepare_crm_lead_action_restore(lead)

    def _prepare_crm_lead_convert_opportunity(self, lead):
        return [lead.ids, False]

    def _prepare_crm_lead_action_take_reference_prices(self, lead):
        self._make_crm_opportunity_line(lead)
        return [lead.ids]

    def _prepare_crm_lead_lost_action_lost_reason_apply(self, lead):
        return ["crm.lead.lost", {"lead_ids": [[6, 0, lead.ids]], "lost_to_id": self.rival.id}]

    def _prepare_portal_share_action_send_mail(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        values = {"res_model": "sale.order", "res_id": order.id, "partner_ids": [[6, 0, self.customer.ids]]}
        return ["portal.share", values]

    def _prepare_crm_flow_report_get_history_notice(self, lead):
        return [{}]

    _prepare_crm_snapshot_report_get_history_notice = _prepare_crm_flow_report_get_history_notice
    _prepare_crm_pipeline_change_report_get_history_notice = _prepare_crm_flow_report_get_history_notice

    def _prepare_crm_funnel_report_get_funnels(self, lead):
        return [[], ["user_id"]]

    def _prepare_crm_funnel_report_get_opportunities_action(self, lead):
        return [[]]

    def _prepare_sale_order_action_share(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        return [order.ids, {"active_id": order.id, "active_model": "sale.order"}]

    def _prepare_sale_order_action_unapprove(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        order._set_approved()
        return [order.ids]

    def _prepare_sale_order_action_refuse_approval(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        order._start_round(order.create_uid)
        return [order.ids, "Too cheap"]

    def _prepare_sale_order_action_return_approval(self, lead):
        return self._prepare_sale_order_action_refuse_approval(lead)

    def _prepare_sale_order_action_withdraw_request(self, lead):
        return self._prepare_sale_order_action_refuse_approval(lead)[:1]

    def _prepare_sale_order_action_reopen_quotation(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        order.action_close_quotation("secret reason")
        return [order.ids]

    def _prepare_sale_order_action_close_quotation(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        return [order.ids, "No budget"]

    def _prepare_sale_order_action_request_credit(self, lead):
        return [self._make_refused_order(lead).ids, "Known customer"]

    def _prepare_sale_order_action_close_rest(self, lead):
        return [self._make_confirmed_order(lead).ids, "Discontinued"]

    def _prepare_sale_order_action_reopen_rest(self, lead):
        order = self._make_confirmed_order(lead)
        order.action_close_rest("secret reason")
        return [order.ids]

    def _prepare_request(self, lead, *args):
        """A request for an order of no opportunity: no release lets one of an opportunity pass."""
        request, _to_write, _to_create = self._make_sale_credit_request(lead)
        request.company_id.credit_release_crm = True
        return [request.ids, *args]

    def _prepare_sale_credit_request_action_release(self, lead):
        return self._prepare_request(lead, "Known customer")

    def _prepare_sale_credit_request_action_refuse(self, lead):
        return self._prepare_request(lead, "Too late")

    def _prepare_sale_credit_request_action_grant(self, lead):
        return self._prepare_request(lead, 5, "2999-12-31", "Known customer")

    def _prepare_sale_credit_request_action_forward(self, lead):
        return self._prepare_request(lead, self.situations["credit"][0].id, "Yours")

    def _prepare_sale_order_message_post(self, lead):
        order, _to_write, _to_create = self._make_sale_order(lead)
        return [order.ids]


class PublicMethodsTests(PublicMethodsSetup):
    """The table is what happens, over JSON-RPC. For an ``HttpCase``; a bridge has a table of its own."""

    allow_inherited_tests_method = True
    MODULE = "sales_opportunity_stages"
    TABLE = TABLE

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_access()

    def _call(self, model, method, *args, **kwargs):
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule"):
            response = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}",
                data=json.dumps({"params": {"model": model, "method": method, "args": args, "kwargs": kwargs}}),
                headers={"Content-Type": "application/json"},
            )
        return response.json().get("error", {}).get("data"), response.json().get("result")

    def _try(self, model, method, lead):
        """Call it and undo it again.

        :returns: what was wrong, None when it was done
        """
        with self.env.cr.savepoint() as savepoint:
            args = self._prepare_call(model, method, lead)
            self.env.flush_all()
            self.env.invalidate_all()
            if args[0] == model:  # a dialog, which whoever calls it has to open first
                error, ids = self._call(model, "create", args[1:])
                error = error or self._call(model, method, ids)[0]
            else:
                kwargs = {"context": args.pop()} if isinstance(args[-1], dict) else {}
                error, _result = self._call(model, method, *args, **kwargs)
            savepoint.rollback()
        self.env.invalidate_all()
        return error

    def test_every_public_method_is_in_the_table(self):
        """A new method needs a row; one that is nobody's to call begins with an underscore or is @api.private."""
        found = find_public_methods(self.env.registry, self.MODULE)
        wizards = {(name, method) for name, method in found if self.env[name]._original_module == self.MODULE}
        wizards = {(name, method) for name, method in wizards if self.env[name]._transient}
        for name, method in wizards:
            self.assertEqual(self._get_action(name), method, "the table of access tries one method of a dialog")
        self.assertEqual(found - wizards, set(parse_methods(self.TABLE)))

    def test_the_table_is_what_happens(self):
        methods = parse_methods(self.TABLE)
        for situation, (user, lead) in self.situations.items():
            is_public = situation == "public"
            self.authenticate(None if is_public else user.login, None if is_public else user.login)
            refusal = "odoo.http.SessionExpiredException" if is_public else "odoo.exceptions.AccessError"
            for (model, method), row in methods.items():
                with self.subTest(situation=situation, method=f"{model}.{method}"):
                    error = self._try(model, method, lead) or {}
                    expected = None if row[situation] else refusal
                    self.assertEqual(error.get("name"), expected, error.get("debug"))

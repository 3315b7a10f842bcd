from odoo.tests import TransactionCase, tagged

from . import screens


@tagged("post_install", "-at_install")
class TestScreens(TransactionCase):
    """The screens save what they show, offer the right records, and narrow when a filter is added."""

    def assertNoFaults(self, faults):
        faults = sorted(set(faults))
        self.assertFalse(faults, "\n" + "\n".join(faults))

    def _get_views(self, *types):
        views = screens.get_own_views(self.env).filtered(lambda view: view.type in types)
        self.assertTrue(views)
        return views

    def test_what_a_row_shows_is_saved(self):
        self.assertNoFaults(
            fault
            for view in self._get_views("form")
            for fault in screens.find_lost_values(self.env, view.model, screens.get_arch(view))
        )

    def test_domains_name_the_right_record(self):
        self.assertNoFaults(screens.find_wrong_field_domains(self.env))
        self.assertNoFaults(
            fault
            for view in self._get_views("form", "list", "kanban")
            for fault in screens.find_wrong_records(self.env, view.model, screens.get_arch(view))
        )

    def test_filters_narrow_what_a_list_opens_with(self):
        self.assertNoFaults(
            fault
            for view in self._get_views("search")
            for fault in screens.find_useless_filters(
                view.model, screens.get_arch(view), screens.get_default_filters(self.env, view.model)
            )
        )


@tagged("post_install", "-at_install")
class TestScreenChecks(TransactionCase):
    """The checks find what they are for, each shown by the smallest screen that has the fault."""

    def _find_lost(self, column, form="<field name='promotes'/>", rows="", field=""):
        arch = f"""<form><field name="rule_ids" {field}><list {rows}><field name="promotes" {column}/></list>
            <form>{form}</form></field></form>"""
        return list(screens.find_lost_values(self.env, "crm.stage", screens.parse(arch)))

    def test_read_only_column(self):
        self.assertEqual(len(self._find_lost('readonly="1"')), 1)
        self.assertEqual(len(self._find_lost('readonly="1"', rows='editable="bottom"')), 1)
        self.assertEqual(len(self._find_lost('readonly="True"')), 1)

    def test_read_only_column_that_is_saved_or_not_edited(self):
        self.assertEqual(self._find_lost('readonly="1" force_save="1"'), [])
        self.assertEqual(self._find_lost(""), [])
        self.assertEqual(self._find_lost("readonly=\"kind == 'condition'\""), [])
        self.assertEqual(self._find_lost('readonly="1"', form="<field name='name'/>"), [])
        self.assertEqual(self._find_lost('readonly="1"', form="<field name='promotes' readonly='1'/>"), [])
        self.assertEqual(self._find_lost('readonly="1"', rows='no_open="1"'), [])
        self.assertEqual(self._find_lost('readonly="1"', field='readonly="1"'), [])

    def test_read_only_column_and_the_models_own_form(self):
        arch = '<form><field name="rule_ids"><list><field name="promotes" readonly="1"/></list></field></form>'
        self.assertEqual(len(list(screens.find_lost_values(self.env, "crm.stage", screens.parse(arch)))), 1)

    def _find_domain(self, domain, model="res.partner", field="credit_unit_id"):
        arch = screens.parse(f'<form><field name="{field}" domain="{domain}"/></form>')
        return list(screens.find_wrong_records(self.env, model, arch))

    def test_id_of_the_edited_record(self):
        self.assertEqual(len(self._find_domain("[('commercial_partner_id', '=', id)]")), 1)
        self.assertEqual(len(self._find_domain("[('id', '=', id)]", "crm.lead", "partner_id")), 1)
        self.assertEqual(len(self._find_domain("[('id', '!=', id)]", "crm.lead", "partner_id")), 1)
        self.assertEqual(len(self._find_domain("[('parent_id', 'child_of', [id])]", "crm.lead", "partner_id")), 1)
        self.assertEqual(len(self._find_domain("[('id', 'in', active_ids)]", "crm.lead", "partner_id")), 1)

    def test_id_of_the_right_record(self):
        self.assertEqual(self._find_domain("[('id', '!=', id), ('is_company', '=', True)]"), [])
        self.assertEqual(self._find_domain("[('stage_id', '=', id)]", "crm.stage", "rule_ids"), [])
        self.assertEqual(self._find_domain("[('id', 'in', tag_ids)]", "crm.lead", "tag_ids"), [])

    def test_domain_of_a_row(self):
        arch = screens.parse(
            """<form><field name="rule_ids"><list>
            <field name="target_stage_id" domain="[('rule_ids', '=', id)]"/>
            <field name="activity_type_id" domain="[('id', '=', id)]"/></list></field></form>"""
        )
        faults = list(screens.find_wrong_records(self.env, "crm.stage", arch))
        self.assertEqual(len(faults), 1)
        self.assertIn("crm.stage.rule.activity_type_id", faults[0])

    def test_default_of_another_model(self):
        arch = screens.parse("""<form><field name="rule_ids" context="{'default_target_stage_id': id}"/>
            <field name="rule_ids" context="{'default_activity_type_id': id}"/></form>""")
        self.assertEqual(len(list(screens.find_wrong_records(self.env, "crm.stage", arch))), 1)

    def _find_filters(self, *filters, separator=""):
        nodes = separator.join(
            f'<filter name="{name}" date="{domain}"/>'
            if domain.isidentifier()
            else f'<filter name="{name}" domain="{domain}"/>'
            for name, domain in filters
        )
        arch = screens.parse(f"<search><field name='name'/>{nodes}</search>")
        return list(screens.find_useless_filters("sale.order", arch, {"default"}))

    def test_filter_in_the_group_of_a_default(self):
        default = ("default", "[('approval_state', '!=', 'closed')]")
        waiting = ("waiting", "[('approval_state', '=', 'open'), ('state', '=', 'sent')]")
        self.assertEqual(len(self._find_filters(default, waiting)), 1)
        self.assertEqual(self._find_filters(default, waiting, separator="<separator/>"), [])
        self.assertEqual(self._find_filters(default, waiting, separator="<field name='partner_id'/>"), [])
        mine = ("default", "[('user_id', '=', uid)]")
        self.assertEqual(len(self._find_filters(mine, ("ready", "[('can_promote', '=', True)]"))), 1)
        self.assertEqual(len(self._find_filters(mine, ("created", "create_date"))), 1)
        self.assertEqual(len(self._find_filters(("default", "date_order"), ("created", "create_date"))), 1)

    def test_alternatives_to_a_default(self):
        closed = ("closed", "[('approval_state', '=', 'closed')]")
        self.assertEqual(self._find_filters(("default", "[('approval_state', '!=', 'closed')]"), closed), [])
        self.assertEqual(self._find_filters(("default", "[('approval_state', '=', 'open')]"), closed), [])
        mine = ("default", "[('user_id', '=', uid)]")
        self.assertEqual(self._find_filters(mine, ("none", "[('user_id', '=', False)]")), [])
        self.assertEqual(self._find_filters(mine, ("helping", "[('collaborator_ids', 'in', [uid])]")), [])
        self.assertEqual(self._find_filters(("default", "date_order"), ("none", "[('date_order', '=', False)]")), [])

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user

from .credit_common import CreditCase


class TestMembers(CreditCase):
    """Everything that reads the members of a unit reads the same ones, archived ones among them."""

    def test_archived_members_are_listed(self):
        self._confirm(300)
        self._invoice(100)
        self._invoice(50, post=False)
        self.customer.active = False
        self.unit.invalidate_recordset()
        self.assertEqual(self.unit.credit_member_ids, self.customer | self.member)
        self.assertEqual(self.unit.credit_member_count, 2)
        self.assertEqual((self.unit.credit_exposure, self.customer.credit_share), (450, 450))
        for model, field, amount in (
            ("account.move.line", "amount_residual", 100),
            ("sale.order", "credit_uninvoiced", 300),
            ("account.move", "credit_draft_invoiced", 50),
        ):
            documents = self.env[model].search(self.unit._get_credit_document_domain(model))
            self.assertEqual(sum(documents.mapped(field)), amount)

    def test_the_form_of_a_unit_with_members_of_another_branch(self):
        """It opens, and lists the members that its user may read; all of them are counted."""
        north, south = self.env["res.company"].create(
            [{"name": name, "parent_id": self.company.id} for name in ("North", "South")]
        )
        self.member.company_id = north
        southerner = new_test_user(
            self.env,
            "sos_south",
            groups="sales_team.group_sale_salesman_all_leads,account.group_account_invoice",
            company_id=south.id,
            company_ids=[Command.set(south.ids)],
        )
        unit = self.unit.with_user(southerner).with_context(allowed_company_ids=south.ids)
        with self.assertRaises(AccessError):
            self.member.with_user(southerner).check_access("read")
        read = unit.web_read({"credit_member_ids": {"fields": {"name": {}, "city": {}}}, "credit_member_count": {}})
        self.assertEqual([member["name"] for member in read[0]["credit_member_ids"]], ["Acme"])
        self.assertEqual(read[0]["credit_member_count"], 2)
        self.assertEqual(unit.sudo().credit_member_ids, self.customer | self.member)

    def test_one_level_with_archived_members(self):
        (self.customer | self.member).active = False
        with self.assertRefused("'Holding' is the credit unit of", ValidationError):
            self.unit.credit_unit_id = self.free

    def test_a_unit_of_archived_members_is_not_deleted(self):
        (self.customer | self.member).active = False
        with self.assertRefused("'Holding' is the credit unit of Acme, Subsidiary"):
            self.unit.unlink()

    def test_what_an_archived_contact_owes_is_not_moved_away(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        self._confirm(900, contact)
        contact.active = False
        self.salesman.group_ids |= self.env.ref("base.group_partner_manager")
        with self.assertRefused("only an accountant or a credit", AccessError):
            self.customer.with_user(self.salesman).write({"parent_id": self.free.id, "is_company": False})

    def test_a_unit_is_no_contact_of_another_company(self):
        with self.assertRefused("cannot become a contact of 'Unlimited'", ValidationError):
            self.unit.with_user(self.accountant).sudo().write({"parent_id": self.free.id, "is_company": False})
        self.unit.write({"parent_id": self.free.id})  # a company below another one carries its own credit
        self.assertEqual(self.unit.commercial_partner_id, self.unit)
        with self.assertRefused("cannot become a contact of 'Unlimited'", ValidationError):
            self.unit.is_company = False
        (self.customer | self.member).credit_unit_id = False
        self.unit.is_company = False

    def test_a_default_term_is_what_anybody_is_granted(self):
        for name, value in (("credit_term_days", 30), ("credit_limit", 500)):
            self.env["ir.default"].set("res.partner", name, value, company_id=self.company.id)
        self.salesman.group_ids |= self.env.ref("base.group_partner_manager")
        partners = self.env["res.partner"].with_user(self.salesman)
        company = partners.create({"name": "New", "is_company": True})
        self.assertEqual((company.credit_term_days, company.credit_limit), (30, 500))
        contact = partners.create({"name": "Ann", "parent_id": company.id})
        contact.parent_id = partners.create({"name": "Newer", "is_company": True})
        with self.assertRefused("accountant or a credit manager", AccessError):
            partners.create({"name": "New", "is_company": True, "credit_term_days": 31})
        with self.assertRefused("accountant or a credit manager", AccessError):
            partners.create({"name": "New", "is_company": True, "credit_term_days": 0})

    def test_where_credit_is_not_checked_is_said(self):
        self.assertFalse(self.unit.with_user(self.accountant).credit_unchecked_companies)
        branch = self.env["res.company"].create({"name": "North", "parent_id": self.company.id})
        self.accountant.company_ids |= branch
        self.env.invalidate_all()
        self.assertEqual(self.unit.with_user(self.accountant).credit_unchecked_companies, "North")
        self.unit.company_id = self.company
        self.assertFalse(self.unit.with_user(self.accountant).credit_unchecked_companies)
        self.env.user.company_ids |= branch
        self.assertIn("North", self.env["res.config.settings"].create({}).credit_unchecked_companies)
        branch.account_use_credit_limit = True
        self.assertNotIn("North", self.env["res.config.settings"].create({}).credit_unchecked_companies)


class TestMerging(CreditCase):
    """Merging customers keeps what they owe in the unit that it counts in, or is refused."""

    def _merge(self, source, destination, user=None):
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(user or self.env.user)
        wizard._merge((source | destination).ids, destination, extra_checks=False)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse([each for each in self.env["sales.consistency"].get_findings() if "credit" in each[0]])

    def _make_company(self, name, **values):
        return self.env["res.partner"].create({"name": name, "is_company": True, **values})

    def test_a_member_into_a_stranger(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        self._confirm(300)
        self._confirm(20, contact)
        stranger = self._make_company("Acme Ltd.")
        known = self.env["res.partner"].create({"name": "Bob", "parent_id": stranger.id})
        self._merge(self.customer, stranger)
        self.assertEqual((stranger.credit_unit_id, known.credit_unit_id, contact.credit_unit_id), (self.unit,) * 3)
        self.assertEqual(self._get_exposure().uninvoiced, 320)

    def test_a_stranger_into_a_member(self):
        stranger = self._make_company("Acme Ltd.")
        known = self.env["res.partner"].create({"name": "Bob", "parent_id": stranger.id})
        self._confirm(300, stranger)
        self._merge(stranger, self.customer)
        self.assertEqual((self.customer.credit_unit_id, known.credit_unit_id), (self.unit, self.unit))
        self.assertEqual(self._get_exposure().uninvoiced, 300)

    def test_into_one_with_terms_of_its_own(self):
        other = self._make_company("Acme Ltd.", credit_limit=50)
        self._confirm(300)
        with self.assertRefused("'Acme' cannot be merged into 'Acme Ltd.'"):
            self._merge(self.customer, other)
        self._merge(self.member, other)
        self.assertFalse(other.credit_unit_id)

    def test_into_a_member_of_another_unit(self):
        other = self._make_company("Acme Ltd.", credit_unit_id=self.free.id)
        self._confirm(300)
        with self.assertRefused("'Acme' cannot be merged into 'Acme Ltd.'"):
            self._merge(self.customer, other)

    def test_members_of_one_unit(self):
        self._confirm(300)
        self._merge(self.customer, self.member)
        self.assertEqual((self.member.credit_unit_id, self._get_exposure().uninvoiced), (self.unit, 300))

    def test_a_member_into_its_unit(self):
        self._confirm(300)
        self._merge(self.customer, self.unit)
        self.assertFalse(self.unit.credit_unit_id)
        self.assertEqual((self.unit.credit_member_ids, self._get_exposure().uninvoiced), (self.member, 300))

    def test_a_unit_into_its_member(self):
        self._confirm(300)
        self._merge(self.unit, self.customer)
        self.assertFalse(self.customer.credit_unit_id)
        self.assertEqual(self.member.credit_unit_id, self.customer)
        self.assertEqual((self.customer.credit_limit, self._get_exposure(self.customer).uninvoiced), (1000, 300))

    def test_a_unit_into_a_stranger(self):
        stranger = self._make_company("Holding Ltd.")
        self._confirm(300)
        self._merge(self.unit, stranger)
        self.assertEqual(stranger.credit_member_ids, self.customer | self.member)
        self.assertEqual((stranger.credit_limit, self._get_exposure(stranger).uninvoiced), (1000, 300))

    def test_a_unit_into_a_member_of_another_one(self):
        other = self._make_company("Acme Ltd.", credit_unit_id=self.free.id)
        with self.assertRefused("'Holding' cannot be merged into 'Acme Ltd.'"):
            self._merge(self.unit, other)

    def test_contacts_of_one_company(self):
        one, two = self.env["res.partner"].create(
            [{"name": name, "parent_id": self.customer.id} for name in ("Ann", "Bob")]
        )
        self._confirm(300, one)
        self._merge(one, two)
        self.assertEqual((two.credit_unit_id, self._get_exposure().uninvoiced), (self.unit, 300))

    def test_a_contact_into_one_of_another_company(self):
        one = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        two = self.env["res.partner"].create({"name": "Bob", "parent_id": self.free.id})
        self._confirm(300, one)
        with self.assertRefused("'Ann' cannot be merged into 'Bob'"):
            self._merge(one, two)


class TestLog(CreditCase):
    """Who changed what a unit is granted is logged: when, from what, to what and for which company."""

    def _get_log(self, partner):
        """(field, user, old, new) of what was logged, newest first."""
        self.env.flush_all()
        self.env.invalidate_all()
        return [
            (
                value.field_id.name,
                message.author_id,
                value.old_value_char or value.old_value_float or value.old_value_integer or False,
                value.new_value_char or value.new_value_float or value.new_value_integer or False,
            )
            for message in partner.message_ids
            for value in message.sudo().tracking_value_ids.sorted("id")
            if value.field_id.name.startswith("credit_")
        ]

    def test_by_hand(self):
        author = self.credit_manager.partner_id
        with Form(self.member.with_user(self.credit_manager)) as form:
            form.credit_unit_id = self.env["res.partner"]
        self.assertEqual(self._get_log(self.member)[0], ("credit_unit_id", author, "Holding", False))
        self.unit.with_user(self.credit_manager).write({"credit_limit": 5000, "credit_term_days": 60})
        self.assertEqual(
            sorted(self._get_log(self.unit)[:2]),
            [("credit_limit", author, 1000, 5000), ("credit_term_days", author, False, 60)],
        )
        self.assertIn(self.company.name, self.unit.message_ids[0].body)

    def test_by_an_import(self):
        self.env["ir.model.data"]._update_xmlids([{"xml_id": "__import__.holding", "record": self.unit}])
        accountant = self.accountant
        accountant.group_ids |= self.env.ref("base.group_partner_manager")
        partners = self.env["res.partner"].with_user(accountant).with_context(import_file=True, tracking_disable=True)
        result = partners.load(
            ["id", "name", "credit_limit", "credit_term_days"],
            [["__import__.holding", "Holding", "700", "14"], ["__import__.new", "New", "800", "0"]],
        )
        self.assertFalse([message for message in result["messages"] if message["type"] == "error"], result)
        author = accountant.partner_id
        self.assertEqual(
            sorted(self._get_log(self.unit)[:2]),
            [("credit_limit", author, 1000, 700), ("credit_term_days", author, False, 14)],
        )
        new = self.env.ref("__import__.new")
        self.assertEqual(self._get_log(new), [("credit_limit", author, False, 800)])

    def test_of_each_company(self):
        branch = self.env["res.company"].create({"name": "North", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self.unit.with_company(branch).credit_limit = 70
        self.assertIn("North", self.unit.message_ids[0].body)
        self.assertEqual(self._get_log(self.unit)[0][2:], (False, 70))
        self.unit.with_company(branch).credit_limit = 70
        self.assertEqual(len(self._get_log(self.unit)), 2, "the first one is from the set-up")

    def test_what_stays_is_not_logged(self):
        count = len(self.unit.message_ids)
        self.unit.write({"credit_limit": 1000, "credit_term_days": 0, "phone": "1"})
        self.assertFalse([each for each in self._get_log(self.unit) if each[0] == "credit_term_days"])
        self.assertEqual(len(self.unit.message_ids), count)

    def test_contacts_have_the_log_of_their_company(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.unit.id})
        self.unit.credit_limit = 7
        self.assertFalse(self._get_log(contact))

    def test_who_reads_it(self):
        value = self.env["res.partner"].browse(self.unit.id).message_ids.sudo().tracking_value_ids[:1]
        self.assertTrue(value)
        self.assertFalse(value._filter_has_field_access(self.env(user=self.employee)))
        self.assertTrue(value._filter_has_field_access(self.env(user=self.salesman)))


class TestTold(CreditCase):
    """What the customer has accepted and credit refuses is told to who decides on credit, too."""

    def test_signature(self):
        order = self._order(5000, require_signature=True)
        order.sudo().with_context()._keep_acceptance(lambda orders: orders.action_confirm())
        activities = order.sudo().activity_ids
        self.assertEqual(activities.user_id, self.salesman | self.credit_manager)
        note = activities.filtered(lambda activity: activity.user_id == self.credit_manager).note
        self.assertIn("credit limit of Holding is exceeded", note)
        self.assertIn("<br>", note)
        self.assertEqual(order.state, "draft")

    def test_refused_for_another_reason(self):
        self.company.quotation_approval = "required"
        order = self._order(500)
        order.sudo()._keep_acceptance(lambda orders: orders.action_confirm())
        self.assertEqual(order.sudo().activity_ids.user_id, self.salesman)

    def test_of_another_company(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.credit_manager.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        order = self._order(5000)
        order.sudo()._keep_acceptance(lambda orders: orders.action_confirm())
        self.assertEqual(order.sudo().activity_ids.user_id, self.salesman)

    def test_the_text_is_no_markup(self):
        self.unit.name = "<b>Holding</b>"
        order = self._order(5000)
        order.sudo()._keep_acceptance(lambda orders: orders.action_confirm())
        self.assertNotIn("<b>", order.sudo().activity_ids[0].note)

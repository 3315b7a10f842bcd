from odoo.fields import Command
from odoo.tests import new_test_user

from .quotation_common import QuotationCase, QuotationSetup

ASKED = "sales_opportunity_stages.mail_activity_type_approval"


class ApprovalFlowSetup(QuotationSetup):
    """A flow of three levels in the company: the team leader from 500, the director from 1,000 or over a discount of
    20 %, and both of two board members from 5,000. Nobody of them is a quotation approver or administrator."""

    @classmethod
    def _set_up_flow(cls):
        cls._set_up_quotations()
        names = ("leader", "director", "deputy", "board_a", "board_b")
        groups = "sales_team.group_sale_salesman"
        cls.leader, cls.director, cls.deputy, cls.board_a, cls.board_b = (
            new_test_user(cls.env, f"sos_{name}", groups=groups, context={"no_reset_password": True}) for name in names
        )
        cls.team.user_id = cls.leader
        cls.rule_leader = cls._create_rule("Leader", 1, 500, approver_type="team_leader")
        cls.rule_director = cls._create_rule("Director", 2, 1000, approver_ids=cls.director)
        cls.rule_board = cls._create_rule("Board", 3, 5000, approver_ids=cls.board_a | cls.board_b, quorum="all")

    @classmethod
    def _create_rule(cls, name, level, min_amount, approver_ids=None, **values):
        if approver_ids:
            values["approver_ids"] = [Command.set(approver_ids.ids)]
        values = {"name": name, "level": level, "min_amount": min_amount, "company_id": cls.company.id, **values}
        return cls.env["sale.approval.rule"].create(values)

    @classmethod
    def _create_quotation(cls, user=None, **values):
        return super()._create_quotation(user=user, **{"team_id": cls.team.id, **values})

    def _request(self, price=100, **values):
        """A requested quotation of ten pumps."""
        order = self._create_quotation(price=price, **values)
        order.action_request_approval()
        return order

    def _get_steps(self, order, *states):
        """The steps of the last request: (rule, state)."""
        order.invalidate_recordset()
        steps = order.sudo().approval_step_ids.filtered(lambda step: step.round == order.sudo().approval_round)
        return [(step.rule_id, step.state) for step in steps.sorted("id") if not states or step.state in states]

    def _get_asked(self, order):
        """The users who have an activity that asks for the approval."""
        order.invalidate_recordset(["activity_ids"])
        activities = order.sudo().activity_ids
        return activities.filtered(lambda activity: activity.activity_type_id == self.env.ref(ASKED)).user_id

    def _approve(self, order, *users):
        for user in users:
            order.with_user(user).action_approve()


class ApprovalFlowCase(ApprovalFlowSetup, QuotationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_flow()

    @classmethod
    def _set_up_quotations(cls):
        """Once, though both the case and the flow ask for it."""
        return None if hasattr(cls, "approver") else super()._set_up_quotations()

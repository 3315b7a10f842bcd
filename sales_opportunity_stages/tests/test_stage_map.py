import doctest

from odoo.tests import BaseCase, tagged

from odoo.addons.sales_opportunity_stages.tools import Rule, Stage, StageMap, Type, stage_map


def make_stage(stage_id, sequence, is_won=False, fold=False, types=(), teams=()):
    return Stage(stage_id, sequence, is_won, fold, 0, frozenset(types), frozenset(teams))


@tagged("post_install", "-at_install")
class TestStageMap(BaseCase):
    def test_documentation(self):
        results = doctest.testmod(stage_map)
        self.assertGreater(results.attempted, 4)
        self.assertEqual(results.failed, 0)

    def setUp(self):
        super().setUp()
        self.map = StageMap(
            [Type(1, True, None, "stage"), Type(2, True, 10, "native"), Type(3, False, None, "native")],
            [
                make_stage(11, 5, types=[1]),
                make_stage(12, 5, types=[1, 2]),
                make_stage(13, 1, is_won=True, types=[1]),
                make_stage(14, 9, types=[1], teams=[7]),
                make_stage(15, 2, fold=True),
            ],
            [
                Rule(1, 11, "action", 4, None, True, True, None),
                Rule(2, 11, "condition", None, "[]", False, False, None),
            ],
        )

    def test_path(self):
        self.assertEqual(self.map.path(1, None), (15, 11, 12, 13), "won is last, ties go by id, other teams are out")
        self.assertEqual(self.map.path(1, 7), (15, 11, 12, 14, 13))
        self.assertEqual(self.map.path(2, None), (15, 12))
        self.assertEqual(self.map.entry_stage(1, None), 11, "the first that is not folded")
        self.assertEqual((self.map.won_stage(1, 7), self.map.won_stage(2, 7)), (13, None))

    def test_stages_to_leave(self):
        self.assertEqual(self.map.stages_to_leave(1, 7, 11, 13), (11, 12, 14))
        self.assertEqual(self.map.stages_to_leave(1, None, 11, 13), (11, 12))
        self.assertEqual(self.map.stages_to_leave(1, None, None, 12), (11,), "entering counts from the entry stage")
        self.assertEqual(self.map.stages_to_leave(1, None, None, 15), ())
        self.assertEqual(self.map.stages_to_leave(1, None, 14, 13), (14,), "the origin counts though the team lacks it")
        self.assertEqual(self.map.stages_to_leave(1, None, 13, 11), ())

    def test_types(self):
        self.assertEqual(self.map.default_type(10), 1)
        self.assertEqual(self.map.default_type(10, 2), 2)
        self.assertEqual(self.map.default_type(None, 2), 1, "of another company")
        self.assertEqual(self.map.default_type(10, 3), 1, "archived")
        self.assertTrue(self.map.follows_stage(1))
        self.assertFalse(self.map.follows_stage(2) or self.map.follows_stage(None))

    def test_rules(self):
        self.assertEqual([rule.id for rule in self.map.rules_of(11)], [1, 2])
        self.assertEqual([rule.id for rule in self.map.rules_of(11, required=True)], [1])
        self.assertEqual(self.map.allowed_activity_types(11), {4})
        self.assertEqual(self.map.allowed_activity_types(12), set())
        self.assertEqual(self.map.promoting_stage_ids, {11})

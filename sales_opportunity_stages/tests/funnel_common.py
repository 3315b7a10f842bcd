from datetime import datetime, time

from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tests.common import TransactionCase

from .common import OpportunityStagesSetup

COUNTS = ["reached", "touched", "inferred", "advanced", "lost_here", "pending", "won", "opportunity_count"]
AMOUNTS = ["expected_revenue", "prorated_revenue", "lost_revenue", "pending_revenue", "pending_prorated_revenue"]
RATES = ["step_rate", "resolved_rate", "win_rate", "days_in_stage", "median_days"]
MEASURES = [f"{name}:sum" for name in COUNTS + AMOUNTS] + [f"{name}:avg" for name in RATES]
# The worked example: amount, and what happened.
STORIES = {
    "A": (100, "S1 01-01, S2 01-06, S3 01-16, S4 01-26, W 01-31"),
    "B": (200, "S1 01-05, S3 01-15, W 02-04"),
    "C": (50, "S1 01-10, S2 01-20, lost 02-09"),
    "D": (80, "S1 01-12, S2 01-22, S3 02-01, S2 02-11, S3 02-21, lost 03-03"),
    "E": (150, "S2 02-01, S3 02-21"),
    "F": (300, "S1 02-10, S2 02-15, S3 02-25, S4 03-07, S2 03-17"),
    "G": (120, "S1 02-05, S2 02-10, lost 02-20, S2 03-02, S3 03-12, S4 03-22, W 03-27"),
    "H": (60, "S1 03-20"),
}


class FunnelSetup(OpportunityStagesSetup):
    """A type without rules, whose opportunities live through what is told of them day by day."""

    @classmethod
    def _set_up_funnel(cls):
        cls._set_up_pipeline()
        cls.type_funnel = cls.env["crm.opportunity.type"].create({"name": "Funnel", "probability_mode": "stage"})
        cls.s1, cls.s2, cls.s3, cls.s4, cls.won = cls.stages = cls.env["crm.stage"].create(
            [
                {
                    "name": name,
                    "sequence": sequence,
                    "is_won": name == "W",
                    "probability": 10 * sequence,
                    "opportunity_type_ids": [Command.set(cls.type_funnel.ids)],
                }
                for sequence, name in enumerate(["S1", "S2", "S3", "S4", "W"], 1)
            ]
        )
        cls.by_name = {stage.name: stage for stage in cls.stages}

    @classmethod
    def _live_example(cls):
        """``{letter: opportunity}`` of the worked example."""
        return {
            letter: cls._live(letter, story, expected_revenue=amount) for letter, (amount, story) in STORIES.items()
        }

    @classmethod
    def _live(cls, name, story, **values):
        """An opportunity with a history.

        :param str story: ``"S1 01-05, S3 01-15, lost 02-09"``, days of 2026 at noon; a stage named after *lost* is
            where it is restored
        """
        lead = None
        for step in story.split(", "):
            what, day = step.split()
            noon = datetime.combine(fields.Date.to_date(f"2026-{day}"), time(12))
            with freeze_time(noon):
                if lead is None:
                    stage = cls.by_name[what]
                    lead = cls._create_opportunity(
                        name, cls.manager, opportunity_type_id=cls.type_funnel.id, stage_id=stage.id, **values
                    )
                    cls.env.flush_all()
                    cls.env.cr.execute("UPDATE crm_lead SET create_date = %s WHERE id = %s", (noon, lead.id))
                    lead.invalidate_recordset(["create_date"])
                else:
                    cls._step(lead, what)
        return lead

    @classmethod
    def _step(cls, lead, what):
        if what == "lost":
            if not lead.stage_id.is_won:  # Odoo has it moved first
                lead.action_set_lost()
        elif what == "archived":
            lead.active = False
        else:
            if not lead.active:
                lead.action_unarchive()
            if lead.stage_id != cls.by_name[what]:
                lead.stage_id = cls.by_name[what]

    def _read(self, groupby=("stage_id",), leads=None, domain=(), user=None, **context):
        """What the user sees of these opportunities: ``{group: {measure: value}}``; by one grouping, the record."""
        report = self.env["crm.funnel.report"].with_user(user or self.manager).with_context(**context)
        rows = report._read_group(
            [("lead_id", "in", (self.leads if leads is None else leads).ids), *domain],
            list(groupby),
            MEASURES,
            order=", ".join(groupby),
        )
        names = [spec.partition(":")[0] for spec in MEASURES]
        found = {}
        for row in rows:
            *group, values = *row[: len(groupby)], dict(zip(names, row[len(groupby) :], strict=True))
            found[group[0] if len(group) == 1 else tuple(group)] = values
        return found


@tagged("post_install", "-at_install")
class FunnelCase(FunnelSetup, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_funnel()

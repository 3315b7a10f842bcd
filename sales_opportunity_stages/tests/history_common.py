from contextlib import contextmanager
from datetime import datetime
from itertools import zip_longest
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tools import SQL

from odoo.addons.sales_opportunity_stages.history import StageHistory
from odoo.addons.sales_opportunity_stages.hooks import STANDARD_TYPE

from .funnel_common import FunnelCase

COMPARED = (
    *("stage_id", "date_start", "date_end", "outcome", "duration_days"),
    *("user_id", "moved_by_id", "expected_revenue"),
)


class HistoryCase(FunnelCase):
    """Opportunities live through something day by day, each day a transaction whose changes Odoo tracks in the
    chatter; then the visits that were logged meanwhile are taken away and rebuilt from it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Lead = cls.env["crm.lead"].with_user(cls.manager)

    # ------------------------------------------------------------
    # Living
    # ------------------------------------------------------------

    @classmethod
    @contextmanager
    def _at(cls, moment):
        """A transaction of that time."""
        with freeze_time(moment), cls._now():
            yield
            cls._end_transaction()

    @classmethod
    def _now(cls):
        """Let the database have the frozen time too."""
        return patch.object(cls.env.cr, "now", datetime.now)

    @classmethod
    def _end_transaction(cls):
        cls.env.flush_all()
        cls.env.cr.precommit.run()

    @classmethod
    def _create_opportunity(cls, *args, **kwargs):
        with cls._now():
            lead = super()._create_opportunity(*args, **kwargs)
            cls._end_transaction()  # Odoo tracks nothing in the transaction that creates a record
        return lead

    @classmethod
    def _step(cls, lead, what):
        with cls._now():
            result = super()._step(lead, what)
            cls._end_transaction()
        return result

    def _create(self, moment, name="Deal", **values):
        values = {
            "name": name,
            "type": "opportunity",
            "team_id": self.team.id,
            "user_id": self.salesman.id,
            **({"opportunity_type_id": self.type_funnel.id} if values.get("type") != "lead" else {}),
            **values,
        }
        with self._at(moment):
            return self.Lead.create(values)

    # ------------------------------------------------------------
    # What the chatter has
    # ------------------------------------------------------------

    def _get_trackings(self, leads, *names):
        messages = self.env["mail.message"].search([("model", "=", "crm.lead"), ("res_id", "in", leads.ids)])
        trackings = messages.sudo().tracking_value_ids.sorted("id")
        return trackings.filtered(lambda tracking: tracking.field_id.name in names) if names else trackings

    def _forget_tracking(self, leads, *names):
        self._end_transaction()
        self._get_trackings(leads, *names).unlink()
        self.env.flush_all()

    # ------------------------------------------------------------
    # Rebuilding
    # ------------------------------------------------------------

    def _forget_visits(self, leads):
        """As if they had been lived through without the add-on."""
        self._end_transaction()
        self._execute("DELETE FROM crm_stage_visit WHERE lead_id = ANY(%s)", leads.ids)
        self._execute("UPDATE crm_lead SET furthest_stage_id = NULL WHERE id = ANY(%s)", leads.ids)

    def _execute(self, query, *args):
        self.env.flush_all()
        self.env.cr.execute(SQL(query, *args))
        self.env.invalidate_all()
        return self.env.cr

    def _rebuild(self, leads):
        """Forget the visits, rebuild them, and return those of the leads."""
        self._forget_visits(leads)
        self.env["crm.stage.visit"].flush_model()
        StageHistory(self.env, self.env.ref(STANDARD_TYPE)).rebuild()
        self.env.invalidate_all()
        return leads.sudo().stage_visit_ids.sorted("id")

    def _read_visits(self, leads):
        """``{lead: what is compared of its visits}``."""
        return {
            lead.name: [{name: visit[name] for name in COMPARED} for visit in lead.sudo().stage_visit_ids.sorted("id")]
            for lead in leads
        }

    def _get_story(self, lead):
        """The visits as a text: ``"S1 01-05 advanced 01-15, S2 01-15 open"``."""
        return ", ".join(
            " ".join(
                [
                    visit.stage_id.name or "?",
                    f"{visit.date_start:%m-%d}",
                    visit.outcome,
                    *([f"{visit.date_end:%m-%d}"] if visit.date_end else []),
                ]
            )
            for visit in lead.sudo().stage_visit_ids.sorted("id")
        )

    # ------------------------------------------------------------
    # What has to hold, whatever was tracked
    # ------------------------------------------------------------

    def assertSound(self, leads):
        """The visits are such as could have been logged, and the next move can go on from them."""
        leads = leads.sudo()
        for lead in leads:
            with self.subTest(lead=lead.name, story=self._get_story(lead)):
                self._check_visits(lead, lead.stage_visit_ids.sorted("id"))
        visits = leads.stage_visit_ids
        leads._log_stage_visits()
        self.env.invalidate_all()
        self.assertEqual(leads.stage_visit_ids, visits, "the last visit agrees with where the opportunity stands")

    def _check_visits(self, lead, visits):
        self.assertEqual(set(visits.mapped("trigger")), {"reconstructed"} if visits else set())
        for visit, following in zip_longest(visits, visits[1:]):
            self.assertEqual(visit.outcome == "open", not visit.date_end)
            if visit.date_end:
                self.assertGreaterEqual(visit.date_end, visit.date_start)
                days = (visit.date_end - visit.date_start).total_seconds() / 86400
                self.assertAlmostEqual(visit.duration_days, days, 6)
            if following:
                self.assertTrue(visit.date_end and visit.date_end <= following.date_start, "one after the other")
        if lead.type != "opportunity" or not lead.stage_id or lead.won_status == "lost":
            self.assertNotIn("open", visits.mapped("outcome"))
        else:
            status = "open" if lead.won_status == "pending" else "won"
            self.assertEqual((visits[-1].outcome, visits[-1].stage_id), (status, lead.stage_id))
        if lead.type == "opportunity":
            stages = visits.filtered(lambda v: v.opportunity_type_id == lead.opportunity_type_id).stage_id
            stage_map = self.env["crm.opportunity.type"]._get_stage_map()
            furthest = stage_map.furthest(stages.ids, lead.opportunity_type_id.id)
            self.assertEqual(lead.furthest_stage_id.id, furthest or False)

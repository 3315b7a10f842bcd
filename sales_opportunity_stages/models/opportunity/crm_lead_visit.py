from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.learned_probability import to_percent


class CrmLead(models.Model):
    """The visits: what happened to an opportunity, found by comparing it with its last visit."""

    _inherit = "crm.lead"

    stage_visit_ids = fields.One2many("crm.stage.visit", "lead_id", string="Stage History", readonly=True, copy=False)

    def _read_visits_of_change(self, change):
        """Find the opportunities that may have moved, and read their visits, once for all rules."""
        change.data["in_pipeline"] = self._filter_in_pipeline(change)
        change.data["visits"] = change.data["in_pipeline"]._get_stage_visits()

    def _log_visits_of_change(self, change):
        """Log where the opportunities of a change are now."""
        self._get_in_pipeline(change)._log_stage_visits(change.data["visits"], change.tokens)

    def _log_stage_visits(self, visits_by_lead=None, moves=()):
        """Bring the visits up to where the opportunities are now; nothing happens where nothing moved.

        A move costs two queries, and one more where the visits are not given, of however many opportunities.

        :param dict visits_by_lead: :meth:`_get_stage_visits`
        :param moves: :class:`StageMove` tokens that say how the opportunities were moved
        """
        now = fields.Datetime.now()
        leads = self.filtered("id")
        visits_by_lead = leads._get_stage_visits() if visits_by_lead is None else visits_by_lead
        outcomes, to_open, entered = {}, [], self.browse()
        for lead in leads:
            last = visits_by_lead[lead.id][:1]
            outcome, vals = lead._plan_stage_visit(last, now)
            if outcome:
                outcomes[last] = outcome
            if vals:
                for move in moves:
                    if move.covers(lead):
                        vals.update(trigger=move.trigger, reason=move.reason)
                to_open.append(vals)
                entered += lead
        Visit = self.env["crm.stage.visit"]._as_ledger()
        Visit._close(outcomes, now)  # first: there is one open stay at most
        Visit._open(to_open)
        entered._store_stage_entry(visits_by_lead)

    def _get_stage_visits(self):
        """``{lead id: its visits, the last first}``."""
        # sudo: the log is compared as a whole, whoever moves the opportunity
        visits = (
            self.env["crm.stage.visit"]
            .sudo()
            .search_fetch(
                [("lead_id", "in", self.ids)],
                ["lead_id", "opportunity_type_id", "stage_id", "date_start", "date_end", "outcome"],
                order="id desc",
            )
        )
        by_lead = defaultdict(visits.browse)
        for lead, of_lead in visits.grouped("lead_id").items():
            by_lead[lead.id] = of_lead
        return by_lead

    def _get_open_visits(self):
        """``{lead id: its open visit}`` of the opportunities that have one.

        What is scheduled in the middle of a larger change, by an automation, has the stay begin that it belongs to.
        """
        visits = self._read_open_visits()
        unlogged = self.filtered(lambda lead: lead.id not in visits and lead._is_in_pipeline())
        if not unlogged:
            return visits
        unlogged._log_stage_visits()
        return visits | unlogged._read_open_visits()

    def _read_open_visits(self):
        # sudo: assignees of an activity may not read its opportunity
        visits = (
            self.env["crm.stage.visit"]
            .sudo()
            .search_fetch([("lead_id", "in", self.ids), ("date_end", "=", False)], ["lead_id", "stage_id"])
        )
        return {visit.lead_id.id: visit for visit in visits}

    def _is_in_pipeline(self):
        """Whether a stay of it goes on: it is an opportunity that is neither won nor lost."""
        return self.type == "opportunity" and bool(self.stage_id) and self.won_status == "pending"

    def _plan_stage_visit(self, last, now):
        """What the log needs for this opportunity to agree with it.

        - Losing ends a stay, and time while lost belongs to no stage; reopening starts one.
        - The stay in a won stage starts and ends at once.
        - Archiving without losing changes nothing. Leads are in no stage.

        :param last: the last visit, if any
        :returns: (outcome to end ``last`` with or False, values of the visit to start or None)
        """
        self.ensure_one()
        is_open = last and not last.date_end
        if self.type != "opportunity" or not self.stage_id:
            return ("handoff" if self.type != "opportunity" else "regressed") if is_open else False, None
        stayed = last.stage_id == self.stage_id and last.opportunity_type_id == self.opportunity_type_id
        status = "open" if self.won_status == "pending" else self.won_status
        if stayed and last.outcome == status:
            return False, None
        if stayed and is_open:
            return status, None
        if last and not is_open and status == "lost":
            return False, None
        vals = self._prepare_stage_visit(now, is_first=not last)
        if status != "open":
            vals.update(date_end=now, outcome=status)
        return self._get_leaving_outcome(last) if is_open else False, vals

    def _get_leaving_outcome(self, visit):
        """How the stay that ends with the present move is to be counted."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        if visit.opportunity_type_id != self.opportunity_type_id:
            return "handoff"
        if self.stage_id.is_won:
            return "won"
        forward = stage_map.rank(self.stage_id.id) > stage_map.rank(visit.stage_id.id)
        return "advanced" if forward else "regressed"

    def _prepare_stage_visit(self, now, is_first=False):
        """Values of the visit that starts now. Override to record more.

        :param bool is_first: the opportunity has not been in any stage before
        """
        forecast = self._get_forecast()
        return {
            "lead_id": self.id,
            "opportunity_type_id": self.opportunity_type_id.id,
            "stage_id": self.stage_id.id,
            "date_start": now,
            "trigger": "create" if is_first else "manual",
            "user_id": self.user_id.id,
            "moved_by_id": self.env.uid,
            "expected_revenue": self.expected_revenue,
            **({} if forecast is None else {"probability": forecast}),
        }

    # ------------------------------------------------------------
    # What follows from a new visit
    # ------------------------------------------------------------

    def _store_stage_entry(self, visits_by_lead):
        """Store the furthest stage, and the probability where it follows the stage.

        Those that are not yet written to the database go there together with the move. Those that are won Odoo has
        written already, for its scoring: one statement for all of them is less than another one for each hundred.
        """
        by_values, won = defaultdict(self.browse), self.browse()
        for lead in self:
            changes = lead._get_stage_entry_values(visits_by_lead[lead.id])
            if changes.keys() == {"furthest_stage_id"} and lead.won_status == "won":
                won += lead
            elif changes:
                by_values[tuple(changes.items())] += lead
        for changes, leads in by_values.items():
            leads._write_derived(dict(changes))
        won._store_furthest_stages()

    def _get_stage_entry_values(self, visits):
        """What entering the present stage changes on the opportunity.

        :param visits: its visits from before
        """
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        seen = {visit.stage_id.id for visit in visits if visit.opportunity_type_id == self.opportunity_type_id}
        furthest_id = stage_map.furthest(seen | {self.stage_id.id}, self.opportunity_type_id.id)
        probability = self._get_stage_probability(stage_map)
        changes = {}
        if furthest_id != self.furthest_stage_id.id:
            changes["furthest_stage_id"] = furthest_id
        if probability is not None and probability != self.probability:
            changes["probability"] = probability
        return changes

    def _get_stage_probability(self, stage_map):
        """Return the probability that entering the present stage gives, or None where it gives none.

        Never 0 % nor 100 %: Odoo takes an archived opportunity of 0 % for lost.
        """
        if self.won_status != "pending":
            return None
        probability = stage_map.probability(self.opportunity_type_id.id, self.stage_id.id)
        return None if probability is None else to_percent(probability / 100)

    def _get_forecast(self):
        """How likely it is, on entering the present stage, that the opportunity will be won, in percent.

        None where that is not the question any more, or where Odoo's scoring, which never says 0 %, has no answer yet.
        """
        if self.won_status != "pending":
            return None
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        probability = stage_map.probability(self.opportunity_type_id.id, self.stage_id.id)
        return (self.probability or None) if probability is None else probability

    def _compute_probabilities(self):
        """Predictive scoring goes on beside, but leaves a probability alone that follows the stage."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        kept = {
            lead: lead.probability
            for lead in self
            if stage_map.follows_stage(lead.opportunity_type_id.id) and not lead.stage_id.is_won
        }
        result = super()._compute_probabilities()
        for lead, probability in kept.items():
            if lead.probability != probability:
                lead.probability = probability
        return result

    def _pls_get_naive_bayes_probabilities(self, batch_mode=False, is_tooltip=False):
        """The nightly scoring writes past the compute: keep from it what follows the stage."""
        probabilities, tooltip = super()._pls_get_naive_bayes_probabilities(
            batch_mode=batch_mode, is_tooltip=is_tooltip
        )
        if batch_mode:
            stage_map = self.env["crm.opportunity.type"]._get_stage_map()
            for lead in self:
                if lead._get_stage_probability(stage_map) is not None:
                    probabilities.pop(lead.id, None)
        return probabilities, tooltip

    def action_unarchive(self):
        """Odoo's scoring speaks only after the reopening, which has begun a stay already."""
        lost = self.filtered(lambda lead: lead.won_status == "lost")
        result = super().action_unarchive()
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        scored = lost.filtered(lambda lead: not stage_map.follows_stage(lead.opportunity_type_id.id))
        if scored:
            self.env["crm.stage.visit"]._as_ledger()._record_reopened(scored.ids)
        return result

    def action_restore(self):
        """Reopening enters the stage again, also for the probability."""
        result = super().action_restore()
        # sudo: a system write, after Odoo's own has checked the user's rights
        self.sudo()._apply_stage_probability()
        return result

    def _apply_stage_probability(self):
        """Give the opportunities the probability of their stage, where it follows the stage."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        for lead in self:
            probability = lead._get_stage_probability(stage_map)
            if probability is not None and probability != lead.probability:
                lead._write_derived({"probability": probability})

    # ------------------------------------------------------------
    # Furthest stage, when the order of the stages changes
    # ------------------------------------------------------------

    def _refresh_furthest_stages(self, stages):
        """Ranks are today's: let furthest stages follow when stages are reordered or moved between types.

        :param stages: the stages whose rank or types have changed
        """
        # sudo: stages are common to all, so every opportunity follows
        visits = self.env["crm.stage.visit"].sudo()
        query = visits._search([("stage_id", "in", stages.ids)], bypass_access=True)
        lead_ids = [row[0] for row in self.env.execute_query(query.select(SQL("DISTINCT lead_id")))]
        self.sudo().with_context(active_test=False).browse(lead_ids)._store_furthest_stages()

    def _store_furthest_stages(self):
        """Set the furthest stages from the visits, in one statement."""
        if not self:
            return
        self.env["crm.stage.visit"].flush_model()
        self.env["crm.stage"].flush_model()
        self.flush_model(["opportunity_type_id", "furthest_stage_id"])
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_lead lead
                   SET furthest_stage_id = furthest.stage_id
                  FROM (%(furthest)s WHERE l.id = ANY(%(ids)s)) furthest
                 WHERE lead.id = furthest.id
                   AND lead.furthest_stage_id IS DISTINCT FROM furthest.stage_id
                """,
                furthest=self._select_furthest_stages(),
                ids=list(self.ids),
            )
        )
        self.invalidate_recordset(["furthest_stage_id"])

    @api.model
    def _select_furthest_stages(self):
        """The furthest stage of every opportunity ``l``, from its visits."""
        return SQL(
            """
            SELECT l.id,
                   (SELECT v.stage_id
                      FROM crm_stage_visit v
                      JOIN crm_stage s ON s.id = v.stage_id
                     WHERE v.lead_id = l.id
                       AND v.opportunity_type_id = l.opportunity_type_id
                       AND (s.id = l.stage_id
                            OR NOT EXISTS (SELECT FROM crm_opportunity_type_stage_rel rel WHERE rel.stage_id = s.id)
                            OR EXISTS (SELECT FROM crm_opportunity_type_stage_rel rel
                                        WHERE rel.stage_id = s.id
                                          AND rel.opportunity_type_id = l.opportunity_type_id))
                     ORDER BY COALESCE(s.is_won, FALSE) DESC, s.sequence DESC, s.id DESC
                     LIMIT 1) AS stage_id
              FROM crm_lead l
            """
        )

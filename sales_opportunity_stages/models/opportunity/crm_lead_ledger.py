from contextlib import contextmanager
from weakref import WeakKeyDictionary

from odoo import api, fields, models
from odoo.api import SUPERUSER_ID
from odoo.tools import SQL

from ...tools import ChangeStack, LeadImport, LeadMerge
from ...tools.tracked_values import TRACKED, TrackedValues

_SETTLING = WeakKeyDictionary()
"""``{cursor: [ids of opportunities whose change is complete and not logged yet]}``."""


class CrmLead(models.Model):
    """The change ledger: what the values of an opportunity were, found by comparing it before and after a change.

    Three ways lead into it, and each change takes one of them:

    - what is written is compared by a rule of the change, :meth:`_log_values_of_change`, together with all that
      follows from it: a probability that follows the stage, a team that follows the salesperson;
    - what Odoo computes later and stores past ``write`` is compared where it is computed: :meth:`_logging_computed`;
    - the nightly scoring updates the table in SQL, and is compared before and after it.

    Leads that never were opportunities are in no pipeline, and nothing is logged of them; nor is what an opportunity
    begins with a change.
    """

    _inherit = "crm.lead"

    lead_change_ids = fields.One2many("crm.lead.change", "lead_id", string="Changes", readonly=True, copy=False)

    @api.model
    def _get_compared_fields(self):
        return super()._get_compared_fields() | set(TRACKED)

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"lead_change_ids"}

    def _get_snapshot(self):
        return super()._get_snapshot() | {"tracked": TrackedValues.of(self) if self._is_tracked() else None}

    def _is_tracked(self):
        """Return whether the changes of this record are logged: it is an opportunity, or has been one."""
        return self.type == "opportunity" or bool(self.furthest_stage_id)

    # ------------------------------------------------------------
    # What is written
    # ------------------------------------------------------------

    @api.model
    def _get_marks_of_write(self, vals):
        marks = super()._get_marks_of_write(vals)
        for trigger, is_meant in (
            ("merge", LeadMerge.of(self)),
            ("imported", LeadImport.of(self)),
            ("automatic", self.env.uid == SUPERUSER_ID),
        ):
            if is_meant:
                marks.append(f"by {trigger}")
        return [*marks, *(f"wrote {name}" for name in TRACKED if name in vals)]

    @api.model
    def load(self, fields, data):
        """Import records: the ledger says so."""
        return super(CrmLead, LeadImport().on(self)).load(fields, data)

    def _settle_change(self, change):
        with _settling(self.env.cr, change.ids):
            return super()._settle_change(change)

    def _log_values_of_change(self, change):
        """Log the values that differ from before the change, in one statement for all opportunities."""
        rows = []
        for lead in self:
            before = change.was(lead).get("tracked")
            if before:
                rows += [
                    (lead.id, name, old, new, lead._get_change_trigger(change, name))
                    for name, old, new in before.differences(TrackedValues.of(lead))
                ]
        self.env["crm.lead.change"]._as_ledger()._log(rows)
        _set_logged(self.env.cr, self.ids)

    def _get_change_trigger(self, change, name):
        """Return how a value was changed: ``trigger`` of the row.

        :param str name: of the field
        """
        for trigger in ("merge", "imported"):
            if self.id in change.marks[f"by {trigger}"]:
                return trigger
        for move in change.tokens:
            if move.covers(self) and name in ("stage_id", "probability"):
                return move.trigger
        if self.id in change.marks["by automatic"]:
            return "automatic"
        return "manual" if self.id in change.marks[f"wrote {name}"] else "automatic"

    # ------------------------------------------------------------
    # What is computed or stored past write
    # ------------------------------------------------------------

    def _compute_probabilities(self):
        with self._logging_computed("probability", "scoring"):
            return super()._compute_probabilities()

    def _compute_expected_revenue(self):
        with self._logging_computed("expected_revenue", "automatic"):
            return super()._compute_expected_revenue()

    def _apply_stage_probability(self):
        leads = self._get_logged_by_nothing_else()
        before = {lead: lead.probability for lead in leads}
        result = super()._apply_stage_probability()
        self._log_differences("probability", before, "automatic")
        return result

    @contextmanager
    def _logging_computed(self, name, trigger):
        """Log what the block stores in a field that Odoo computes now, where no change of the records does."""
        is_computed = self._fields[name]
        leads = self.filtered(lambda lead: isinstance(lead.id, int) and self.env.is_protected(is_computed, lead))
        # sudo: the ledger does not depend on what the user may read
        before = {lead: lead[name] for lead in leads._get_logged_by_nothing_else().sudo() if lead.furthest_stage_id}
        yield
        self._log_differences(name, before, trigger)

    def _get_logged_by_nothing_else(self):
        """Return those that no change under way has, and none that is complete and about to be logged."""
        changes = [change.ids for change in ChangeStack(self.env.cr).changes if change.model == self._name]
        taken = set().union(*changes, *_SETTLING.get(self.env.cr, ()))
        return self.browse(id_ for id_ in self._ids if id_ not in taken)

    @api.model
    def _log_differences(self, name, before, trigger):
        """Log one field of some records.

        :param dict before: ``{record: value before}``
        """
        rows = [
            (lead.id, name, round(old or 0.0, 4), round(lead[name] or 0.0, 4), trigger)
            for lead, old in before.items()
            if round(old or 0.0, 4) != round(lead[name] or 0.0, 4)
        ]
        self.env["crm.lead.change"]._as_ledger()._log(rows)

    # ------------------------------------------------------------
    # The nightly scoring
    # ------------------------------------------------------------

    def _update_automated_probabilities(self):
        """Log what the scoring changes: it writes with SQL, and commits in between."""
        self.flush_model()
        # Each run has its own copy; it outlives the commits, and goes with the connection at the latest.
        self.env.cr.execute(
            """
            DROP TABLE IF EXISTS crm_lead_scored;
            CREATE TEMPORARY TABLE crm_lead_scored AS
            SELECT id AS lead_id, probability
              FROM crm_lead
             WHERE won_status = 'pending' AND furthest_stage_id IS NOT NULL
            """
        )
        result = super()._update_automated_probabilities()
        self._log_scored()
        return result

    def _log_scored(self):
        self.env["crm.lead.change"]._as_ledger()._insert(
            SQL(
                """
                SELECT lead.id AS lead_id, 'probability' AS field_name, 'scoring' AS trigger,
                       ROUND(scored.probability::numeric, 2)::varchar AS old_value,
                       ROUND(lead.probability::numeric, 2)::varchar AS new_value,
                       ROUND(scored.probability::numeric, 4) AS old_amount,
                       ROUND(lead.probability::numeric, 4) AS new_amount,
                       NULL::date AS old_date, NULL::date AS new_date,
                       NULL::int AS old_record_id, NULL::int AS new_record_id
                  FROM crm_lead_scored scored
                  JOIN crm_lead lead ON lead.id = scored.lead_id
                 WHERE ROUND(lead.probability::numeric, 4) IS DISTINCT FROM ROUND(scored.probability::numeric, 4)
                """
            )
        )
        self.env.cr.execute("DROP TABLE crm_lead_scored")


@contextmanager
def _settling(cr, ids):
    """Note that these opportunities will be logged by a rule, until it has run."""
    running = _SETTLING.setdefault(cr, [])
    ids = set(ids)
    running.append(ids)
    try:
        yield
    finally:
        running[:] = [other for other in running if other is not ids]
        if not running:
            _SETTLING.pop(cr, None)


def _set_logged(cr, ids):
    """Note that the innermost complete change has been logged: what comes later is a change of its own."""
    running = _SETTLING.get(cr)
    if running:
        running[-1].difference_update(ids)

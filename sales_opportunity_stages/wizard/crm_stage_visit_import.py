from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.models import fix_import_export_id_paths
from odoo.tools import SQL

from ..tools import StageMove
from ..tools.imported_history import ImportedHistory, ImportedStage

BATCH_SIZE = 5_000
REPLACED = ("create", "imported", "reconstructed")
"""Triggers of visits that a file may replace: nobody has moved the opportunity in Odoo."""


class CrmStageVisitImport(models.AbstractModel):
    """Import the stage history that another system has exported.

    A row is one stage of one opportunity, with the date on which it was entered. The rows of an opportunity are its
    whole history. They replace what was logged when the opportunity was imported. The opportunity gets the last stage
    of the file and its result, past the stage rules. The visits are marked *Imported*. Either all rows are imported, or
    none and every faulty row is reported. The same file a second time changes nothing.
    """

    _name = "crm.stage.visit.import"
    _description = "Stage History Import"

    lead_id = fields.Many2one("crm.lead", "Opportunity", required=True, help="Name or external ID.")
    stage_id = fields.Many2one(
        "crm.stage",
        help="The stage that was entered. Blank with the result Lost: the stage before was lost on that date.",
    )
    date_start = fields.Datetime("Entered", required=True, help="When the opportunity entered the stage.")
    date_end = fields.Datetime(
        "Left",
        help="When the opportunity left the stage. Blank: when it entered the next one. Fill it in for a loss.",
    )
    outcome = fields.Selection(
        [("won", "Won"), ("lost", "Lost")], "Result", help="How the visit ended. Blank: the opportunity went on."
    )
    lost_reason_id = fields.Many2one("crm.lost.reason", help="For the result Lost.")
    user_id = fields.Many2one("res.users", "Salesperson", help="Blank: the salesperson of the opportunity.")
    moved_by_id = fields.Many2one("res.users", help="Who moved the opportunity into the stage.")
    expected_revenue = fields.Float(help="Blank: the expected revenue of the opportunity. In its currency.")
    reason = fields.Char(help="Why the opportunity was moved.")

    @api.model
    def get_import_templates(self):
        return [
            {
                "label": self.env._("Import Template for Stage History"),
                "template": "/sales_opportunity_stages/static/xls/stage_history.xlsx",
            }
        ]

    @api.model
    def load(self, fields, data):
        """Import all rows, or none where one of them is faulty.

        :returns: as Odoo's ``load``; ``ids`` are the visits of all opportunities of the file
        :raise AccessError: for anybody but a Sales Administrator
        """
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise AccessError(self.env._("Only a Sales Administrator can import stage history."))
        messages = []
        rows = self.with_context(active_test=False)._read_rows(fields, data, messages.append)
        histories = self._get_histories(rows)
        if not any(message["type"] == "error" for message in messages):
            for lead, history in histories.items():
                messages += self._check_history(lead, history)
        if any(message["type"] == "error" for message in messages):
            return {"ids": False, "messages": messages, "nextrow": 0}
        visits = self._replace_histories(histories)
        return {"ids": visits.ids, "messages": messages, "nextrow": 0}

    # ------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------

    def _read_rows(self, names, data, log):
        """Return ``[(row number, values)]``; a value that is not found, or missing, is logged as an error."""
        paths = [fix_import_export_id_paths(name) for name in names]
        context = {"import_flush": lambda **_kwargs: None, "_import_current_module": "__import__", "import_cache": {}}
        records = self.with_context(**context)
        rows = []
        with self.env.cr.savepoint() as savepoint:
            extracted = records._extract_records(paths, data, log=log)
            for _id, _xid, values, info in records._convert_records(extracted, log=log, savepoint=savepoint):
                self._check_required(values, info, log)
                rows.append((info["rows"]["from"], values))
        return rows

    def _check_required(self, values, info, log):
        required = ("lead_id", "date_start", *(() if values.get("outcome") == "lost" else ("stage_id",)))
        for name in required:
            if not values.get(name):
                label = self._fields[name]._description_string(self.env)
                log(self._prepare_message(info["rows"]["from"], self.env._("%s is missing.", label), name))

    def _get_histories(self, rows):
        """Return ``{opportunity: ImportedHistory}`` of the complete rows."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        names = self.env["crm.opportunity.type"]._get_labels()["crm.stage"]
        by_lead = defaultdict(list)
        for row, values in rows:
            stage = stage_map.stages.get(values.get("stage_id"))
            if values.get("lead_id") and values.get("date_start"):
                by_lead[values["lead_id"]].append(self._prepare_stage(row, values, stage, stage_map, names))
        leads = self.env["crm.lead"].browse(by_lead)
        return {lead: ImportedHistory(by_lead[lead.id]) for lead in leads}

    def _prepare_stage(self, row, values, stage, stage_map, names):
        extra = ("user_id", "moved_by_id", "expected_revenue", "reason")
        return ImportedStage(
            row=row,
            stage_id=stage and stage.id,
            stage_name=names.get(stage.id, "") if stage else "",
            rank=stage_map.rank(stage and stage.id),
            is_won=bool(stage and stage.is_won),
            start=fields.Datetime.to_datetime(values["date_start"]).replace(microsecond=0),
            end=fields.Datetime.to_datetime(values.get("date_end") or None),
            outcome=values.get("outcome") or None,
            lost_reason_id=values.get("lost_reason_id") or None,
            values={name: values[name] for name in extra if values.get(name)},
        )

    # ------------------------------------------------------------
    # Checking
    # ------------------------------------------------------------

    def _check_history(self, lead, history):
        """Return an error message for each fault of an opportunity's rows."""
        now = fields.Datetime.now()
        texts = self._get_fault_texts()
        messages = [
            self._prepare_message(stage.row, texts[key](lead, stage, values), "date_start")
            for stage, key, values in history.faults(now)
        ]
        if not history.stages:
            return messages
        if lead.type != "opportunity":
            messages.append(self._prepare_message(history.last.row, texts["lead"](lead, None, {}), "lead_id"))
            return messages
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        for stage in history.stages:
            if not stage_map.is_open_to(stage.stage_id, lead.opportunity_type_id.id):
                messages.append(self._prepare_message(stage.row, texts["other_type"](lead, stage, {}), "stage_id"))
        if lead.won_status == "lost" and history.status != "lost":
            messages.append(
                self._prepare_message(history.last.row, texts["present"](lead, history.last, {}), "stage_id")
            )
        # sudo: a visit that the user may not read must not be replaced either
        if lead.sudo().stage_visit_ids.filtered(lambda visit: visit.trigger not in REPLACED):
            messages.append(self._prepare_message(history.last.row, texts["moved"](lead, None, {}), "lead_id"))
        return messages

    def _get_fault_texts(self):
        """Return ``{key of a fault: function of (opportunity, stage, values) that gives the message}``."""
        env = self.env
        return {
            "future": lambda lead, stage, values: env._("%s: the date is in the future.", lead.name),
            "backwards": lambda lead, stage, values: env._("%s: Left is before Entered.", lead.name),
            "same_time": lambda lead, stage, values: env._(
                "%(lead)s entered two stages at the same time. See also row %(row)s.",
                lead=lead.name,
                row=values["row"] + 1,
            ),
            "overlap": lambda lead, stage, values: env._(
                "%(lead)s: %(stage)s is left after the next stage is entered in row %(row)s.",
                lead=lead.name,
                stage=stage.stage_name,
                row=values["row"] + 1,
            ),
            "not_won_stage": lambda lead, stage, values: env._(
                "%(lead)s: %(stage)s is not a won stage. Add a row with the won stage.",
                lead=lead.name,
                stage=stage.stage_name,
            ),
            "lost_in_won_stage": lambda lead, stage, values: env._(
                "%(lead)s: %(stage)s is a won stage, and the result is Lost.", lead=lead.name, stage=stage.stage_name
            ),
            "no_closing": lambda lead, stage, values: env._(
                "%s was lost: fill in Left with the date of the loss.", lead.name
            ),
            "ended_open": lambda lead, stage, values: env._(
                "%s left its last stage: fill in the result, or add a row with the next stage.", lead.name
            ),
            "nothing_to_lose": lambda lead, stage, values: env._(
                "%s: a row without a stage says that the stage before was lost. There is none.", lead.name
            ),
            "lead": lambda lead, stage, values: env._(
                "%s is a lead. Only opportunities have a stage history. Convert it first.", lead.name
            ),
            "other_type": lambda lead, stage, values: env._(
                "%(stage)s is not a stage of %(type)s, the opportunity type of %(lead)s.",
                stage=stage.stage_name,
                type=lead.opportunity_type_id.display_name,
                lead=lead.name,
            ),
            "present": lambda lead, stage, values: env._(
                "%s is lost in Odoo, but not in the file. Add the row of its loss, or restore it.", lead.name
            ),
            "moved": lambda lead, stage, values: env._(
                "%s has already been moved in Odoo. Its history cannot be replaced.", lead.name
            ),
        }

    def _prepare_message(self, row, text, field):
        """Return an error in the form that Odoo's import shows beside the row."""
        return {"type": "error", "message": text, "rows": {"from": row, "to": row}, "record": row, "field": field}

    # ------------------------------------------------------------
    # Writing
    # ------------------------------------------------------------

    def _replace_histories(self, histories):
        """Write the visits of the opportunities whose history differs; return the visits of all of them."""
        leads = self.env["crm.lead"].union(*histories)
        visits = leads._get_stage_visits()
        planned = {lead: self._prepare_visits(lead, history) for lead, history in histories.items()}
        changed = leads.filtered(lambda lead: self._differs(visits[lead.id], planned[lead]))
        self._move_to_last_stage({lead: histories[lead] for lead in changed})
        self._set_lost({lead: histories[lead] for lead in changed})
        visits.update(changed._get_stage_visits())
        old = self.env["crm.stage.visit"]._as_ledger().concat(*(visits[lead.id] for lead in changed))
        activities = self._get_activities(old)
        # a second open visit of an opportunity cannot be written: the old ones go first
        old.unlink()
        self._open_visits([vals for lead in changed for vals in planned[lead]])
        self._attach_activities(activities)
        changed._store_furthest_stages()
        self._store_dates({lead: histories[lead] for lead in changed})
        # sudo: the ids of all visits are the result of the import
        return self.env["crm.stage.visit"].sudo().search([("lead_id", "in", leads.ids)], order="id")

    def _move_to_last_stage(self, histories):
        """Move opportunities to the stage that their file ends in, whatever the stage rules require."""
        by_stage = defaultdict(self.env["crm.lead"].browse)
        for lead, history in histories.items():
            if lead.stage_id.id != history.last.stage_id:
                by_stage[history.last.stage_id] += lead
        for stage_id, leads in by_stage.items():
            move = StageMove("imported", None, frozenset(leads.ids), stage_id)
            move.on(leads).write({"stage_id": stage_id})

    def _set_lost(self, histories):
        """Lose what the file says is lost, with the reason that it gives."""
        by_reason = defaultdict(self.env["crm.lead"].browse)
        for lead, history in histories.items():
            if history.status == "lost" and lead.won_status != "lost":
                by_reason[history.lost_reason_id] += lead
        for reason_id, leads in by_reason.items():
            leads.action_set_lost(**({"lost_reason_id": reason_id} if reason_id else {}))

    def _prepare_visits(self, lead, history):
        return [
            {
                "lead_id": lead.id,
                "opportunity_type_id": lead.opportunity_type_id.id,
                "stage_id": stage.stage_id,
                "date_start": stage.start,
                "date_end": end,
                "outcome": outcome,
                "trigger": "imported",
                "user_id": lead.user_id.id or None,
                "moved_by_id": None,
                "expected_revenue": lead.expected_revenue,
                "reason": None,
                **stage.values,
            }
            for stage, end, outcome in history.visits()
        ]

    def _differs(self, visits, planned):
        """Return whether the visits, the last first, are other ones than those of the file."""
        if len(visits) != len(planned):
            return True
        return any(
            (visit[name].id or None if visit._fields[name].relational else visit[name] or None) != (value or None)
            for visit, vals in zip(reversed(visits), planned, strict=True)
            for name, value in vals.items()
        )

    def _open_visits(self, vals_list):
        """Write visits in order of opportunity and time, so that the highest id is the last visit."""
        Visit = self.env["crm.stage.visit"]._as_ledger()
        for start in range(0, len(vals_list), BATCH_SIZE):
            chunk = [
                {name: value for name, value in vals.items() if value is not None}
                for vals in vals_list[start : start + BATCH_SIZE]
            ]
            Visit._open(chunk)

    def _get_activities(self, visits):
        """Return ``[(activity, opportunity, stage, whether it was done)]`` of visits that are replaced."""
        # sudo: activities of others belong to the visits too
        activities = self.env["mail.activity"].sudo().with_context(active_test=False)
        return [
            (activity, activity.stage_visit_id.lead_id, activity.stage_visit_id.stage_id, bool(activity.done_visit_id))
            for activity in activities.search([("stage_visit_id", "in", visits.ids)])
        ]

    def _attach_activities(self, activities):
        """Let activities of a replaced visit belong to the last visit of its stage, or to the last one of all."""
        leads = self.env["crm.lead"].union(*(lead for _activity, lead, _stage, _done in activities))
        visits = leads._get_stage_visits()
        for activity, lead, stage, done in activities:
            last = visits[lead.id].filtered(lambda visit: visit.stage_id == stage)[:1] or visits[lead.id][:1]  # noqa: B023
            activity._write_stage_fields({"stage_visit_id": last.id, "done_visit_id": done and last.id})

    def _store_dates(self, histories):
        """Give opportunities the dates that Odoo would have stored: created, assigned, last moved, closed."""
        if not histories:
            return
        leads = self.env["crm.lead"].union(*histories)
        # sudo: dates that only the system writes, of opportunities that the user has imported
        leads.sudo().flush_recordset()
        rows = []
        for lead, history in histories.items():
            last = list(history.visits())[-1]
            closed = last[1] if history.status != "pending" else None
            rows.append(SQL("(%s, %s, %s, %s)", lead.id, history.stages[0].start, history.last.start, closed))
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_lead lead
                   SET create_date = LEAST(lead.create_date, dates.first),
                       date_open = LEAST(lead.date_open, dates.first),
                       date_last_stage_update = dates.moved,
                       date_closed = COALESCE(dates.closed::timestamp, lead.date_closed)
                  FROM (VALUES %s) AS dates (id, first, moved, closed)
                 WHERE lead.id = dates.id
                """,
                SQL(", ").join(rows),
            )
        )
        names = ["create_date", "date_open", "date_last_stage_update", "date_closed"]
        leads.invalidate_recordset(names, flush=False)
        # sudo: what is computed from these dates
        leads.sudo().modified(names)

from odoo import api, models
from odoo.tools import SQL

HISTORY_FIELDS = [
    *("lead_id", "opportunity_type_id", "stage_id", "date_start", "date_end", "outcome"),
    *("trigger", "user_id", "moved_by_id", "reason", "duration_days"),
]


class CrmLead(models.Model):
    """What the form of one opportunity shows, read in few queries.

    Each list on a tab would take a query, whether there is anything in it or not. Nothing here changes what is read.
    """

    _inherit = "crm.lead"

    def _fetch_query(self, query, fields):
        """Read together what the form of a single opportunity needs; its parts are among the fields then."""
        lists = [field for field in fields if self._is_plain_list(field)]
        if not set(self._get_part_fields()) <= {field.name for field in lists}:
            return super()._fetch_query(query, fields)
        fetched = super()._fetch_query(query, [field for field in fields if field not in lists])
        if len(fetched) == 1:
            fetched._note_empty_lists(lists)
            fetched._read_stages_and_users(with_history=self._fields["stage_visit_ids"] in lists)
            fetched._note_cached_values()
        for field in lists:
            missing = fetched.browse(field._cache_missing_ids(fetched))
            if missing:
                field.read(missing)
        return fetched

    # ------------------------------------------------------------
    # Empty lists
    # ------------------------------------------------------------

    @api.model
    def _get_counted_lists(self):
        """Return ``{list that a field of the form is computed from: {field: its value where the list is empty}}``."""
        return {}

    def _note_empty_lists(self, lists):
        """Put into the cache which lists have no row at all, whoever may read them. One query for all."""
        counted = self._get_counted_lists()
        lists = {*lists, *(self._fields[name] for name in counted)}
        lists = sorted((field for field in lists if any(field._cache_missing_ids(self))), key=lambda field: field.name)
        if not lists:
            return
        [row] = self.env.execute_query(SQL("SELECT %s", SQL(", ").join(map(self._select_any_row, lists))))
        for field, has_rows in zip(lists, row, strict=True):
            if not has_rows:
                field._insert_cache(self, [()])
                for name, value in counted.get(field.name, {}).items():
                    self._fields[name]._insert_cache(self, [value])

    def _is_plain_list(self, field):
        """Whether the rows of a one2many are found by a column of a table."""
        if field.type != "one2many" or not field.store:
            return False
        comodel = self.env[field.comodel_name]
        inverse = comodel._fields[field.inverse_name]
        return comodel._auto and inverse.store and inverse.type == "many2one"

    def _select_any_row(self, field):
        comodel = self.env[field.comodel_name]
        inverse = comodel._fields[field.inverse_name]
        column = SQL.identifier(inverse.name, to_flush=inverse)
        return SQL("EXISTS (SELECT FROM %s WHERE %s = %s)", SQL.identifier(comodel._table), column, self.id)

    # ------------------------------------------------------------
    # Names
    # ------------------------------------------------------------

    def _read_stages_and_users(self, with_history):
        """Read the stages and, with the stage history, the users whose names are shown."""
        visits = self._read_stage_history() if with_history else self.env["crm.stage.visit"]
        # sudo: names of stages and users are shown to whoever may read the opportunity
        stages = (self._get_stage_path() | self.stage_id | visits.stage_id).sudo()
        users = (self.user_id | visits.user_id | visits.moved_by_id).sudo()
        for records in (stages, users):
            records.mapped("name")

    def _read_stage_history(self):
        """Read the stage history with its rows, as far as the user may read them."""
        field = self._fields["stage_visit_ids"]
        if self.id in field._get_cache(self.env):
            return self.stage_visit_ids
        visits = self.env["crm.stage.visit"].search_fetch([("lead_id", "=", self.id)], HISTORY_FIELDS)
        field._insert_cache(self, [visits._ids])
        return visits

    def _note_cached_values(self):
        """Put into the cache what the form shows of the type and of the rules; the registry keeps it."""
        stage_map = self.env["crm.opportunity.type"]._get_stage_map()
        labels = self.env["crm.opportunity.type"]._get_labels()["crm.stage.rule"]
        rules = [rule for rule in stage_map.rules_of(self.stage_id.id) if rule.id in labels]
        # sudo: what a stage asks for is no secret
        records = self.env["crm.stage.rule"].sudo().browse(rule.id for rule in rules)
        opportunity_type = stage_map.types.get(self.opportunity_type_id.id)
        if opportunity_type:
            self._note_values(self, probability_mode=[opportunity_type.probability_mode])
        self._note_values(
            records,
            display_name=[labels[rule.id] for rule in rules],
            activity_type_id=[rule.activity_type_id for rule in rules],
            domain=[rule.domain or None for rule in rules],
        )

    @api.model
    def _note_values(self, records, **values_by_field):
        for name, values in values_by_field.items():
            records._fields[name]._insert_cache(records, values)

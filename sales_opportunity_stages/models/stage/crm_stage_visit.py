from odoo import api, fields, models
from odoo.tools import SQL, clean_context

MISSING = object()


class CrmStageVisit(models.Model):
    """One stay of an opportunity in a stage, from ``date_start`` up to but without ``date_end``.

    Written by the system alone, whatever moves the opportunity. At most one stay of an opportunity is open.
    """

    _name = "crm.stage.visit"
    _description = "Stage Visit"
    _inherit = ["sales.ledger.mixin"]
    _order = "id desc"
    _rec_name = "stage_id"

    lead_id = fields.Many2one("crm.lead", "Opportunity", required=True, readonly=True, ondelete="cascade")
    opportunity_type_id = fields.Many2one(
        "crm.opportunity.type", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    stage_id = fields.Many2one(
        "crm.stage",
        readonly=True,
        index=True,
        ondelete="set null",
        help="Blank when the stage has been deleted since.",
    )
    date_start = fields.Datetime("Entered", required=True, readonly=True)
    date_end = fields.Datetime("Left", readonly=True)
    outcome = fields.Selection(
        [
            ("open", "In progress"),
            ("advanced", "Advanced"),
            ("regressed", "Moved back"),
            ("won", "Won"),
            ("lost", "Lost"),
            ("handoff", "Type changed"),
        ],
        required=True,
        readonly=True,
        default="open",
    )
    trigger = fields.Selection(
        [
            ("create", "Created"),
            ("manual", "Manual"),
            ("automatic", "Automatic promotion"),
            ("forced", "Administrator's override"),
            ("reconstructed", "Reconstructed"),
            ("imported", "Imported"),
        ],
        required=True,
        readonly=True,
        default="manual",
        help="What brought the opportunity into the stage.",
    )
    user_id = fields.Many2one("res.users", "Salesperson", readonly=True, help="Who was responsible at that time.")
    moved_by_id = fields.Many2one("res.users", readonly=True)
    reason = fields.Char(readonly=True)
    company_currency = fields.Many2one("res.currency", related="lead_id.company_currency")
    expected_revenue = fields.Monetary(
        currency_field="company_currency", readonly=True, help="Expected revenue on entering the stage."
    )
    probability = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Forecast on entering the stage, in percent: the stage's, the learned one or Odoo's scoring. Blank where "
        "there was none, as in a won stage.",
    )
    duration_days = fields.Float(
        "Days",
        compute="_compute_duration_days",
        store=True,
        aggregator="avg",
        help="Length of an ended visit, in days.",
    )
    activity_ids = fields.One2many("mail.activity", "stage_visit_id", context={"active_test": False})

    _one_open_visit = models.UniqueIndex("(lead_id) WHERE date_end IS NULL")
    # In place of one on lead_id: the funnel reads its stays from the index alone, in the order that it groups them by.
    _stay_idx = models.Index("(lead_id, opportunity_type_id, stage_id) INCLUDE (date_end, duration_days)")

    @api.depends("date_start", "date_end")
    def _compute_duration_days(self):
        for visit in self:
            visit.duration_days = self._get_duration_days(visit.date_start, visit.date_end)

    @api.model
    def _get_duration_days(self, start, end):
        """Length of a stay in days, None while it goes on: an average leaves it out."""
        return (end - start).total_seconds() / 86400 if start and end else None

    # ------------------------------------------------------------
    # Writing the log
    # ------------------------------------------------------------
    # Odoo's create() and write() take a statement for each hundred records. These two take one for any number, so that
    # logging does not grow with the batch. Both need _as_ledger().

    def _open(self, vals_list):
        """Start stays. What a client's context has as defaults does not count.

        :param list[dict] vals_list: as ``crm.lead._prepare_stage_visit`` gives them, values of stored columns
        :returns: the visits, in the same order
        """
        self._check_ledger_access()
        if not vals_list:
            return self.browse()
        vals_list = self._complete_visit_values(vals_list)
        names = sorted({name for vals in vals_list for name in vals})
        rows = self._to_rows(names, vals_list)
        query = SQL(
            "INSERT INTO %s (%s) VALUES %s RETURNING id",
            SQL.identifier(self._table),
            SQL(", ").join(map(SQL.identifier, names)),
            SQL(", ").join(SQL("%s", row) for row in rows),
        )
        self.env.cr.execute(query)
        visits = self.browse(row[0] for row in self.env.cr.fetchall())
        visits._follow_up_statement(names, create=True)
        return visits

    def _close(self, outcomes, date_end):
        """End stays.

        :param dict outcomes: ``{visit: outcome}``
        :param datetime date_end: the same for all
        """
        self._check_ledger_access()
        if not outcomes:
            return
        visits = self.browse(visit.id for visit in outcomes)
        visits.flush_recordset()
        query = SQL(
            """
            UPDATE crm_stage_visit visit
               SET date_end = %(date_end)s, outcome = ended.outcome, duration_days = ended.days::double precision,
                   write_uid = %(uid)s, write_date = %(now)s
              FROM (VALUES %(rows)s) AS ended (id, outcome, days)
             WHERE ended.id = visit.id
            """,
            date_end=date_end,
            uid=self.env.uid,
            now=self.env.cr.now(),
            rows=SQL(", ").join(
                (visit.id, outcome, self._get_duration_days(visit.date_start, date_end))
                for visit, outcome in outcomes.items()
            ),
        )
        self.env.cr.execute(query)
        visits._follow_up_statement(["date_end", "outcome", "duration_days", "write_uid", "write_date"])

    def _record_reopened(self, lead_ids):
        """Give stays the forecast of their opportunities, which were scored only after they had been reopened."""
        self._check_ledger_access()
        self.flush_model()
        self.env["crm.lead"].flush_model(["probability"])
        query = SQL(
            """
            UPDATE crm_stage_visit visit
               SET probability = lead.probability
              FROM crm_lead lead
             WHERE lead.id = visit.lead_id
               AND lead.id = ANY(%(lead_ids)s)
               AND lead.probability > 0
               AND visit.date_end IS NULL
               AND visit.probability IS NULL
            """,
            lead_ids=lead_ids,
        )
        self.env.cr.execute(query)
        self.invalidate_model(["probability"], flush=False)

    @api.model
    def _complete_visit_values(self, vals_list):
        """Add what Odoo would: the model's defaults, the length of a stay that ends at once, who wrote it and when."""
        defaults = self.with_context(clean_context(self.env.context))._add_missing_default_values({})
        defaults = {name: value for name, value in defaults.items() if self._fields[name].column_type}
        uid, now = self.env.uid, self.env.cr.now()
        access_log = {"create_uid": uid, "create_date": now, "write_uid": uid, "write_date": now}
        days = [self._get_duration_days(vals["date_start"], vals.get("date_end")) for vals in vals_list]
        return [
            {**defaults, **vals, **access_log, **({} if length is None else {"duration_days": length})}
            for vals, length in zip(vals_list, days, strict=True)
        ]

    @api.model
    def _to_rows(self, names, vals_list):
        """Return the rows of an INSERT as tuples; NULL, the database's default, where there is no value.

        Amounts come from the opportunity, rounded: a row is not shown to the field, which would look up the currency.
        Most columns have the same value in all rows, which is converted once.
        """
        columns = []
        for name in names:
            values = [vals.get(name, MISSING) for vals in vals_list]
            distinct = {id(value): value for value in values}
            convert = self._fields[name].convert_to_column_insert
            known = {key: None if value is MISSING else convert(value, self) for key, value in distinct.items()}
            columns.append([known[id(value)] for value in values])
        return list(zip(*columns, strict=True))

    def _follow_up_statement(self, names, create=False):
        """Let the cache and what is computed from these fields follow a statement that has written them."""
        if create:
            for inverse in {inverse for name in names for inverse in self.pool.field_inverses[self._fields[name]]}:
                self.env[inverse.model_name].invalidate_model([inverse.name], flush=False)
        else:
            self.invalidate_recordset(names, flush=False)
        with self.env.protecting([self._fields["duration_days"]], self):
            self.modified(self._fields if create else names, create=create)
        self._validate_fields(names)

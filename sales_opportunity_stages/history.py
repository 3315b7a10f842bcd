import logging

from odoo.tools import SQL

_logger = logging.getLogger(__name__)

BATCH_SIZE = 20_000
FACTS = ("stage", "won", "lost", "opportunity", "salesman", "revenue")
BEGINNING, CONVERSION, PRESENT = 0, 1, 2**31 - 1  # numbers of steps; the changes have those between


class StageHistory:
    """Rebuilds the stays in stages from what Odoo has tracked in the chatter, set by set, as if they had been logged.

    1. *Changes*: each message with tracked values is one, with what it says was before and what came after.
    2. *Steps* of an opportunity, in order of time: how it began, for each change what was before and what came after,
       where it stands now. What is known at one holds until another step says otherwise.
    3. *States*: where it stood at each step: open, won or lost in a stage, or in none, as long as it was a lead.
    4. *Stays*, as ``crm.lead._plan_stage_visit`` has them follow from one state after the other.

    What was not tracked shows where "before" contradicts the step ahead of it, or the present the last change: that
    move is dated when it came to light.

    Opportunities that have visits are left alone.
    """

    def __init__(self, env, default_type):
        """:param default_type: the ``crm.opportunity.type`` of what has none"""
        self.env = env
        self.default_type = default_type

    def rebuild(self):
        """Write the visits, in batches that are reported to the log; return how many."""
        self._collect_changes()
        batches = self._collect_opportunities()
        total, done, visits = sum(count for _batch, count in batches), 0, 0
        for batch, count in batches:
            self.env.cr.execute(self._insert_visits(batch))
            visits += self.env.cr.rowcount
            if not done:
                self.env.cr.execute("ANALYZE crm_stage_visit")  # or reading it goes through the whole table
            self._store_furthest_stages(batch)
            done += count
            _logger.info(
                "sales_opportunity_stages: %d of %d opportunities have their history, %d visits", done, total, visits
            )
        self.env.cr.execute("DROP TABLE crm_lead_tracked_message, crm_lead_batch")
        return visits

    def _collect_changes(self):
        self.env.cr.execute(self._make_changes())
        _logger.info("sales_opportunity_stages: %d tracked changes of opportunities read", self.env.cr.rowcount)
        self.env.cr.execute("CREATE INDEX ON crm_lead_tracked_message (lead_id); ANALYZE crm_lead_tracked_message")

    def _collect_opportunities(self):
        """Rows of (batch, number of opportunities)."""
        self.env.cr.execute(self._make_batches())
        # Statistics, or the database thinks of few opportunities and compares each with each.
        self.env.cr.execute("CREATE INDEX ON crm_lead_batch (batch); ANALYZE crm_lead_batch")
        return self.env.execute_query(SQL("SELECT batch, COUNT(*) FROM crm_lead_batch GROUP BY batch ORDER BY batch"))

    def _make_batches(self):
        """Opportunities, and leads that were one, without visits."""
        return SQL(
            """
            CREATE TEMPORARY TABLE crm_lead_batch ON COMMIT DROP AS
            SELECT lead.id AS lead_id, ((ROW_NUMBER() OVER (ORDER BY lead.id) - 1) / %s)::int AS batch
              FROM crm_lead lead
             WHERE (lead.type = 'opportunity'
                    OR EXISTS (SELECT FROM crm_lead_tracked_message change
                                WHERE change.lead_id = lead.id AND change.opportunity_after IS NOT NULL))
               AND NOT EXISTS (SELECT FROM crm_stage_visit visit WHERE visit.lead_id = lead.id)
            """,
            BATCH_SIZE,
        )

    def _store_furthest_stages(self, batch):
        rows = self.env.execute_query(SQL("SELECT lead_id FROM crm_lead_batch WHERE batch = %s", batch))
        self.env["crm.lead"].browse(row[0] for row in rows)._store_furthest_stages()

    # ------------------------------------------------------------
    # Changes
    # ------------------------------------------------------------

    def _make_changes(self):
        """A row for each message: ``<fact>_before`` and ``<fact>_after``, empty where it says nothing."""
        columns = [
            SQL("%s AS %s", expression, SQL.identifier(f"{fact}_{when}"))
            for when, old_or_new in (("before", "old"), ("after", "new"))
            for fact, expression in self._select_facts(old_or_new).items()
        ]
        return SQL(
            """
            CREATE TEMPORARY TABLE crm_lead_tracked_message ON COMMIT DROP AS
            SELECT message.res_id AS lead_id, message.id AS message_id,
                   DATE_TRUNC('second', COALESCE(message.date, MIN(value.create_date))) AS moment,
                   MAX(value.create_uid) AS mover_id, %(columns)s
              FROM mail_tracking_value value
              JOIN mail_message message ON message.id = value.mail_message_id
             WHERE value.field_id = ANY(%(fields)s)
               AND message.model = 'crm.lead'
               AND %(is_own)s
             GROUP BY message.id
            """,
            columns=SQL(", ").join(columns),
            fields=[self._get_field_id(name) for name in self._get_tracked_fields()],
            is_own=self._is_own_message(),
        )

    def _get_tracked_fields(self):
        return ["stage_id", "won_status", "active", "type", "user_id", "expected_revenue"]

    def _get_field_id(self, name):
        return self.env["ir.model.fields"]._get("crm.lead", name).id

    def _is_own_message(self):
        """Merging hands the messages of what is merged over to the head, with a subject that says where from. Posted
        messages also keep the id of their record in their own."""
        origin = SQL("SUBSTRING(message.message_id FROM '-openerp-([0-9]{1,9})-crm[.]lead@')::int")
        return SQL("COALESCE(%s, message.res_id) = message.res_id AND COALESCE(message.subject, '') = ''", origin)

    def _select_facts(self, old_or_new):
        """``{fact: what a message says of it}`` before (*old*) or after (*new*) it."""
        status = self._tracked("won_status", old_or_new, "char")
        won, lost = (self._is_label("won_status", value, status) for value in ("won", "lost"))
        if old_or_new == "new":  # what versions before the tracking of won_status have said by the kind of message
            won = SQL("COALESCE(%s, %s)", won, self._is_posted_as_won())
            lost = SQL("COALESCE(%s, %s)", lost, self._is_posted_as_lost())
        return {
            "stage": self._tracked("stage_id", old_or_new, "integer"),
            "won": won,
            "lost": lost,
            "opportunity": self._is_label("type", "opportunity", self._tracked("type", old_or_new, "char")),
            "salesman": self._tracked("user_id", old_or_new, "integer"),
            "revenue": self._tracked("expected_revenue", old_or_new, "float"),
        }

    def _tracked(self, name, old_or_new, kind):
        """The value of a field in a message; its *id* where it is a record, 0 for none."""
        column = SQL.identifier("value", f"{old_or_new}_value_{kind}")
        return SQL("MAX(%s) FILTER (WHERE value.field_id = %s)", column, self._get_field_id(name))

    def _is_label(self, name, value, label):
        """1 if a tracked selection, kept as its label in the language of whoever wrote it, is ``value``, 0 if it is
        another one."""
        labels = self._get_labels(name)
        known = [text for texts in labels.values() for text in texts]
        return SQL("CASE WHEN %s = ANY(%s) THEN (%s = ANY(%s))::int END", label, known, label, labels[value])

    def _get_labels(self, name):
        """``{value: its labels in all languages}`` of a selection field."""
        rows = self.env.execute_query(
            SQL("SELECT value, name FROM ir_model_fields_selection WHERE field_id = %s", self._get_field_id(name))
        )
        return {value: sorted(set(names.values())) for value, names in rows}

    def _is_posted_as_won(self):
        """1 or 0 where the stage has changed: Odoo posts a move into a won stage as a kind of message of its own."""
        stage = self._tracked("stage_id", "new", "integer")
        is_won = SQL("(message.subtype_id IS NOT DISTINCT FROM %s)::int", self._get_subtype_id("crm.mt_lead_won"))
        return SQL("CASE WHEN %s IS NOT NULL THEN %s END", stage, is_won)

    def _is_posted_as_lost(self):
        """1 where it was archived by losing it, 0 where it was restored."""
        is_lost = SQL("message.subtype_id = %s", self._get_subtype_id("crm.mt_lead_lost"))
        active = self._tracked("active", "new", "integer")
        return SQL("CASE %s WHEN 1 THEN 0 WHEN 0 THEN CASE WHEN %s THEN 1 END END", active, is_lost)

    def _get_subtype_id(self, xmlid):
        return self.env["ir.model.data"]._xmlid_to_res_id(xmlid) or None

    # ------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------

    def _select_opportunities(self, batch):
        """What is known today."""
        return SQL(
            """
            SELECT lead.id, COALESCE(lead.opportunity_type_id, %s) AS opportunity_type_id,
                   COALESCE(lead.stage_id, 0) AS stage, (lead.type = 'opportunity')::int AS opportunity,
                   (lead.won_status IS NOT DISTINCT FROM 'won')::int AS won,
                   (lead.won_status IS NOT DISTINCT FROM 'lost')::int AS lost,
                   COALESCE(lead.user_id, 0) AS salesman, COALESCE(lead.expected_revenue, 0) AS revenue,
                   lead.create_uid AS mover_id, DATE_TRUNC('second', lead.create_date) AS created,
                   DATE_TRUNC('second', lead.date_last_stage_update) AS moved,
                   DATE_TRUNC('second', lead.date_conversion) AS converted,
                   DATE_TRUNC('second', lead.date_closed) AS closed
              FROM crm_lead_batch
              JOIN crm_lead lead ON lead.id = lead_id
             WHERE batch = %s
            """,
            self.default_type.id,
            batch,
        )

    def _select_changes(self, batch):
        return SQL(
            """
            SELECT change.*, ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY moment, message_id)::int AS number
              FROM crm_lead_batch
              JOIN crm_lead_tracked_message change USING (lead_id)
             WHERE batch = %s
            """,
            batch,
        )

    def _select_summaries(self):
        """Of each opportunity with changes: when they began and ended, and as arrays [number, what was before] those
        that were the first to say something of a fact."""
        first = SQL(", ").join(
            SQL(
                "MIN(ARRAY[number, %(before)s]) FILTER (WHERE %(after)s IS NOT NULL) AS %(fact)s",
                before=SQL.identifier(f"{fact}_before"),
                after=SQL.identifier(f"{fact}_after"),
                fact=SQL.identifier(fact),
            )
            for fact in FACTS
        )
        return SQL("SELECT lead_id, MIN(moment) AS begun, MAX(moment) AS ended, %s FROM change GROUP BY lead_id", first)

    def _select_beginnings(self):
        """How each began: as it was before its first changes; where nothing has changed, as it is.

        What never changed its stage in the chatter, but did according to Odoo's date of it, is known to stand where it
        stands since then.
        """
        return SQL(
            """
            SELECT opportunity.id AS lead_id,
                   COALESCE(CASE WHEN summary.stage IS NULL THEN moved ELSE LEAST(created, begun) END,
                            created, begun, NOW() AT TIME ZONE 'UTC') AS moment,
                   mover_id, %s
              FROM opportunity
         LEFT JOIN summary ON summary.lead_id = opportunity.id
            """,
            self._list_facts(self._get_beginning),
        )

    def _get_beginning(self, fact):
        """Nothing begins as lost. What was converted began as a lead. An untracked win is all that is known."""
        if fact == "lost":
            return SQL("0")
        today = SQL.identifier("opportunity", fact)
        if fact == "opportunity":
            today = SQL("CASE WHEN converted IS NULL THEN %s ELSE 0 END", today)
        first = SQL.identifier("summary", fact)
        return SQL("CASE WHEN %s IS NULL THEN %s ELSE %s[2] END", first, today, first)

    def _list_facts(self, get_expression):
        return SQL(", ").join(SQL("%s AS %s", get_expression(fact), SQL.identifier(fact)) for fact in FACTS)

    def _select_steps(self):
        return SQL(
            """
            SELECT lead_id, %(beginning)s AS step, moment, mover_id, %(facts)s FROM beginning
         UNION ALL
            SELECT lead_id, 2 * number, moment, NULL, %(before)s FROM change
             WHERE COALESCE(stage_before, won_before, lost_before, opportunity_before) IS NOT NULL
         UNION ALL
            SELECT lead_id, 2 * number + 1, moment, mover_id, %(after)s FROM change
         UNION ALL
            SELECT id, %(conversion)s, converted, NULL, %(converted)s
              FROM opportunity
         LEFT JOIN summary ON summary.lead_id = id
             WHERE opportunity.opportunity = 1 AND converted IS NOT NULL AND summary.opportunity IS NULL
         UNION ALL
            SELECT id, %(present)s,
                   GREATEST(beginning.moment, ended, CASE WHEN summary.opportunity IS NULL THEN converted END,
                            CASE opportunity.lost WHEN 1 THEN closed ELSE moved END),
                   NULL, %(today)s
              FROM opportunity
              JOIN beginning ON beginning.lead_id = id
         LEFT JOIN summary ON summary.lead_id = id
            """,
            beginning=BEGINNING,
            conversion=CONVERSION,
            present=PRESENT,
            facts=self._list_facts(SQL.identifier),
            before=self._list_facts(lambda fact: SQL.identifier(f"{fact}_before")),
            after=self._list_facts(lambda fact: SQL.identifier(f"{fact}_after")),
            converted=self._list_facts(lambda fact: SQL("1") if fact == "opportunity" else SQL("NULL")),
            today=self._list_facts(lambda fact: SQL.identifier("opportunity", fact)),
        )

    # ------------------------------------------------------------
    # States
    # ------------------------------------------------------------

    def _select_known_facts(self):
        """What holds from each step on: of the steps so far, the last that says something of it."""
        return SQL(
            """
            SELECT lead_id, step, moment, mover_id, %s
              FROM step
            WINDOW so_far AS (PARTITION BY lead_id ORDER BY moment, step ROWS UNBOUNDED PRECEDING)
            """,
            self._list_facts(
                lambda fact: SQL(
                    "(MAX(ARRAY[step, %(fact)s]) FILTER (WHERE %(fact)s IS NOT NULL) OVER so_far)[2]",
                    fact=SQL.identifier(fact),
                )
            ),
        )

    def _select_states(self):
        """Open, won or lost in a stage, or out: not in any."""
        return SQL(
            """
            SELECT lead_id, step, moment, mover_id, opportunity, salesman, revenue,
                   CASE WHEN is_in THEN stage END AS stage,
                   CASE WHEN NOT is_in THEN 'out' WHEN won = 1 THEN 'won' WHEN lost = 1 THEN 'lost' ELSE 'open' END
                   AS status
              FROM fact
        CROSS JOIN LATERAL (SELECT COALESCE(opportunity = 1 AND stage <> 0, FALSE) AS is_in) place
            """
        )

    def _select_turns(self):
        """States that differ from the one before. What happens while lost, and losing what is not open, is none."""
        return SQL(
            """
            SELECT turn.*, rank.stage_id AS known_stage_id, rank.is_won AS into_won, rank.number AS rank
              FROM (SELECT state.*, LAG(status) OVER by_time AS previous, LAG(stage) OVER by_time AS previous_stage,
                           COUNT(stage) OVER (by_time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS stays
                      FROM state
                    WINDOW by_time AS (PARTITION BY lead_id ORDER BY moment, step)) turn
         LEFT JOIN rank ON rank.stage_id = turn.stage
             WHERE (status IS DISTINCT FROM previous OR stage IS DISTINCT FROM previous_stage)
               AND NOT (status = 'lost' AND previous <> 'open' AND stays > 0)
            """
        )

    def _select_ranks(self):
        """The stages in order, as ``StageMap`` has them."""
        return SQL(
            """
            SELECT id AS stage_id, COALESCE(is_won, FALSE) AS is_won,
                   ROW_NUMBER() OVER (ORDER BY COALESCE(is_won, FALSE), sequence, id) AS number
              FROM crm_stage
            """
        )

    # ------------------------------------------------------------
    # Stays
    # ------------------------------------------------------------

    def _select_stays(self):
        """From each turn to the next one. Who is won or lost where it stood ends that stay and starts none."""
        return SQL(
            """
            SELECT lead_id, step, known_stage_id, mover_id, salesman, revenue, moment AS date_start,
                   CASE status WHEN 'open' THEN next_moment ELSE moment END AS date_end, %(outcome)s AS outcome
              FROM (SELECT turn.*, %(neighbours)s
                      FROM (SELECT lead_id, step, moment, mover_id, opportunity, salesman, revenue, stage, status,
                                   known_stage_id, into_won, rank FROM turn) turn
                    WINDOW by_time AS (PARTITION BY lead_id ORDER BY moment, step)) stay
             WHERE status = 'open'
                OR status <> 'out' AND (previous_stage IS DISTINCT FROM stage OR previous NOT IN ('open', status))
            """,
            outcome=self._get_outcome(),
            neighbours=self._get_neighbours(),
        )

    def _get_neighbours(self):
        """A stage that was deleted has no rank: what comes after it tells whether it lay ahead."""
        return SQL(
            """
            LAG(status) OVER by_time AS previous, LAG(stage) OVER by_time AS previous_stage,
            LEAD(moment) OVER by_time AS next_moment, LEAD(status) OVER by_time AS next,
            LEAD(stage) OVER by_time AS next_stage, LEAD(opportunity) OVER by_time AS next_opportunity,
            LEAD(into_won) OVER by_time AS next_is_won,
            COALESCE(LEAD(rank) OVER by_time, LEAD(rank, 2) OVER by_time) AS next_rank
            """
        )

    def _get_outcome(self):
        """See ``crm.lead._get_leaving_outcome``."""
        return SQL(
            """
            CASE WHEN status <> 'open' THEN status
                 WHEN next IS NULL THEN 'open'
                 WHEN next = 'out' THEN CASE next_opportunity WHEN 1 THEN 'regressed' ELSE 'handoff' END
                 WHEN next_stage = stage THEN next
                 WHEN next_is_won THEN 'won'
                 WHEN next_rank <= rank THEN 'regressed'
                 ELSE 'advanced' END
            """
        )

    def _insert_visits(self, batch):
        """Ids ascend in time for each opportunity: the highest is taken for its last visit."""
        tables = SQL(", ").join(
            SQL("%s AS (%s)", SQL.identifier(name), query) for name, query in self._get_tables(batch).items()
        )
        return SQL(
            """
            WITH %(tables)s
     INSERT INTO crm_stage_visit (
                 lead_id, opportunity_type_id, stage_id, date_start, date_end, duration_days, outcome, trigger,
                 user_id, moved_by_id, expected_revenue, create_uid, create_date, write_uid, write_date)
          SELECT lead_id, opportunity_type_id, known_stage_id, date_start, date_end,
                 EXTRACT(EPOCH FROM date_end - date_start)::float8 / 86400, outcome, 'reconstructed',
                 res_users.id, stay.mover_id, stay.revenue::numeric,
                 %(uid)s, NOW() AT TIME ZONE 'UTC', %(uid)s, NOW() AT TIME ZONE 'UTC'
            FROM stay
            JOIN opportunity ON opportunity.id = lead_id
       LEFT JOIN res_users ON res_users.id = stay.salesman
        ORDER BY lead_id, date_start, step
            """,
            tables=tables,
            uid=self.env.uid,
        )

    def _get_tables(self, batch):
        """The way from changes to stays; each table is made of those before it."""
        return {
            "opportunity": self._select_opportunities(batch),
            "change": self._select_changes(batch),
            "summary": self._select_summaries(),
            "beginning": self._select_beginnings(),
            "step": self._select_steps(),
            "fact": self._select_known_facts(),
            "state": self._select_states(),
            "rank": self._select_ranks(),
            "turn": self._select_turns(),
            "stay": self._select_stays(),
        }

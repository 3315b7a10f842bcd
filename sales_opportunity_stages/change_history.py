import logging

from odoo.tools import SQL

from .history import BATCH_SIZE, StageHistory
from .tools.tracked_values import AMOUNTS, RECORDS, TRACKED

_logger = logging.getLogger(__name__)


class ChangeHistory(StageHistory):
    """Fills the change ledger from what Odoo has tracked in the chatter, set by set.

    Each tracked value is a change. Where it contradicts the one before it, or the last one contradicts the present
    value, something was not tracked: a row fills the gap, dated when it came to light. So the rows of an opportunity
    and field form a chain that ends in the present value, and the first old value is what it began with.

    Opportunities that have changes are left alone.
    """

    def __init__(self, env):
        super().__init__(env, None)

    def rebuild(self):
        """Write the changes, in batches that are reported to the log; return how many."""
        self.env.flush_all()
        self._collect_changes()
        batches = self._collect_opportunities()
        total, done, changes = sum(count for _batch, count in batches), 0, 0
        for batch, count in batches:
            self.env.cr.execute(self._insert_changes(batch))
            changes += self.env.cr.rowcount
            done += count
            _logger.info(
                "sales_opportunity_stages: %d of %d opportunities have their change ledger, %d changes",
                done,
                total,
                changes,
            )
        self.env.cr.execute("DROP TABLE crm_lead_tracked_message, crm_lead_batch; ANALYZE crm_lead_change")
        self.env.invalidate_all(flush=False)
        return changes

    def _collect_changes(self):
        self.env.cr.execute(self._make_changes())
        _logger.info("sales_opportunity_stages: %d tracked values of opportunities read", self.env.cr.rowcount)
        self.env.cr.execute("CREATE INDEX ON crm_lead_tracked_message (lead_id); ANALYZE crm_lead_tracked_message")

    def _make_changes(self):
        """A row for each tracked value: the field, and old and new value as number, day or id, and as text."""
        names = SQL(", ").join(SQL("(%s, %s)", self._get_field_id(name), name) for name in TRACKED)
        return SQL(
            """
            CREATE TEMPORARY TABLE crm_lead_tracked_message ON COMMIT DROP AS
            SELECT message.res_id AS lead_id, value.id AS value_id, field.name AS field_name,
                   DATE_TRUNC('second', COALESCE(message.date, value.create_date)) AS moment,
                   value.create_uid AS mover_id, %(old)s, %(new)s
              FROM mail_tracking_value value
              JOIN mail_message message ON message.id = value.mail_message_id
              JOIN (VALUES %(names)s) AS field (id, name) ON field.id = value.field_id
             WHERE message.model = 'crm.lead'
               AND %(is_own)s
            """,
            names=names,
            old=self._select_tracked("old"),
            new=self._select_tracked("new"),
            is_own=self._is_own_message(),
        )

    def _select_tracked(self, old_or_new):
        columns = {
            "amount": SQL(
                "CASE WHEN field.name = ANY(%s) THEN ROUND(COALESCE(value.%s, 0)::numeric, 4) END",
                list(AMOUNTS),
                SQL.identifier(f"{old_or_new}_value_float"),
            ),
            "date": SQL(
                "CASE field.name WHEN 'date_deadline' THEN value.%s::date END",
                SQL.identifier(f"{old_or_new}_value_datetime"),
            ),
            "record_id": SQL(
                "CASE WHEN field.name = ANY(%s) THEN NULLIF(value.%s, 0) END",
                list(RECORDS),
                SQL.identifier(f"{old_or_new}_value_integer"),
            ),
            "name": SQL(
                "CASE WHEN field.name = ANY(%s) THEN NULLIF(value.%s, '') END",
                list(RECORDS),
                SQL.identifier(f"{old_or_new}_value_char"),
            ),
        }
        return SQL(", ").join(
            SQL("%s AS %s", sql, SQL.identifier(f"{old_or_new}_{name}")) for name, sql in columns.items()
        )

    def _make_batches(self):
        """Opportunities, and leads that were one, with tracked values and without changes."""
        return SQL(
            """
            CREATE TEMPORARY TABLE crm_lead_batch ON COMMIT DROP AS
            SELECT lead.id AS lead_id, ((ROW_NUMBER() OVER (ORDER BY lead.id) - 1) / %s)::int AS batch
              FROM crm_lead lead
             WHERE (lead.type = 'opportunity' OR lead.furthest_stage_id IS NOT NULL)
               AND EXISTS (SELECT FROM crm_lead_tracked_message tracked WHERE tracked.lead_id = lead.id)
               AND NOT EXISTS (SELECT FROM crm_lead_change change WHERE change.lead_id = lead.id)
            """,
            BATCH_SIZE,
        )

    # ------------------------------------------------------------
    # Rows
    # ------------------------------------------------------------

    def _select_chain(self, batch):
        """The tracked values of a batch, each with what the one before it has left, and whether there is none after."""
        return SQL(
            """
            SELECT tracked.*,
                   LAG(value_id) OVER chain IS NOT NULL AS has_previous,
                   LEAD(value_id) OVER chain IS NULL AS is_last,
                   LAG(new_amount) OVER chain AS left_amount, LAG(new_date) OVER chain AS left_date,
                   LAG(new_record_id) OVER chain AS left_record_id, LAG(new_name) OVER chain AS left_name
              FROM crm_lead_batch
              JOIN crm_lead_tracked_message tracked USING (lead_id)
             WHERE batch = %s
            WINDOW chain AS (PARTITION BY lead_id, field_name ORDER BY moment, value_id)
            """,
            batch,
        )

    def _select_present(self):
        """The value that each opportunity has now, of the fields that the chatter says something of."""
        return SQL(
            """
            SELECT chain.lead_id, chain.field_name, chain.moment, chain.new_amount, chain.new_date,
                   chain.new_record_id, chain.new_name,
                   CASE chain.field_name WHEN 'expected_revenue' THEN ROUND(COALESCE(lead.expected_revenue, 0), 4)
                                         WHEN 'probability' THEN ROUND(COALESCE(lead.probability, 0)::numeric, 4) END
                   AS amount,
                   CASE chain.field_name WHEN 'date_deadline' THEN lead.date_deadline END AS date,
                   CASE chain.field_name WHEN 'user_id' THEN lead.user_id WHEN 'team_id' THEN lead.team_id
                                         WHEN 'opportunity_type_id' THEN lead.opportunity_type_id
                                         WHEN 'stage_id' THEN lead.stage_id END AS record_id
              FROM chain
              JOIN crm_lead lead ON lead.id = chain.lead_id
             WHERE is_last
            """
        )

    def _select_rows(self):
        """Gaps come ahead of the change that has shown them."""
        return SQL(
            """
            SELECT lead_id, field_name, moment, value_id, 0 AS place, NULL::int AS mover_id,
                   left_amount AS old_amount, old_amount AS new_amount, left_date AS old_date, old_date AS new_date,
                   left_record_id AS old_record_id, old_record_id AS new_record_id,
                   left_name AS old_name, old_name AS new_name
              FROM chain
             WHERE has_previous
         UNION ALL
            SELECT lead_id, field_name, moment, value_id, 1, mover_id, old_amount, new_amount, old_date, new_date,
                   old_record_id, new_record_id, old_name, new_name
              FROM chain
         UNION ALL
            SELECT lead_id, field_name, GREATEST(moment, DATE_TRUNC('second', NOW() AT TIME ZONE 'UTC')), NULL, 2, NULL,
                   new_amount, amount, new_date, date, new_record_id, record_id, new_name, NULL
              FROM present
            """
        )

    def _insert_changes(self, batch):
        """Ids ascend in time for each opportunity."""
        ledger = self.env["crm.lead.change"]
        return SQL(
            """
            WITH chain AS (%(chain)s), present AS (%(present)s), change AS (%(rows)s)
     INSERT INTO crm_lead_change (
                 lead_id, field_name, trigger, change_date, user_id, old_value, new_value, old_amount, new_amount,
                 old_date, new_date, old_record_id, new_record_id, old_user_id, new_user_id,
                 create_uid, create_date, write_uid, write_date)
          SELECT lead_id, field_name, 'reconstructed', moment, mover.id,
                 COALESCE(old_name, TO_CHAR(old_amount, 'FM999999999999990.00'), old_date::varchar, %(old_label)s),
                 COALESCE(new_name, TO_CHAR(new_amount, 'FM999999999999990.00'), new_date::varchar, %(new_label)s),
                 old_amount, new_amount, old_date, new_date, old_record_id, new_record_id, old_user.id, new_user.id,
                 %(uid)s, NOW() AT TIME ZONE 'UTC', %(uid)s, NOW() AT TIME ZONE 'UTC'
            FROM change
       LEFT JOIN res_users mover ON mover.id = mover_id
       LEFT JOIN res_users old_user ON field_name = 'user_id' AND old_user.id = old_record_id
       LEFT JOIN res_users new_user ON field_name = 'user_id' AND new_user.id = new_record_id
           WHERE (old_amount, old_date, old_record_id) IS DISTINCT FROM (new_amount, new_date, new_record_id)
        ORDER BY lead_id, moment, value_id, place
            """,
            chain=self._select_chain(batch),
            present=self._select_present(),
            rows=self._select_rows(),
            old_label=ledger._select_name(SQL("field_name"), SQL("old_record_id")),
            new_label=ledger._select_name(SQL("field_name"), SQL("new_record_id")),
            uid=self.env.uid,
        )

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL, split_every
from odoo.tools.misc import format_date, formatLang

from ...tools.tracked_values import AMOUNTS, RECORDS

KEEP_YEARS = "sales_opportunity_stages.lead_change_keep_years"
START = "sales_opportunity_stages.lead_change_start"
GC_LIMIT = 100_000
BATCH_SIZE = 5000  # rows of a statement
# What a row is inserted from, in this order, and the type of each in the database.
ROW = {
    "lead_id": "int4",
    "field_name": "varchar",
    "trigger": "varchar",
    "old_value": "varchar",
    "new_value": "varchar",
    "old_amount": "numeric",
    "new_amount": "numeric",
    "old_date": "date",
    "new_date": "date",
    "old_record_id": "int4",
    "new_record_id": "int4",
}


class CrmLeadChange(models.Model):
    """One change of one value of an opportunity: what it was, what it became, when, by whom and how.

    Written by the system alone. The value that an opportunity had at a moment is the old value of the first change
    from that moment on, and its present value if there is none. So a row is needed for changes alone, not for what
    an opportunity began with, and deleting old rows leaves what is known of later moments as it was.
    """

    _name = "crm.lead.change"
    _description = "Change of an Opportunity"
    _inherit = ["sales.ledger.mixin"]
    _order = "change_date desc, id desc"
    _rec_name = "field_name"

    lead_id = fields.Many2one("crm.lead", "Opportunity", required=True, readonly=True, index=True, ondelete="cascade")
    field_name = fields.Selection(
        [
            ("expected_revenue", "Expected Revenue"),
            ("date_deadline", "Expected Closing"),
            ("probability", "Probability"),
            ("user_id", "Salesperson"),
            ("team_id", "Sales Team"),
            ("opportunity_type_id", "Opportunity Type"),
            ("stage_id", "Stage"),
        ],
        "What",
        required=True,
        readonly=True,
    )
    old_value = fields.Char(readonly=True, help="As text. A record by the name that it had then.")
    new_value = fields.Char(readonly=True, help="As text. A record by the name that it had then.")
    old_amount = fields.Float(
        digits=(16, 4), readonly=True, aggregator=None, help="Expected revenue in company currency, or percent."
    )
    new_amount = fields.Float(
        digits=(16, 4), readonly=True, aggregator=None, help="Expected revenue in company currency, or percent."
    )
    old_date = fields.Date(readonly=True)
    new_date = fields.Date(readonly=True)
    old_user_id = fields.Many2one("res.users", "Old Salesperson", readonly=True)
    new_user_id = fields.Many2one("res.users", "New Salesperson", readonly=True)
    old_record_id = fields.Integer(readonly=True, aggregator=None, help="Id of the salesperson, team, type or stage.")
    new_record_id = fields.Integer(readonly=True, aggregator=None, help="Id of the salesperson, team, type or stage.")
    change_date = fields.Datetime("Changed On", required=True, readonly=True, index=True)
    user_id = fields.Many2one("res.users", "Changed By", readonly=True)
    trigger = fields.Selection(
        [
            ("manual", "Manual"),
            ("automatic", "Automatic"),
            ("forced", "Administrator's override"),
            ("scoring", "Predictive scoring"),
            ("merge", "Merge"),
            ("imported", "Import"),
            ("reconstructed", "Reconstructed"),
        ],
        "How",
        required=True,
        readonly=True,
        default="manual",
        help="By hand: the value was written. Automatic: it followed from another value, or a scheduled action wrote "
        "it. Reconstructed: taken from the chatter when the ledger began.",
    )
    old_text = fields.Char("From", compute="_compute_texts", help="The old value as the user writes it.")
    new_text = fields.Char("To", compute="_compute_texts", help="The new value as the user writes it.")

    # Reports read all changes of one field, in the order of the opportunities and of time, from the index alone.
    _as_of_idx = models.Index("(field_name, lead_id, change_date, id) INCLUDE (old_amount, old_date, old_record_id)")

    @api.depends_context("lang", "tz")
    @api.depends("field_name", "old_value", "new_value", "old_amount", "new_amount", "old_date", "new_date")
    def _compute_texts(self):
        for change in self:
            change.old_text = change._format_value("old")
            change.new_text = change._format_value("new")

    def _format_value(self, old_or_new):
        if self.field_name == "expected_revenue":
            # sudo: the currency of the company of an opportunity that the user may read
            currency = self.sudo().lead_id.company_currency
            return formatLang(self.env, self[f"{old_or_new}_amount"], currency_obj=currency)
        if self.field_name == "probability":
            return f"{formatLang(self.env, self[f'{old_or_new}_amount'], digits=2)} %"
        if self.field_name == "date_deadline":
            return format_date(self.env, self[f"{old_or_new}_date"])
        return self[f"{old_or_new}_value"]

    # ------------------------------------------------------------
    # Writing the ledger
    # ------------------------------------------------------------

    def _log(self, changes):
        """Insert rows, in one statement for thousands of them. Needs ``_as_ledger()``.

        :param list changes: ``(lead id, field name, old value, new value, trigger)``, values as ``TrackedValues`` has
            them
        """
        self._check_ledger_access()
        columns = SQL(", ").join(map(SQL.identifier, ROW))
        for part in split_every(BATCH_SIZE, changes):
            rows = SQL(", ").join(self._to_row(*change) for change in part)
            self._insert(SQL("SELECT * FROM (VALUES %s) AS row (%s)", rows, columns))

    @api.model
    def _to_row(self, lead_id, name, old, new, trigger):
        """Return a row in the order of ``ROW``, each value with its type."""
        amount, day, record = name in AMOUNTS, name == "date_deadline", name in RECORDS
        texts = (None, None) if record else (self._to_text(name, old), self._to_text(name, new))
        values = [
            *(lead_id, name, trigger, *texts),
            *((old, new) if amount else (None, None)),
            *((old, new) if day else (None, None)),
            *((old, new) if record else (None, None)),
        ]
        cells = [SQL("%s::%s", value, SQL.identifier(kind)) for value, kind in zip(values, ROW.values(), strict=True)]
        return SQL("(%s)", SQL(", ").join(cells))

    @api.model
    def _to_text(self, name, value):
        if name == "date_deadline":
            return fields.Date.to_string(value) or None
        return f"{value:.2f}"

    def _insert(self, rows, moment=None):
        """Insert what a query gives as ``ROW``; names of records are those of now.

        :param SQL rows: a query with the columns of ``ROW``
        :param datetime moment: when it happened, now if not given
        """
        self._check_ledger_access()
        query = SQL(
            """
            INSERT INTO crm_lead_change (
                   lead_id, field_name, trigger, old_value, new_value, old_amount, new_amount, old_date, new_date,
                   old_record_id, new_record_id, old_user_id, new_user_id,
                   change_date, user_id, create_uid, create_date, write_uid, write_date)
            SELECT row.lead_id, row.field_name, row.trigger,
                   COALESCE(row.old_value, %(old_name)s), COALESCE(row.new_value, %(new_name)s),
                   row.old_amount, row.new_amount, row.old_date, row.new_date, row.old_record_id, row.new_record_id,
                   CASE row.field_name WHEN 'user_id' THEN row.old_record_id END,
                   CASE row.field_name WHEN 'user_id' THEN row.new_record_id END,
                   %(moment)s, %(uid)s, %(uid)s, %(now)s, %(uid)s, %(now)s
              FROM (%(rows)s) row
            """,
            old_name=self._select_name(SQL("row.field_name"), SQL("row.old_record_id")),
            new_name=self._select_name(SQL("row.field_name"), SQL("row.new_record_id")),
            rows=rows,
            moment=moment or fields.Datetime.now(),
            uid=self.env.uid,
            now=self.env.cr.now(),
        )
        self.env.cr.execute(query)
        self.env["crm.lead"].invalidate_model(["lead_change_ids"], flush=False)

    @api.model
    def _select_name(self, name, record_id):
        """Return the expression of a record's name in the user's language.

        :param SQL name: of the field
        :param SQL record_id: its value
        """
        tables = {"team_id": "crm_team", "opportunity_type_id": "crm_opportunity_type", "stage_id": "crm_stage"}
        cases = [
            SQL(
                "WHEN %s THEN (SELECT COALESCE(name ->> %s, name ->> 'en_US') FROM %s WHERE id = %s)",
                field_name,
                self.env.lang or "en_US",
                SQL.identifier(table),
                record_id,
            )
            for field_name, table in tables.items()
        ]
        return SQL(
            """
            CASE %s
            WHEN 'user_id' THEN (SELECT partner.name FROM res_users
                                   JOIN res_partner partner ON partner.id = res_users.partner_id
                                  WHERE res_users.id = %s)
            %s END
            """,
            name,
            record_id,
            SQL(" ").join(cases),
        )

    # ------------------------------------------------------------
    # How far it reaches back
    # ------------------------------------------------------------

    def init(self):
        """Note when the ledger began: from then on every change is in it."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO ir_config_parameter (key, value, create_uid, create_date, write_uid, write_date)
                     SELECT %(key)s, TO_CHAR(NOW() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), 1,
                            NOW() AT TIME ZONE 'UTC', 1, NOW() AT TIME ZONE 'UTC'
                      WHERE NOT EXISTS (SELECT FROM ir_config_parameter WHERE key = %(key)s)
                """,
                key=START,
            )
        )

    @api.model
    def _get_start(self):
        """Return the moment from which the ledger has every change: it began then, or was cleaned up to then."""
        # sudo: a parameter of the system, a moment and nothing else
        value = self.env["ir.config_parameter"].sudo().get_param(START)
        try:
            return fields.Datetime.to_datetime(value) or fields.Datetime.to_datetime("1900-01-01")
        except ValueError:
            return fields.Datetime.now()

    @api.autovacuum
    def _gc_old_changes(self):
        """Delete the changes that are older than the setting says; 0 keeps all of them.

        What an opportunity had on a later day is read from later changes: it stays as it was.
        """
        # sudo: parameters of the system
        parameters = self.env["ir.config_parameter"].sudo()
        years = int(parameters.get_param(KEEP_YEARS) or 0)
        if years <= 0:
            return 0, 0
        limit = fields.Datetime.now() - relativedelta(years=years)
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM crm_lead_change
                 WHERE id IN (SELECT id FROM crm_lead_change WHERE change_date < %s ORDER BY change_date LIMIT %s)
                """,
                limit,
                GC_LIMIT,
            )
        )
        count = self.env.cr.rowcount
        if count and limit > self._get_start():
            parameters.set_param(START, fields.Datetime.to_string(limit))
        self.invalidate_model(flush=False)
        return count, int(count == GC_LIMIT)

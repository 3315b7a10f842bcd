from odoo import api, fields, models


class CrmStageVisit(models.Model):
    """One stay of an opportunity in a stage, from ``date_start`` up to but without ``date_end``.

    Written by the system alone, whatever moves the opportunity. At most one stay of an opportunity is open.
    """

    _name = "crm.stage.visit"
    _description = "Stage Visit"
    _inherit = ["sales.ledger.mixin"]
    _order = "id desc"
    _rec_name = "stage_id"

    lead_id = fields.Many2one("crm.lead", "Opportunity", required=True, readonly=True, index=True, ondelete="cascade")
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
            ("open", "Still there"),
            ("advanced", "Advanced"),
            ("regressed", "Went back"),
            ("won", "Won"),
            ("lost", "Lost"),
            ("handoff", "Handed to another type"),
        ],
        required=True,
        readonly=True,
        default="open",
    )
    trigger = fields.Selection(
        [
            ("create", "Created"),
            ("manual", "By hand"),
            ("automatic", "Automatic promotion"),
            ("forced", "Administrator's override"),
            ("reconstructed", "Reconstructed"),
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
    duration_days = fields.Float(
        "Days", compute="_compute_duration_days", store=True, aggregator="avg", help="Length of an ended stay, in days."
    )
    activity_ids = fields.One2many("mail.activity", "stage_visit_id", context={"active_test": False})

    _one_open_visit = models.UniqueIndex("(lead_id) WHERE date_end IS NULL")

    @api.depends("date_start", "date_end")
    def _compute_duration_days(self):
        for visit in self:
            ended = visit.date_end and visit.date_start
            visit.duration_days = (visit.date_end - visit.date_start).total_seconds() / 86400 if ended else False

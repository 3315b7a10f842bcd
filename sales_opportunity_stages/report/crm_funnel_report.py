from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.funnel_query import FunnelQuery

STAGE_BITS = 20  # of the id of a row; the opportunity has the others


class Grain(NamedTuple):
    """What the groups of a question are about."""

    by_stage: str = "none"  # whether "all", "some" or "none" of the groupings have the stage
    is_whole: bool = False  # whether all stages of an opportunity come together where the stage is not a group
    is_sum: bool = False  # whether opportunities that are alike may be taken together
    is_visit: bool = False  # whether a row is a stage visit


class CrmFunnelReport(models.Model):
    """The funnel: one row for each opportunity and each stage that it has reached.

    Stages are ranked within the type as :class:`StageMap` ranks them today; won is the last. The *furthest* stage of an
    opportunity is the one of highest rank that it has ever been in while it had its present type
    (``crm.lead.furthest_stage_id``); a won one has come all the way. Then, for a stage s:

    ============== ======================================== =====================================
    reached        rank(s) ≤ rank(furthest)                 = advanced + lost_here + pending + won at the last stage
    touched        has been in s                            reached = touched + inferred
    advanced       rank(s) < rank(furthest)                 = reached of the next stage
    lost_here      lost, and s is the furthest
    pending        open, and s is the furthest
    step rate      advanced / reached, except of the last stage
    resolved rate  advanced / (advanced + lost_here)
    win rate       won / (won + lost), of what reached s
    days in stage  days of ended stays / number of ended stays
    median days    of the ended stays
    ============== ======================================== =====================================

    In any grouping a rate is that ratio of the sums over the rows of the group. What counts opportunities
    (``opportunity_count``, ``won``, ``win_rate``) counts each once, however many stages of it are in the group.

    Opportunities that have been in no stage of their type, or have none, are in no funnel.
    """

    _name = "crm.funnel.report"
    _description = "Funnel Analysis"
    _inherit = ["crm.lead.report.mixin"]
    _auto = False
    _rec_name = "lead_id"
    _order = "date_deadline desc, id desc"
    _depends = {
        "crm.lead": ["expected_revenue", "furthest_stage_id", "prorated_revenue"],
        "crm.stage.visit": ["date_end", "duration_days", "lead_id", "opportunity_type_id", "stage_id"],
    }

    stage_id = fields.Many2one("crm.stage", readonly=True)
    reached = fields.Integer(
        readonly=True,
        help="Opportunities that reached this stage or a later one. They may have skipped it or moved"
        " back since. Reached = Advanced + Lost Here + Pending, and in the last stage + Won.",
    )
    touched = fields.Integer(readonly=True, help="Of those that reached the stage, those that have been in it.")
    inferred = fields.Integer(
        readonly=True, help="Of those that reached the stage, those that skipped it or started behind it."
    )
    advanced = fields.Integer(
        readonly=True, help="Of those that reached the stage, those that have come further: Reached of the next stage."
    )
    lost_here = fields.Integer(readonly=True, help="Lost, and this stage is the furthest that they had come to.")
    pending = fields.Integer(
        readonly=True, help="Open, and this stage is the furthest that they have come to, wherever they stand now."
    )
    won = fields.Integer(
        readonly=True, help="Won, of the opportunities that reached the stage. Each is counted once in any group."
    )
    opportunity_count = fields.Integer(
        "Opportunities", readonly=True, help="Each is counted once in any group, however many stages it reached."
    )
    expected_revenue = fields.Monetary(
        readonly=True,
        help="Expected revenue of what reached the stage. Read it by stage: without the stage among the groups an "
        "opportunity counts once for each stage that it reached.",
    )
    prorated_revenue = fields.Monetary(
        "Weighted Revenue",
        readonly=True,
        help="Expected revenue × probability of what reached the stage. Read it by stage: without the stage among the "
        "groups an opportunity counts once for each stage that it reached.",
    )
    lost_revenue = fields.Monetary(
        "Revenue Lost Here", readonly=True, help="Expected revenue of what was lost and had come no further."
    )
    pending_revenue = fields.Monetary(
        readonly=True, help="Expected revenue of what is open and has come to this stage and no further."
    )
    pending_prorated_revenue = fields.Monetary(
        "Weighted Pending Revenue",
        readonly=True,
        help="Expected revenue × probability of what is open and has come to this stage and no further.",
    )
    ordered_revenue = fields.Monetary(
        readonly=True,
        help="Total without taxes of the confirmed orders of won opportunities, in the won stage "
        "only. In company currency at the rate of the order date.",
    )
    step_rate = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Advanced / Reached: how many of those that reached the stage have come to the next one. The last stage "
        "has none, and is left out where stages are taken together.",
    )
    resolved_rate = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Advanced / (Advanced + Lost Here): as the step rate, without those that are still undecided.",
    )
    win_rate = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Won / (Won + Lost), of the closed opportunities that reached the stage. Each is counted once in any "
        "group.",
    )
    days_in_stage = fields.Float(
        "Days in Stage",
        digits=(16, 1),
        readonly=True,
        aggregator="avg",
        help="Days of ended visits in the stage / number of ended visits. Visits in progress are not counted.",
    )
    median_days = fields.Float(
        "Median Days in Stage",
        digits=(16, 1),
        readonly=True,
        aggregator="avg",
        help="Median length of the ended visits in the stage, of all opportunities of the group.",
    )

    # ------------------------------------------------------------
    # Query
    # ------------------------------------------------------------

    def _select_columns(self):
        return {
            **super()._select_columns(),
            "id": SQL("(lead.id::bigint << %s) + stage.id", STAGE_BITS),
            "stage_id": SQL("stage.id"),
            "expected_revenue": SQL("lead.expected_revenue"),
            "prorated_revenue": SQL("lead.prorated_revenue"),
            **self._select_counts(),
            **self._select_parts(),
            **self._select_rates(),
            "ordered_revenue": SQL(
                "CASE WHEN lead.won_status = 'won' AND stage.id = funnel.last_id THEN ordered.amount END"
            ),
            "is_first": SQL("stage.id = funnel.first_id"),
            "weight": SQL("1"),  # opportunities of the row, see FunnelQuery
            "ended_stays": SQL("stay.ended"),
            "ended_days": SQL("stay.days"),
            "ended_lengths": SQL("stay.lengths"),
        }

    def _select_counts(self) -> dict[str, SQL]:
        """The measures that a sum adds up, 0 or 1 in each row."""
        return {
            "reached": SQL("1"),
            "touched": SQL("(stay.lead_id IS NOT NULL)::int"),
            "inferred": SQL("(stay.lead_id IS NULL)::int"),
            "advanced": SQL("(stage.id <> funnel.furthest_id)::int"),
            "lost_here": SQL("(lead.won_status = 'lost' AND stage.id = funnel.furthest_id)::int"),
            "pending": SQL("(lead.won_status = 'pending' AND stage.id = funnel.furthest_id)::int"),
            "won": SQL("(lead.won_status = 'won')::int"),
            "opportunity_count": SQL("1"),
        }

    def _select_parts(self) -> dict[str, SQL]:
        """What of the revenue that reached the stage has come no further, empty in the rows that it is not of."""
        sources = {
            "lost_revenue": ("lost", "expected_revenue"),
            "pending_revenue": ("pending", "expected_revenue"),
            "pending_prorated_revenue": ("pending", "prorated_revenue"),
        }
        return {
            name: SQL(
                "CASE WHEN stage.id = funnel.furthest_id AND lead.won_status = %s THEN lead.%s END",
                status,
                SQL.identifier(source),
            )
            for name, (status, source) in sources.items()
        }

    def _select_rates(self) -> dict[str, SQL]:
        """The measures that are averages, empty in the rows that they do not apply to."""
        advanced = SQL("stage.id <> funnel.furthest_id")
        return {
            "step_rate": SQL("CASE WHEN stage.id <> funnel.last_id THEN (%s)::int END", advanced),
            "resolved_rate": SQL("CASE WHEN %s THEN 1 WHEN lead.won_status = 'lost' THEN 0 END", advanced),
            "win_rate": SQL("CASE lead.won_status WHEN 'won' THEN 1 WHEN 'lost' THEN 0 END"),
            "days_in_stage": SQL("stay.days / NULLIF(stay.ended, 0)"),
            "median_days": SQL("stay.median"),
        }

    def _from(self):
        return self._from_funnel(self._from_leads())

    def _from_funnel(self, leads) -> SQL:
        """Return a row for each stage that each row of ``leads`` has reached."""
        return SQL(
            """
            %(leads)s
            JOIN (VALUES %(funnels)s)
                 AS funnel (type_id, entered_id, is_won, reached_ids, first_id, furthest_id, last_id)
              ON funnel.type_id = lead.opportunity_type_id
             AND funnel.entered_id = lead.furthest_stage_id
             AND funnel.is_won = (lead.won_status = 'won')
            CROSS JOIN LATERAL UNNEST(funnel.reached_ids) AS stage (id)
            """,
            leads=leads,
            funnels=SQL(", ").join(
                [
                    SQL("(NULL::int, NULL::int, NULL::bool, NULL::int[], NULL::int, NULL::int, NULL::int)"),
                    *self._get_funnels(),
                ]
            ),
        )

    def _get_joins(self):
        stay = SQL(
            """
            LEFT JOIN (%s) AS stay
              ON stay.lead_id = lead.id
             AND stay.opportunity_type_id = lead.opportunity_type_id
             AND stay.stage_id = stage.id
            """,
            self._get_stays(),
        )
        return {**super()._get_joins(), "stay": stay, "ordered": self._get_order_joins()["ordered"]}

    def _get_funnels(self) -> list[tuple]:
        """What has been reached by whoever got to a stage, or won there: the stages in order up to that one, or all.

        From the map that the gate and the kanban ask too, so that nobody disagrees about the order.

        :returns: rows of (type, furthest stage entered, is it won, stages reached, the first, the furthest, the type's
            last)
        """
        return [
            (type_id, entered_id, is_won, list(reached_ids), stage_ids[0], reached_ids[-1], stage_ids[-1])
            for type_id, stage_ids in self.env["crm.opportunity.type"]._get_stage_map().funnels().items()
            for rank, entered_id in enumerate(stage_ids, 1)
            for is_won, reached_ids in ((False, stage_ids[:rank]), (True, stage_ids))
        ]

    def _get_stays(self) -> SQL:
        """Return what the visits of an opportunity in a stage come to."""
        return SQL(
            """
            SELECT lead_id, opportunity_type_id, stage_id, COUNT(date_end) AS ended, SUM(duration_days) AS days,
                   PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY duration_days)
                       FILTER (WHERE date_end IS NOT NULL) AS median,
                   STRING_AGG(duration_days::text, ',') FILTER (WHERE date_end IS NOT NULL) AS lengths
              FROM crm_stage_visit
             GROUP BY lead_id, opportunity_type_id, stage_id
            """
        )

    # ------------------------------------------------------------
    # Aggregates
    # ------------------------------------------------------------

    def _get_aggregates(self):
        is_won, is_closed = SQL("%s = 1", self._column("won")), SQL("%s IS NOT NULL", self._column("win_rate"))
        won, closed = self._count_opportunities(is_won), self._count_opportunities(is_closed)
        days, ended = self._column("ended_days"), self._column("ended_stays")
        return {
            **super()._get_aggregates(),
            "opportunity_count": self._count_opportunities(SQL("TRUE")),
            "won": won,
            "win_rate": SQL("(%s)::float / NULLIF(%s, 0)", won, closed),
            "days_in_stage": SQL("SUM(%s) / NULLIF(SUM(%s), 0)", days, ended),
            "median_days": self._get_median(),
            **{
                name: SQL("COALESCE(SUM(%s), 0)", self._column(name))
                for name in [*self._select_parts(), "ordered_revenue"]
            },
        }

    def _get_sums(self) -> dict[str, SQL | None]:
        """Return the aggregates that come out the same if opportunities that are alike are taken together.

        :returns: ``{aggregate: expression}``, which takes the weight of a row into account; None for those that are
            right without it
        """
        return {
            **{f"{name}:sum": self._add_weighed(name) for name in ("reached", "advanced", "lost_here", "pending")},
            **{f"{name}:avg": self._average_weighed(name) for name in ("step_rate", "resolved_rate")},
            **{f"{name}:{how}": None for name in self._get_funnel_amounts() for how in ("sum", "sum_currency")},
            **dict.fromkeys(["opportunity_count:sum", "won:sum", "win_rate:avg"]),
            "__count": SQL("COALESCE(SUM(%s), 0)", self._column("weight")),
        }

    def _add_weighed(self, name) -> SQL:
        return SQL("SUM(%s * %s)", self._column(name), self._column("weight"))

    def _average_weighed(self, name) -> SQL:
        return SQL(
            "%(sum)s::float / NULLIF(SUM(%(weight)s) FILTER (WHERE %(value)s IS NOT NULL), 0)",
            sum=self._add_weighed(name),
            weight=self._column("weight"),
            value=self._column(name),
        )

    def _get_median(self) -> SQL:
        """The median of the single stays: a row has those of one opportunity, so their lengths are put together."""
        return SQL(
            """
            (SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY length::float)
               FROM UNNEST(STRING_TO_ARRAY(STRING_AGG(%s, ','), ',')) AS stay (length))
            """,
            self._column("ended_lengths"),
        )

    def _count_opportunities(self, condition) -> SQL:
        """Number of different opportunities in the group that the condition holds for.

        Counting different values is slow. A group of one stage has each opportunity in one row; and as long as nothing
        but opportunities is searched for, each that is in a group is there with its first stage too.
        """
        grain = self._get_grain()
        rows = self._count_rows(condition)
        if grain.by_stage == "all":
            return rows
        if grain.is_whole:
            once = self._count_rows(SQL("%s AND %s", self._column("is_first"), condition))
        else:
            once = SQL("COUNT(DISTINCT %s) FILTER (WHERE %s)", self._column("lead_id"), condition)
        if grain.by_stage == "some":
            return SQL("CASE GROUPING(%s) WHEN 0 THEN %s ELSE %s END", self._column("stage_id"), rows, once)
        return once

    def _count_rows(self, condition) -> SQL:
        if self._get_grain().is_sum:
            return SQL("COALESCE(SUM(%s) FILTER (WHERE %s), 0)", self._column("weight"), condition)
        return SQL("COUNT(*) FILTER (WHERE %s)", condition)

    @api.model
    def _read_group(self, domain, groupby=(), aggregates=(), *args, **kwargs):
        self = self._with_grain(domain, [groupby], aggregates)
        return super()._read_group(domain, groupby, aggregates, *args, **kwargs)

    @api.model
    def _read_grouping_sets(self, domain, grouping_sets, aggregates=(), *args, **kwargs):
        self = self._with_grain(domain, grouping_sets, aggregates)
        return super()._read_grouping_sets(domain, grouping_sets, aggregates, *args, **kwargs)

    def _with_grain(self, domain, grouping_sets, aggregates):
        """Know for the aggregates and the query what they are about."""
        by_stage = {"stage_id" in groupby for groupby in grouping_sets}
        specs = {spec for groupby in grouping_sets for spec in groupby} - {"stage_id"}
        grain = Grain(
            by_stage="some" if len(by_stage) > 1 else "all" if True in by_stage else "none",
            is_whole=self._is_about_opportunities(domain, specs),
            is_sum=bool(aggregates) and self._get_sums().keys() >= set(aggregates),
            is_visit=self._get_grain().is_visit,
        )
        return self.with_context(funnel_grain=grain)

    def _get_grain(self) -> Grain:
        grain = self.env.context.get("funnel_grain")
        return grain if isinstance(grain, Grain) else Grain()  # a client cannot send one

    def _read_group_select(self, aggregate_spec, query):
        sums = self._get_sums()
        query.is_sum &= aggregate_spec in sums  # groups may be sorted and chosen by more than what is asked for
        return (query.is_sum and sums.get(aggregate_spec)) or super()._read_group_select(aggregate_spec, query)

    def _read_group_groupby(self, alias, groupby_spec, query):
        """Group by the month of an opportunity before its rows are made."""
        name, _colon, granularity = groupby_spec.partition(":")
        is_moment = name in self._fields and self._fields[name].type == "datetime"  # days are few, moments are not
        if not (is_moment and granularity and query.is_sum and alias == self._table and name in query.lead_columns):
            return super()._read_group_groupby(alias, groupby_spec, query)
        return query.add_lead_column(f"{name}__{granularity}", super()._read_group_groupby("lead", groupby_spec, query))

    @api.model
    def _search(self, *args, **kwargs):
        query = super()._search(*args, **kwargs)
        return query if query.is_empty() else FunnelQuery(query, self, self._get_grain().is_sum)

    def _is_about_opportunities(self, domain, specs):
        """Whether the search, the record rules and the groups look at nothing but the opportunity."""
        names = self.env["crm.lead.report.mixin"]._fields.keys() - {"id"}
        rules = Domain.TRUE if self.env.su else self.env["ir.rule"]._compute_domain(self._name, "read")
        conditions = (Domain(domain) & Domain(rules)).iter_conditions()
        used = {condition.field_expr for condition in conditions} | {spec.partition(":")[0] for spec in specs}
        return all(name.partition(".")[0] in names for name in used)

    # ------------------------------------------------------------
    # Funnel view
    # ------------------------------------------------------------

    @api.model
    @api.readonly
    def get_funnels(self, domain, groupby=()):
        """All that the funnel view shows, with one query for the figures.

        :param groupby: what the funnels of a type are told apart by, as in ``formatted_read_group``
        :returns: ``{"rows": what formatted_read_group returns by type, groupby and stage; "types": those of the rows,
            each with all its stages in order, the won ones last; "is_complete": whether a stage without a row was
            reached by nobody, or may merely not have been searched for; "currency_id": of the amounts}``
        """
        groupby = [spec for spec in groupby if spec not in ("opportunity_type_id", "stage_id")]
        currency, amount = self._get_funnel_currency()
        aggregates = [f"{name}:{amount}" for name in self._get_funnel_amounts()] + self._get_funnel_aggregates()
        order = ", ".join(groupby) or "reached:sum desc"  # to sort by type and stage takes long, and they have an order
        rows = self.formatted_read_group(domain, ["opportunity_type_id", *groupby, "stage_id"], aggregates, order=order)
        for row in rows:
            for name in self._get_funnel_amounts():
                row[f"{name}:sum"] = row.pop(f"{name}:{amount}")
        if self.env.context.get("funnel_won_figure") == "ordered":
            self._show_orders_of_won(rows, domain, groupby, amount)
        return {
            "rows": rows,
            "types": self._get_funnel_types(rows),
            "is_complete": self._is_about_opportunities(domain, set(groupby)),
            "currency_id": currency.id,
        }

    def _show_orders_of_won(self, rows, domain, groupby, amount):
        """Replace the revenue of won stages by what was ordered.

        :param list rows: as ``formatted_read_group`` returns them; they are changed
        """
        specs = ["opportunity_type_id", *groupby, "stage_id"]
        won = Domain(domain) & Domain([("won", "=", 1), ("stage_id.is_won", "=", True)])
        ordered = {
            tuple(row[spec] for spec in specs): row[f"ordered_revenue:{amount}"]
            for row in self.formatted_read_group(won, specs, [f"ordered_revenue:{amount}"])
        }
        won_ids = {stage.id for stage in self.env["crm.stage"].search([("is_won", "=", True)])}
        for row in rows:
            if row["stage_id"] and row["stage_id"][0] in won_ids:
                revenue = ordered.get(tuple(row[spec] for spec in specs), 0)
                row.update({"expected_revenue:sum": revenue, "prorated_revenue:sum": revenue})

    def _get_funnel_amounts(self):
        return ["expected_revenue", "prorated_revenue", "lost_revenue", "pending_revenue", "pending_prorated_revenue"]

    def _get_funnel_aggregates(self):
        counts = ("reached", "advanced", "lost_here", "pending", "won")
        rates = ("step_rate", "resolved_rate", "win_rate", "days_in_stage", "median_days")
        return [*(f"{name}:sum" for name in counts), *(f"{name}:avg" for name in rates)]

    def _get_funnel_currency(self):
        """The currency of all amounts, and how they are added up: converted, where several companies have several."""
        currencies = self.env.companies.currency_id
        return (currencies, "sum") if len(currencies) == 1 else (self.env.company.currency_id, "sum_currency")

    def _get_funnel_types(self, rows):
        names = dict(row["opportunity_type_id"] for row in rows)
        return [
            {"id": type_id, "name": names[type_id], "stages": self._get_funnel_stages(stage_ids)}
            for type_id, stage_ids in self.env["crm.opportunity.type"]._get_stage_map().funnels().items()
            if type_id in names
        ]

    def _get_funnel_stages(self, stage_ids):
        stages = self.env["crm.stage"].browse(stage_ids)
        return [{"id": stage.id, "name": stage.display_name, "is_won": stage.is_won} for stage in stages]

    @api.model
    @api.readonly
    def get_opportunities_action(self, domain):
        """The opportunities behind rows of the funnel.

        :param domain: which rows
        :returns: an action on ``crm.lead``, lost ones included
        """
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Opportunities"),
            "res_model": "crm.lead",
            "views": [
                (self.env.ref("crm.crm_case_tree_view_oppor").id, "list"),
                (self.env.ref("crm.crm_case_kanban_view_leads").id, "kanban"),
                (self.env.ref("crm.crm_lead_view_form").id, "form"),
            ],
            "search_view_id": [self.env.ref("crm.view_crm_case_opportunities_filter").id, "search"],
            "domain": [("funnel_report_ids", "any", domain)],
            "context": {"active_test": False, "create": False, "default_type": "opportunity"},
        }

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    @api.readonly
    def action_open_lead(self):
        """Told from the id of the row, without searching the funnel for it."""
        self.ensure_one()
        lead = self.env["crm.lead"].browse(self.id >> STAGE_BITS)
        lead.check_access("read")
        return lead.get_formview_action()

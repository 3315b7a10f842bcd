from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .crm_funnel_report import STAGE_BITS

TOUCHED, INFERRED, REACHED = "touched:sum", "inferred:sum", "reached:sum"
PLACE_BITS = 32  # of the number of a place; the type has the others
VISIT_SPECS = {TOUCHED, INFERRED, "days_in_stage:avg", "median_days:avg"}


class CrmFunnelReport(models.Model):
    """The measures of stage visits, read from the visits.

    A row of the funnel has what an opportunity did in a stage, so its visits have to be put together for each row.
    Groups do not need that: their visits are read by themselves, with a second statement, in which a row is a visit.
    """

    _inherit = "crm.funnel.report"

    # ------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------

    @api.model
    def _read_group(self, domain, groupby=(), aggregates=(), having=(), offset=0, limit=None, order=None):
        whole = super()._read_group
        if having or offset or limit or not self._may_read_visits(domain, [groupby], aggregates, order):
            return whole(domain, groupby, aggregates, having, offset, limit, order)
        rows = whole(domain, groupby, self._get_row_specs(aggregates), order=order)
        visits = super(CrmFunnelReport, self._of_visits())._read_group(
            domain, groupby, self._get_visit_specs(aggregates)
        )
        return self._join_visits(rows, visits, len(groupby), aggregates)

    @api.model
    def _read_grouping_sets(self, domain, grouping_sets, aggregates=(), order=None):
        whole = super()._read_grouping_sets
        if not self._may_read_visits(domain, grouping_sets, aggregates, order):
            return whole(domain, grouping_sets, aggregates, order)
        rows = whole(domain, grouping_sets, self._get_row_specs(aggregates), order)
        visits = super(CrmFunnelReport, self._of_visits())._read_grouping_sets(
            domain, grouping_sets, self._get_visit_specs(aggregates)
        )
        return [
            self._join_visits(*results, len(groupby), aggregates)
            for *results, groupby in zip(rows, visits, grouping_sets, strict=True)
        ]

    def _may_read_visits(self, domain, grouping_sets, aggregates, order):
        """Whether visits are asked for, and the groups look at nothing but the opportunity and the stage."""
        if not VISIT_SPECS.intersection(aggregates) or any(spec in (order or "") for spec in VISIT_SPECS):
            return False
        names = {spec for groupby in grouping_sets for spec in groupby} - {"stage_id"}
        conditions = Domain(domain).map_conditions(
            lambda condition: Domain.TRUE if condition.field_expr.partition(".")[0] == "stage_id" else condition
        )
        return self._is_about_opportunities(conditions, names)

    def _of_visits(self):
        return self.with_context(funnel_grain=self._get_grain()._replace(is_visit=True))

    def _get_row_specs(self, aggregates) -> list[str]:
        """Return the aggregates that visits are not needed for, of which there is at least one."""
        return [spec for spec in aggregates if spec not in VISIT_SPECS] + [REACHED]

    def _get_visit_specs(self, aggregates) -> list[str]:
        specs = [TOUCHED if spec == INFERRED else spec for spec in aggregates if spec in VISIT_SPECS]
        return list(dict.fromkeys(specs))

    def _join_visits(self, rows, visits, size, aggregates):
        """Return the rows of the groups in their order, completed by what their visits come to.

        :param size: number of columns that name the group
        """
        row_specs, visit_specs = self._get_row_specs(aggregates), self._get_visit_specs(aggregates)
        nothing = {spec: 0 if spec == TOUCHED else self._read_group_empty_value(spec) for spec in visit_specs}
        by_group = {tuple(row[:size]): dict(zip(visit_specs, row[size:], strict=True)) for row in visits}
        result = []
        for row in rows:
            values = dict(zip(row_specs, row[size:], strict=True)) | by_group.get(tuple(row[:size]), nothing)
            values[INFERRED] = (values[REACHED] or 0) - values.get(TOUCHED, 0)
            result.append((*row[:size], *(values[spec] for spec in aggregates)))
        return result

    # ------------------------------------------------------------
    # Query
    # ------------------------------------------------------------

    def _select_columns(self):
        columns = super()._select_columns()
        if not self._get_grain().is_visit:
            return columns
        is_ended = SQL("stay.date_end IS NOT NULL")
        return columns | {
            "id": SQL("(lead.id::bigint << %s) + stay.stage_id", STAGE_BITS),
            "stage_id": SQL("stay.stage_id"),
            "ended_stays": SQL("(%s)::int", is_ended),
            "ended_days": SQL("stay.duration_days"),
            "median_days": SQL("CASE WHEN %s THEN stay.duration_days END", is_ended),
        }

    def _from(self):
        if not self._get_grain().is_visit:
            return super()._from()
        return SQL(
            "%s JOIN crm_stage_visit stay ON stay.lead_id = lead.id"
            " AND stay.opportunity_type_id = lead.opportunity_type_id",
            self._from_leads(),
        )

    def _where(self):
        if not self._get_grain().is_visit:
            return super()._where()
        return SQL(
            """
            %(where)s
            AND (lead.opportunity_type_id::bigint << %(bits)s) + lead.furthest_stage_id = ANY(%(places)s::bigint[])
            AND (stay.opportunity_type_id::bigint << %(bits)s) + stay.stage_id = ANY(%(places)s::bigint[])
            """,
            where=super()._where(),
            bits=PLACE_BITS,
            places=self._get_places(),
        )

    def _get_places(self) -> list[int]:
        """Return each stage of each funnel as one number: PostgreSQL looks it up for a row without a join."""
        funnels = self.env["crm.opportunity.type"]._get_stage_map().funnels()
        return [(type_id << PLACE_BITS) + stage_id for type_id, stage_ids in funnels.items() for stage_id in stage_ids]

    def _get_joins(self):
        joins = super()._get_joins()
        return {alias: joins[alias] for alias in joins if not (alias == "stay" and self._get_grain().is_visit)}

    def _get_aggregates(self):
        aggregates = super()._get_aggregates()
        if not self._get_grain().is_visit:
            return aggregates
        return aggregates | {
            "touched": SQL("COUNT(DISTINCT %s)", self._column("id")),
            "median_days": SQL("PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %s)", self._column("median_days")),
        }

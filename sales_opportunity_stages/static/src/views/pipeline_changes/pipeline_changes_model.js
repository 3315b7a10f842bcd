import { Domain } from "@web/core/domain";
import { _t } from "@web/core/l10n/translation";
import { KeepLast } from "@web/core/utils/concurrency";
import { Model } from "@web/model/model";
import { ChangeFigures, NAMES } from "./change_figures";

const CURRENCIES = "currency_id:array_agg_distinct";

/** The changes of what is searched for, in total and of each group. All of them: nothing is cut off. */
export class PipelineChangesModel extends Model {
    static withCache = false;

    setup(params) {
        this.metaData = { measure: "revenue", ...params };
        this.keepLast = new KeepLast();
        this.data = null;
    }

    hasData() {
        return Boolean(this.data?.total && NAMES.some((name) => this.data.total.has(name)));
    }

    setMeasure(measure) {
        this.metaData.measure = measure;
        this.notify();
    }

    async load(searchParams) {
        this.searchParams = searchParams;
        this.data = await this.keepLast.add(this.fetch(searchParams));
    }

    async fetch({ domain, groupBy, context }) {
        const [total] = await this.read(domain, [], context, "sum");
        const currencyIds = (total[CURRENCIES] || []).filter(Boolean);
        const isMixed = currencyIds.length > 1;
        const [sum] = isMixed ? await this.read(domain, [], context, "sum_currency") : [total];
        const groups = groupBy.length
            ? await this.read(domain, groupBy, context, isMixed ? "sum_currency" : "sum")
            : [];
        return {
            currencyId: isMixed ? undefined : currencyIds[0],
            total: this.makeFigures(_t("Total"), domain, sum),
            groups: groups.map((group) =>
                this.makeFigures(
                    this.getTitle(group, groupBy),
                    Domain.and([domain, group.__extra_domain || []]).toList(),
                    group,
                ),
            ),
        };
    }

    read(domain, groupBy, context, aggregator) {
        const specs = NAMES.flatMap((name) => [`${name}_count:sum`, `${name}_revenue:${aggregator}`]);
        return this.orm.formattedReadGroup(
            this.metaData.resModel,
            domain,
            groupBy,
            [...specs, CURRENCIES],
            { context },
        );
    }

    makeFigures(title, domain, group) {
        const values = Object.fromEntries(
            Object.entries(group).map(([spec, value]) => [spec.split(":")[0], value]),
        );
        return new ChangeFigures({ title, domain, values });
    }

    getTitle(group, groupBy) {
        return groupBy
            .map((spec) => {
                const value = group[spec];
                const { type, selection } = this.metaData.fields[spec.split(":")[0]];
                if (value === false || value === undefined || value === null) {
                    return _t("None");
                }
                if (type === "selection") {
                    return selection.find(([key]) => key === value)?.[1];
                }
                return Array.isArray(value) ? value[1] : String(value);
            })
            .join(" / ");
    }
}

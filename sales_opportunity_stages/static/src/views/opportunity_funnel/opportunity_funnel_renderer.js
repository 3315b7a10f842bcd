import { Domain } from "@web/core/domain";
import { _t } from "@web/core/l10n/translation";
import { download, downloadFile } from "@web/core/network/download";
import { GraphRenderer } from "@web/views/graph/graph_renderer";
import { FunnelChart } from "./funnel_chart";
import { FUNNEL_MEASURES } from "./funnel_measures";
import { FunnelPainter } from "./funnel_painter";
import { getSpreadsheet } from "./funnel_spreadsheet";
import { FunnelTableView } from "./funnel_table_view";

const GROUPING_FIELDS = ["opportunity_type_id", "stage_id"];
const SERIES = 6;

export class OpportunityFunnelRenderer extends GraphRenderer {
    static template = "sales_opportunity_stages.OpportunityFunnelRenderer";
    static components = { ...GraphRenderer.components, FunnelChart, FunnelTableView };

    get types() {
        return this.model.visibleTypes;
    }

    // ------------------------------------------------------------
    // Choices
    // ------------------------------------------------------------

    get funnelMeasures() {
        return Object.entries(FUNNEL_MEASURES).map(([name, { label }]) => ({ name, label }));
    }

    /** Other periods, if the search is for one, and other values of what the search view groups by. */
    get comparisons() {
        const isLimited = Boolean(this.model.period);
        const items = this.env.searchModel.getSearchItems(
            ({ type, fieldType, fieldName }) =>
                type === "groupBy" &&
                fieldType === "many2one" &&
                !GROUPING_FIELDS.includes(fieldName),
        );
        return [
            { name: "", label: _t("Nothing"), isPossible: true },
            { name: "previous", label: _t("Previous Period"), isPossible: isLimited },
            { name: "year", label: _t("Same Period Last Year"), isPossible: isLimited },
            ...items.map((item) => ({
                name: item.fieldName,
                label: item.description,
                isPossible: true,
            })),
        ];
    }

    get compareLabel() {
        const { compare } = this.model.metaData;
        const found = compare && this.comparisons.find(({ name }) => name === compare);
        return found ? _t("Compare: %s", found.label) : _t("Compare");
    }

    onPairChanged(place, key) {
        const pair = [...this.model.data.pair];
        const other = pair.indexOf(key);
        if (other >= 0) {
            pair[other] = pair[place];
        }
        pair[place] = key;
        this.model.updateMetaData({ pair });
    }

    // ------------------------------------------------------------
    // Funnels
    // ------------------------------------------------------------

    /** All funnels of a type are drawn to one scale: the one with more opportunities is the wider one. */
    getMaximum(type) {
        const { funnelMeasure } = this.model.metaData;
        return Math.max(...type.funnels.map((funnel) => funnel.getMaximum(funnelMeasure)));
    }

    getSeries(index) {
        return index % SERIES;
    }

    async openOpportunities(funnel, stage, count, isMiddleClick) {
        const { metaData, orm, useSampleModel } = this.model;
        if (useSampleModel || !stage.get(count)) {
            return;
        }
        const domain = Domain.and([funnel.domain, stage.getDomain(count)]).toList();
        const action = await orm.call(metaData.resModel, "get_opportunities_action", [domain]);
        const name = _t("%(stage)s: %(count)s", {
            stage: stage.name,
            count: metaData.fields[count].string,
        });
        await this.actionService.doAction({ ...action, name }, { newWindow: isMiddleClick });
    }

    // ------------------------------------------------------------
    // Export
    // ------------------------------------------------------------

    get exportTitle() {
        return this.env.config.getDisplayName?.() || this.model.metaData.title;
    }

    async onDownloadPicture() {
        const searched = this.env.searchModel.facets.map(({ values }) => values.join(" / "));
        const { funnelMeasure, fields } = this.model.metaData;
        const painter = new FunnelPainter({
            title: this.exportTitle,
            subtitle: [FUNNEL_MEASURES[funnelMeasure].label, ...searched].join(" · "),
            measure: funnelMeasure,
            types: this.types,
            fields,
            element: this.rootRef.el.querySelector(".o_opportunity_funnel"),
        });
        downloadFile(await painter.toBlob(), `${this.exportTitle}.png`, "image/png");
    }

    onDownloadSpreadsheet() {
        const { fields, resModel } = this.model.metaData;
        const table = getSpreadsheet({
            title: this.exportTitle,
            model: resModel,
            types: this.types,
            fields,
        });
        return download({
            url: "/web/pivot/export_xlsx",
            data: { data: new Blob([JSON.stringify(table)], { type: "application/json" }) },
        });
    }
}

import { Domain } from "@web/core/domain";
import { serializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { download, downloadFile } from "@web/core/network/download";
import { GraphRenderer } from "@web/views/graph/graph_renderer";
import { UndatedNotice } from "../opportunity_report/undated_notice";
import { FunnelChart } from "./funnel_chart";
import { FUNNEL_MEASURES } from "./funnel_measures";
import { FunnelPainter } from "./funnel_painter";
import { getSpreadsheet } from "./funnel_spreadsheet";
import { FunnelTableView } from "./funnel_table_view";

const GROUPING_FIELDS = ["opportunity_type_id", "stage_id"];
const SERIES = 6;

export class OpportunityFunnelRenderer extends GraphRenderer {
    static template = "sales_opportunity_stages.OpportunityFunnelRenderer";
    static components = { ...GraphRenderer.components, FunnelChart, FunnelTableView, UndatedNotice };

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
        const isPossible = Boolean(this.model.period);
        const reason = isPossible ? "" : _t("Filter by a period first, with a first and a last day.");
        const items = this.env.searchModel.getSearchItems(
            ({ type, fieldType, fieldName }) =>
                type === "groupBy" &&
                fieldType === "many2one" &&
                !GROUPING_FIELDS.includes(fieldName),
        );
        return [
            { name: "", label: _t("Nothing"), isPossible: true },
            { name: "previous", label: _t("Previous Period"), isPossible, reason },
            { name: "year", label: _t("Same Period Last Year"), isPossible, reason },
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

    /** Whether the revenue of what was won is that of its confirmed orders. */
    get isWonByOrders() {
        return this.model.metaData.wonFigure === "ordered";
    }

    toggleWonByOrders() {
        this.model.updateMetaData({ wonFigure: this.isWonByOrders ? "expected" : "ordered" });
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
        const { metaData, useSampleModel } = this.model;
        if (useSampleModel || !stage.get(count)) {
            return;
        }
        const domain = Domain.and([funnel.domain, stage.getDomain(count)]).toList();
        const name = _t("%(stage)s: %(count)s", {
            stage: stage.name,
            count: metaData.fields[count].string,
        });
        await this.openLeads(domain, name, isMiddleClick);
    }

    /** The opportunities that are left out for want of an expected closing. */
    async openUndated(domain) {
        await this.openLeads(domain, _t("No Expected Closing"));
    }

    async openLeads(domain, name, isMiddleClick = false) {
        const { metaData, orm } = this.model;
        const action = await orm.call(metaData.resModel, "get_opportunities_action", [domain]);
        await this.actionService.doAction({ ...action, name }, { newWindow: isMiddleClick });
    }

    // ------------------------------------------------------------
    // Export
    // ------------------------------------------------------------

    /** Names the file too: what it is, of which types, and the day. */
    get exportTitle() {
        const name = this.env.config.getDisplayName?.() || this.model.metaData.title;
        const types = this.types.map((type) => type.name).join(", ");
        const day = serializeDate(luxon.DateTime.now());
        return _t("%(report)s of %(types)s, %(day)s", { report: name, types, day });
    }

    get searched() {
        return this.env.searchModel.facets.map(({ values }) => values.join(" / "));
    }

    async onDownloadPicture() {
        const { funnelMeasure, fields } = this.model.metaData;
        const painter = new FunnelPainter({
            title: this.exportTitle,
            subtitle: [FUNNEL_MEASURES[funnelMeasure].label, ...this.searched].join(" · "),
            measure: funnelMeasure,
            types: this.types,
            fields,
            element: this.rootRef.el.querySelector(".o_opportunity_funnel"),
        });
        downloadFile(await painter.toBlob(), `${this.exportTitle}.png`, "image/png");
    }

    onDownloadSpreadsheet() {
        const table = getSpreadsheet({
            title: this.exportTitle,
            subtitle: this.searched.join(" · ") || _t("All opportunities"),
            types: this.types,
            fields: this.model.metaData.fields,
        });
        return download({
            url: "/opportunity_funnel/export_xlsx",
            data: { data: new Blob([JSON.stringify(table)], { type: "application/json" }) },
        });
    }
}

import { Component, useEffect, useState } from "@odoo/owl";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { ReportPeriod } from "./report_period";

const FIELD = "date_deadline";

/**
 * How many opportunities a report leaves out because they have no expected closing, while it is limited to a period of
 * expected closings; with a way to include them.
 */
export class UndatedNotice extends Component {
    static template = "sales_opportunity_stages.UndatedNotice";
    static props = {
        resModel: String,
        domain: Array,
        fields: Object,
        onOpen: { type: Function, optional: true },
    };

    setup() {
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.state = useState({ count: 0 });
        useEffect(
            () => void this.load(),
            () => [JSON.stringify(this.domain), this.props.resModel],
        );
    }

    /** @returns {Array | null} what finds them; null where none is left out */
    get domain() {
        const { domain, fields } = this.props;
        const period = ReportPeriod.find(domain, fields);
        return period?.fieldName === FIELD ? period.getUndatedDomain() : null;
    }

    get searchItem() {
        const items = this.env.searchModel?.getSearchItems(({ name }) => name === "undated") || [];
        return items.find(({ isActive }) => !isActive);
    }

    async load() {
        this.state.count = 0;
        if (this.domain) {
            this.state.count = await this.keepLast.add(this.count());
        }
    }

    async count() {
        const spec = "lead_id:count_distinct";
        const { resModel } = this.props;
        const [total] = await this.orm.formattedReadGroup(resModel, this.domain, [], [spec]);
        return total?.[spec] || 0;
    }

    include() {
        this.env.searchModel.toggleSearchItem(this.searchItem.id);
    }
}

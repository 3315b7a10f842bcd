import { Component, useEffect, useState } from "@odoo/owl";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";

/** From when the figures of a report on past days are exact, where the chosen days are earlier. */
export class HistoryNotice extends Component {
    static template = "sales_opportunity_stages.HistoryNotice";
    static props = { resModel: String, context: Object };

    setup() {
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.state = useState({ text: false });
        useEffect(
            () => void this.load(),
            () => [JSON.stringify(this.props.context), this.props.resModel],
        );
    }

    async load() {
        const { resModel, context } = this.props;
        this.state.text = await this.keepLast.add(
            this.orm.call(resModel, "get_history_notice", [], { context }),
        );
    }
}

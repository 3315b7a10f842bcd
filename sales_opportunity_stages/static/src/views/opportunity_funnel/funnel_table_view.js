import { Component } from "@odoo/owl";
import { FunnelTable, TABLE_COLUMNS } from "./funnel_table";

/** The stage-promotion table below the funnels of a type. */
export class FunnelTableView extends Component {
    static template = "sales_opportunity_stages.FunnelTableView";
    static props = { type: Object, fields: Object, onOpen: Function };

    get columns() {
        return TABLE_COLUMNS.map((name) => this.props.fields[name]);
    }

    get rows() {
        return new FunnelTable(this.props.type).rows;
    }
}

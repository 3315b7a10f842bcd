import { crmKanbanView } from "@crm/views/crm_kanban/crm_kanban_view";
import { patch } from "@web/core/utils/patch";
import { SearchModel } from "@web/search/search_model";

/** What is entered in a pipeline is of the type that is chosen in its search panel. */
export class OpportunitySearchModel extends SearchModel {
    get context() {
        const context = super.context;
        const typeId = this.categories.find((category) => category.fieldName === "opportunity_type_id")?.activeValueId;
        return typeId ? { ...context, search_opportunity_type: [typeId] } : context;
    }
}

patch(crmKanbanView, { SearchModel: OpportunitySearchModel });

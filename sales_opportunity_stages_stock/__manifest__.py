{
    "name": "Sales Opportunity Stages: Deliveries",
    "version": "19.0.2.0.0",
    "summary": "Deliveries are held while the customer is over the credit limit or late",
    "category": "Sales/CRM",
    "license": "LGPL-3",
    "author": "Sales Opportunity Stages Contributors",
    "development_status": "Beta",
    "depends": ["sales_opportunity_stages", "sale_stock"],
    "data": [
        "security/ir.model.access.csv",
        "views/res_config_settings_views.xml",
        "views/sale_credit_request_views.xml",
        "views/stock_picking_views.xml",
    ],
    "uninstall_hook": "uninstall_hook",
    "auto_install": True,
}

{
    "name": "Sales Opportunity Stages - Contracts",
    "version": "19.0.2.0.0",
    "summary": "Make a sales contract from a quotation: an order or a contract, never both",
    "category": "Sales/CRM",
    "license": "AGPL-3",
    "author": "Sales Opportunity Stages Contributors",
    "development_status": "Beta",
    "depends": ["sales_opportunity_stages", "sale_blanket_order"],
    "data": [
        "views/crm_lead_views.xml",
        "views/sale_blanket_order_views.xml",
        "views/sale_order_views.xml",
    ],
    "demo": ["demo/sale_blanket_order_demo.xml"],
    "assets": {
        "web.assets_tests": [
            "sales_opportunity_stages_contract/static/tests/tours/*",
        ],
    },
    "auto_install": True,
    "uninstall_hook": "uninstall_hook",
}

{
    "name": "Sales Opportunity Stages: Expenses",
    "version": "19.0.2.0.0",
    "summary": "Link expenses to opportunities and quotations",
    "category": "Sales/CRM",
    "license": "LGPL-3",
    "author": "Sales Opportunity Stages Contributors",
    "development_status": "Beta",
    "depends": ["sales_opportunity_stages", "sale_expense"],
    "data": [
        "views/hr_expense_views.xml",
        "views/crm_lead_views.xml",
        "views/sale_order_views.xml",
    ],
    "demo": [
        "demo/hr_employee_demo.xml",
        "demo/hr_expense_demo.xml",
    ],
    "assets": {
        "web.assets_tests": [
            "sales_opportunity_stages_expense/static/tests/tours/*",
        ],
    },
    "pre_init_hook": "pre_init_hook",
    "uninstall_hook": "uninstall_hook",
    "auto_install": True,
}

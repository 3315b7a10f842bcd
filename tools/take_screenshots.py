"""The pictures of the guides, taken from a running demo: `python -m tools.take_screenshots BROWSER URL FOLDER`."""

import json
import sys
import time
from pathlib import Path

from . import devtools

MODULE = "sales_opportunity_stages"
WIDTH = 1280
TYPE = "opportunity_type_project"
SETTLED = 1.5  # seconds that fonts, charts and animations take at the most


class Demo:
    """The demo as its administrator sees it."""

    def __init__(self, page, url):
        self.page = page
        self.url = url
        self.language = "en_US"

    def log_in(self, login="admin"):
        """Enter."""
        self.page.go(f"{self.url}/web/login")
        self.page.wait("document.querySelector('.oe_login_form')")
        self.page.run(
            f"login.value = password.value = {json.dumps(login)}; document.querySelector('.oe_login_form').submit()"
        )
        self.page.wait("document.querySelector('.o_main_navbar')")
        self.language = self._call("res.users", "context_get")["lang"]
        self._call("res.users", "switch_tour_enabled", False)  # no pointer in the pictures

    def open(self, action, record=None):
        """Open an action, or one of its records, by external ids of the add-on where no other is named."""
        path = f"action-{self._full(action)}"
        if record:
            path += f"/{self._get_id(self._full(record))}"
        self.page.go(f"{self.url}/odoo/{path}")
        self.page.wait("document.querySelector('.o_action_manager .o_view_controller, .o_setting_container')")

    @staticmethod
    def _full(name):
        return name if "." in name else f"{MODULE}.{name}"

    def _get_id(self, name):
        module, _dot, name = name.partition(".")
        domain = [["module", "=", module], ["name", "=", name]]
        return self._call("ir.model.data", "search_read", domain, ["res_id"])[0]["res_id"]

    def get_name(self, record, field="name"):
        """Return the name of a record of the demo as the user reads it."""
        record_id = self._get_id(self._full(record))
        model = self._call("ir.model.data", "search_read", [["name", "=", record]], ["model"])[0]["model"]
        return self._call(model, "web_read", [record_id], {field: {}})[0][field]

    def _call(self, model, method, *args):
        params = {"model": model, "method": method, "args": args, "kwargs": {"context": {"lang": self.language}}}
        body = json.dumps(json.dumps({"jsonrpc": "2.0", "params": params}))
        answer = self.page.run(
            "fetch('/web/dataset/call_kw', {method: 'POST', headers: {'Content-Type': 'application/json'},"
            f" body: {body}}}).then((answer) => answer.json())"
        )
        return answer["result"]


def pipeline(demo):
    """The cards of one type in its own columns."""
    demo.open("crm_opportunity_type_action_pipelines")
    demo.page.click(".o_kanban_record:not(.o_kanban_ghost)", demo.get_name(TYPE))
    demo.page.wait(demo.page.find(".o_opportunity_kanban .o_kanban_record"))


def opportunity(demo):
    """Two requirements met, the third planned."""
    demo.open("crm.crm_lead_action_pipeline", "lead_packaging_line")


def opportunity_type(demo):
    """A type with its stages in order and what each of them requires."""
    demo.open("crm_opportunity_type_action", TYPE)
    demo.page.wait(demo.page.find(".o_field_widget[name=stage_ids] .o_data_row"))


def rules(demo):
    """A stage of a type, with its rules."""
    opportunity_type(demo)
    demo.page.click(".o_field_widget[name=stage_ids] .o_data_cell", demo.get_name("stage_needs_analysis"))
    demo.page.wait(demo.page.find(".modal .o_field_widget[name=rule_ids]"))


def quotation(demo):
    """Waiting for approval."""
    demo.open("sale.action_quotations_with_onboarding", "order_packaging_line")


def credit(demo):
    """A confirmation that is blocked."""
    demo.open("sale.action_quotations_with_onboarding", "order_huaxin_tanks")
    demo.page.click("button[name=action_confirm]")
    demo.page.wait(demo.page.find(".modal-body"))


def credit_units(demo):
    """Credit units with what they have used."""
    demo.open("res_partner_action_credit")


def funnel(demo):
    """Two salespeople side by side."""
    demo.open("crm_funnel_report_action")
    demo.page.click(".o_opportunity_funnel_type", demo.get_name(TYPE))
    demo.page.click(".o_opportunity_funnel_compare")
    demo.page.click("[data-compare=user_id]")
    demo.page.wait(demo.page.find(".o_opportunity_funnel_pair"))


def changes(demo):
    """What changed in the last seven days."""
    demo.open("crm_pipeline_change_report_action")
    demo.page.wait(demo.page.find(".o_pipeline_changes_bars"))


PICTURES = {
    "pipeline": (pipeline, 720),
    "opportunity": (opportunity, 800),
    "opportunity_type": (opportunity_type, 800),
    "rules": (rules, 860),
    "quotation": (quotation, 800),
    "credit": (credit, 720),
    "credit_units": (credit_units, 420),
    "funnel": (funnel, 1000),
    "changes": (changes, 720),
}


def main(browser, url, folder, *names):
    """Take the pictures of these names, or all."""
    with devtools.page(browser) as page:
        page.resize(WIDTH, 800)
        demo = Demo(page, url)
        demo.log_in()
        for name in names or PICTURES:
            show, height = PICTURES[name]
            page.resize(WIDTH, height)
            show(demo)
            time.sleep(SETTLED)
            page.picture(Path(folder, f"{name}.png"))
            print(name, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

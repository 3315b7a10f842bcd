"""Many salespeople at once, over HTTP, against an Odoo with several workers: what they are answered, and what is left.

Copies a database that has the add-on into a PostgreSQL of its own, with fsync on; makes salespeople, opportunities and
customers that share credit units; serves it with workers; and lets everybody look, move, schedule, complete, quote,
approve, confirm and report for some minutes, as the web client does. A refusal by a rule, such as a gate or a credit
limit, is an answer. An error page, an error of the database or what could not be serialized is a failure. At the end
what must hold is asked of the database, by the command that an administrator has too::

    python benchmarks/load.py --config odoo.conf --database scratch --people 16 --minutes 3
    python benchmarks/load.py --config odoo.conf --database scratch --people 16 --minutes 3 --kill

With ``--kill`` every process of PostgreSQL is killed midway, as by a power cut, and it is started again. Until it is
there requests may fail; nothing may be half done, and the workers have to come back by themselves.
"""

import argparse
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import psutil
import requests
from servers import Cluster, WebClient, configure, free_port, serving

import odoo
from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tools import SQL

from tools import postgres

SETTINGS = {"max_connections": "100", "shared_buffers": "256MB"}  # fsync and the rest as they are delivered
UNITS, CUSTOMERS, LIMIT, APPROVAL_FROM = 4, 6, 5_000, 2_000
GRACE = 20  # seconds after PostgreSQL is back in which a worker may still find its connection dead
BUSINESS = {f"odoo.exceptions.{name}" for name in ("UserError", "ValidationError", "AccessError", "RedirectWarning")}
NOT_BUSINESS = re.compile("serializ|operation cannot be completed|concurrent|deadlock", re.IGNORECASE)
LISTED = {"name": {}, "stage_id": {"fields": {"display_name": {}}}}
OPENED = {
    **LISTED,
    "stage_checklist": {},
    "stage_progress": {},
    "can_promote": {},
    "expected_revenue": {},
    "opportunity_line_ids": {"fields": {"product_id": {"fields": {"display_name": {}}}, "quoted_qty": {}}},
    "stage_visit_ids": {"fields": {"stage_id": {"fields": {"display_name": {}}}, "outcome": {}}},
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="a configuration of Odoo whose addons_path has the add-on")
    parser.add_argument("--database", required=True, help="the database to copy; it is only read")
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument(
        "--pause", type=float, default=0.5, help="seconds between two things that somebody does, at most"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill", action="store_true", help="kill PostgreSQL midway and start it again")
    return parser.parse_args()


# ------------------------------------------------------------
# A company
# ------------------------------------------------------------


@dataclass
class Company:
    """What the people work on: ids."""

    logins: list
    type_id: int
    stage_ids: list
    call_id: int
    model_id: int
    unit_ids: list
    customer_ids: list
    product_ids: list


def prepare(database, people):
    with Registry(database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        env.company.write(
            {
                "account_use_credit_limit": True,
                "credit_policy": "block",
                "quotation_approval": "required",
                "quotation_approval_min_amount": APPROVAL_FROM,
            }
        )
        users, (opportunity_type, call) = make_users(env, people), make_type(env)
        units, customers = make_customers(env)
        company = Company(
            logins=users.mapped("login"),
            type_id=opportunity_type.id,
            stage_ids=opportunity_type.stage_ids.sorted("sequence").ids,
            call_id=call.id,
            model_id=env["ir.model"]._get_id("crm.lead"),
            unit_ids=units.ids,
            customer_ids=customers.ids,
            product_ids=make_products(env).ids,
        )
        make_opportunities(env, company, users)
        cr.commit()
        return company


def make_users(env, people):
    """Two administrators, who approve too; a quarter of the others see all documents, the rest their own."""
    ranks = ["group_sale_manager"] * 2 + ["group_sale_salesman", "group_sale_salesman", "group_sale_salesman_all_leads"]
    vals_list = []
    for index in range(people):
        group = env.ref(f"sales_team.{ranks[index] if index < 2 else ranks[2 + index % 3]}")
        login = f"load_{index}"
        vals_list.append({"name": login, "login": login, "password": login, "group_ids": [Command.set(group.ids)]})
    return env["res.users"].with_context(no_reset_password=True).create(vals_list)


def make_type(env):
    """First call, which promotes by itself, then quote, then close."""
    call = env["mail.activity.type"].create({"name": "Load: Call", "res_model": "crm.lead"})
    opportunity_type = env["crm.opportunity.type"].create({"name": "Load", "sequence": 0})
    rules = {
        "Contact": {"kind": "action", "activity_type_id": call.id, "required": True, "promotes": True},
        "Proposal": {
            "kind": "condition",
            "name": "Quoted",
            "domain": "[('order_ids.state', 'in', ['draft', 'sent', 'sale'])]",
            "required": True,
        },
    }
    env["crm.stage"].create(
        [
            {
                "name": f"Load: {name}",
                "sequence": 1000 + index,
                "is_won": name == "Won",
                "opportunity_type_ids": [Command.set(opportunity_type.ids)],
                "rule_ids": [Command.create(rules[name])] if name in rules else [],
            }
            for index, name in enumerate(("Contact", "Proposal", "Closing", "Won"))
        ]
    )
    return opportunity_type, call


def make_customers(env):
    units = env["res.partner"].create(
        [{"name": f"Unit {index}", "is_company": True, "credit_limit": LIMIT} for index in range(UNITS)]
    )
    customers = env["res.partner"].create(
        [
            {"name": f"{unit.name}, customer {index}", "is_company": True, "credit_unit_id": unit.id}
            for unit in units
            for index in range(CUSTOMERS)
        ]
    )
    return units, customers


def make_products(env):
    return env["product.product"].create(
        [
            {"name": f"Product {price}", "list_price": price, "taxes_id": [Command.clear()], "invoice_policy": "order"}
            for price in (90, 250, 700, 1900)
        ]
    )


def make_opportunities(env, company, users):
    """Four for each, and as many that nobody is responsible for: those are everybody's at the same time."""
    chance = random.Random(0)
    owners = [user.id for user in users for _n in range(4)] + [False] * 12
    env["crm.lead"].create([prepare_opportunity(company, chance, owner) for owner in owners])


def prepare_opportunity(company, chance, owner_id):
    """Values of an opportunity with two product lines, one of them quoted."""
    lines = [
        {"product_id": product_id, "product_uom_qty": chance.randint(1, 3)}
        for product_id in chance.sample(company.product_ids, 2)
    ]
    return {
        "name": f"Deal {chance.randrange(10**6)}",
        "type": "opportunity",
        "opportunity_type_id": company.type_id,
        "partner_id": chance.choice(company.customer_ids),
        "user_id": owner_id,
        "opportunity_line_ids": [[0, 0, {**lines[0], "price_unit": 100}], [0, 0, lines[1]]],
    }


# ------------------------------------------------------------
# Asking
# ------------------------------------------------------------


@dataclass
class Answer:
    what: str
    start: float
    seconds: float
    outcome: str  # done, refused or failed
    message: str = ""


@dataclass
class Record:
    """What everybody was answered, and what they were told is done."""

    answers: list = field(default_factory=list)
    made: list = field(default_factory=list)  # of (model, id)
    outage: tuple = (float("inf"), float("inf"))

    def is_in_outage(self, answer):
        """Whether the request was under way while PostgreSQL was away, or just came back."""
        start, end = self.outage
        return answer.start + answer.seconds >= start and answer.start <= end + GRACE


def judge(response):
    """:returns: ``(outcome, message, result)`` of an HTTP response"""
    if response.status_code != 200 or "json" not in response.headers.get("Content-Type", ""):
        return "failed", f"HTTP {response.status_code}: {response.text[:200]}", None
    body = response.json()
    if "error" not in body:
        return "done", "", body.get("result")
    data = body["error"].get("data", {})
    message = f"{data.get('name')}: {data.get('message')}"
    is_business = data.get("name") in BUSINESS and not NOT_BUSINESS.search(message)
    return ("refused" if is_business else "failed"), message, None


class Person(threading.Thread):
    """Somebody in sales, who does one thing after the other until it is time to stop."""

    def __init__(self, company, record, client, login, arguments):
        super().__init__(name=login, daemon=True)
        self.company, self.record, self.client, self.pause = company, record, client, arguments.pause
        self.chance = random.Random(f"{arguments.seed} {login}")
        self.is_manager = login in company.logins[:2]
        self.stopping = threading.Event()
        self.broken = None

    def run(self):
        steps = {step: weight for step, weight in self.get_steps().items() if weight}
        while not self.stopping.is_set():
            (step,) = self.chance.choices(list(steps), weights=steps.values())
            try:
                step()
            except Exception as error:  # the script is at fault: a run with that counts for nothing
                self.broken = error
                raise
            self.stopping.wait(self.chance.uniform(0, self.pause))

    def ask(self, what, model, method, *args, **kwargs):
        """:returns: what the web client would get, None where it was refused or failed"""
        start = time.time()
        parameters = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        try:
            response = self.client.post(f"/web/dataset/call_kw/{model}/{method}", parameters)
            outcome, message, result = judge(response)
        except requests.RequestException as error:
            outcome, message, result = "failed", repr(error), None
        self.record.answers.append(Answer(what, start, time.time() - start, outcome, message))
        return result

    # ------------------------------------------------------------
    # What they do
    # ------------------------------------------------------------

    def get_steps(self):
        """``{what somebody does: how often}``"""
        return {
            self.look_at_pipeline: 3,
            self.create: 2,
            self.schedule: 6,
            self.complete: 6,
            self.promote: 4,
            self.drag: 3,
            self.push_deadline: 2,
            self.quote: 4,
            self.request_approval: 2,
            self.approve: 8 if self.is_manager else 0,
            self.confirm: 8,
            self.grow: 3,
            self.cancel: 3,
            self.open_funnel: 1,
            self.open_report: 1,
        }

    def pick(self, model, domain, specification):
        """Open a list and choose from it.

        :returns: a dict, None where there is nothing
        """
        listed = self.ask("list", model, "web_search_read", domain, specification, limit=40, order="id desc")
        return self.chance.choice(listed["records"]) if listed and listed["records"] else None

    def pick_opportunity(self):
        """Open one, in the form."""
        domain = [["opportunity_type_id", "=", self.company.type_id], ["won_status", "=", "pending"]]
        lead = self.pick("crm.lead", domain, LISTED)
        opened = lead and self.ask("open an opportunity", "crm.lead", "web_read", [lead["id"]], OPENED)
        return opened[0] if opened else None

    def pick_order(self, *conditions):
        domain = [["partner_id", "in", self.company.customer_ids], *conditions]
        return self.pick("sale.order", domain, {"name": {}, "amount_total": {}, "order_line": {"fields": {}}})

    def look_at_pipeline(self):
        domain = [["type", "=", "opportunity"]]
        self.ask("pipeline", "crm.lead", "web_read_group", domain, ["stage_id"], ["__count", "expected_revenue:sum"])

    def create(self):
        values = prepare_opportunity(self.company, self.chance, self.client.uid)
        self.remember("crm.lead", self.ask("create an opportunity", "crm.lead", "web_save", [], values, LISTED))

    def remember(self, model, saved):
        self.record.made += [(model, row["id"]) for row in saved or ()]

    def schedule(self):
        if lead := self.pick_opportunity():
            values = {
                "res_model_id": self.company.model_id,
                "res_id": lead["id"],
                "activity_type_id": self.company.call_id,
                "user_id": self.client.uid,
            }
            self.remember("mail.activity", self.ask("schedule", "mail.activity", "web_save", [], values, {}))

    def complete(self):
        domain = [["res_model", "=", "crm.lead"], ["activity_type_id", "=", self.company.call_id]]
        if activity := self.pick("mail.activity", domain, {"res_id": {}}):
            self.ask("complete", "mail.activity", "action_feedback", [activity["id"]], feedback="Done")

    def promote(self):
        if lead := self.pick_opportunity():
            self.ask("promote", "crm.lead", "action_promote", [lead["id"]])

    def drag(self):
        if lead := self.pick_opportunity():
            values = {"stage_id": self.chance.choice(self.company.stage_ids)}
            self.ask("drag", "crm.lead", "web_save", [lead["id"]], values, LISTED)

    def push_deadline(self):
        if lead := self.pick_opportunity():
            values = {"date_deadline": f"2030-{self.chance.randint(1, 12):02}-{self.chance.randint(1, 28):02}"}
            self.ask("push the closing", "crm.lead", "web_save", [lead["id"]], values, LISTED)

    def quote(self):
        if lead := self.pick_opportunity():
            wizard = self.ask("quote", "crm.opportunity.generate", "create", [{"lead_id": lead["id"]}])
            action = wizard and self.ask("quote", "crm.opportunity.generate", "action_generate", wizard)
            self.remember("sale.order", action and [{"id": action["res_id"]}])

    def request_approval(self):
        if order := self.pick_order(["state", "=", "draft"], ["approval_state", "=", "open"]):
            self.ask("request approval", "sale.order", "action_request_approval", [order["id"]])

    def approve(self):
        large = ["amount_total", ">=", APPROVAL_FROM]
        if order := self.pick_order(["state", "=", "draft"], ["approval_state", "=", "open"], large):
            self.ask("approve", "sale.order", "action_approve", [order["id"]])

    def confirm(self):
        if order := self.pick_order(["state", "in", ["draft", "sent"]]):
            self.ask("confirm", "sale.order", "action_confirm", [order["id"]])

    def grow(self):
        if (order := self.pick_order(["state", "=", "sale"])) and order["order_line"]:
            values = {"order_line": [[1, order["order_line"][0]["id"], {"product_uom_qty": self.chance.randint(1, 5)}]]}
            self.ask("change an order", "sale.order", "web_save", [order["id"]], values, {"amount_total": {}})

    def cancel(self):
        if order := self.pick_order(["state", "=", "sale"]):
            self.ask("cancel an order", "sale.order", "action_cancel", [order["id"]])

    def open_funnel(self):
        self.ask("funnel", "crm.funnel.report", "get_funnels", [], ["user_id"])

    def open_report(self):
        model = self.chance.choice(["crm.pipeline.report", "crm.stage.visit.report", "crm.flow.report"])
        self.ask("report", model, "formatted_read_group", [], ["stage_id"], ["__count"])


def log_in(port, database, login):
    client = WebClient(port, database, login)
    client.uid = client.call("/web/session/get_session_info", {})["uid"]
    return client


# ------------------------------------------------------------
# A power cut
# ------------------------------------------------------------


def kill_and_restart(cluster, record, down=5):
    """Kill every process of the server at once, wait, and start it again, which recovers what was committed."""
    server = psutil.Process(cluster.get_pid())
    record.outage = (time.time(), float("inf"))
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=30)
    time.sleep(down)
    start = time.time()
    cluster.start()
    record.outage = (record.outage[0], time.time())
    print(f"PostgreSQL was killed, was away for {down} s and took {time.time() - start:.1f} s to recover", flush=True)


# ------------------------------------------------------------
# What is left
# ------------------------------------------------------------


def find_lost_work(env, record):
    """What somebody was told is saved and is not there."""
    by_model = defaultdict(set)
    for model, record_id in record.made:
        by_model[model].add(record_id)
    for model, ids in by_model.items():
        there = set(env[model].with_context(active_test=False).browse(ids).exists().ids)
        yield from (f"{model},{record_id} was saved and is lost" for record_id in ids - there)


def find_overdrawn_units(env, company):
    for unit_id, standing in env["sale.credit.exposure"]._get_standings(company.unit_ids, env.company).items():
        if standing.exposure.total > LIMIT:
            yield f"unit {unit_id} owes {standing.exposure.total}, over its limit of {LIMIT}"


def find_wrong_visits(env, company):
    """Stays that are not the moves that Odoo has tracked in the chatter: some lost, some doubled."""
    stays, moves = defaultdict(list), defaultdict(list)
    type_id, field_id = company.type_id, env["ir.model.fields"]._get("crm.lead", "stage_id").id
    visits = env["crm.stage.visit"].search([("lead_id.opportunity_type_id", "=", type_id)], order="id")
    for visit in visits:
        stays[visit.lead_id.id].append(visit.stage_id.id)
    rows = env.execute_query(
        SQL(
            """
            SELECT message.res_id, value.new_value_integer
              FROM mail_tracking_value value
              JOIN mail_message message ON message.id = value.mail_message_id
             WHERE value.field_id = %s AND message.model = 'crm.lead' AND message.res_id = ANY(%s)
             ORDER BY value.id
            """,
            field_id,
            list(stays),
        )
    )
    for lead_id, stage_id in rows:
        moves[lead_id].append(stage_id)
    print(f"{len(stays)} opportunities with {len(visits)} stays and {len(rows)} moves tracked", flush=True)
    for lead_id, stages in stays.items():
        if stages[1:] != moves[lead_id]:
            yield f"opportunity {lead_id}: stays {stages}, moves {moves[lead_id]}"


def find_half_done(env, company):
    """Quotations without their lines, orders without their credit decision."""
    queries = {
        "quotation %s was made without lines": SQL(
            """
            SELECT id FROM sale_order
             WHERE partner_id = ANY(%s) AND NOT EXISTS (SELECT FROM sale_order_line WHERE order_id = sale_order.id)
            """,
            company.customer_ids,
        ),
        "order %s was confirmed without a decision on credit": SQL(
            """
            SELECT id FROM sale_order
             WHERE partner_id = ANY(%s) AND state = 'sale' AND amount_total > 0
               AND NOT EXISTS (SELECT FROM sale_credit_check_sale_order_rel rel
                                 JOIN sale_credit_check decision ON decision.id = rel.sale_credit_check_id
                                WHERE rel.sale_order_id = sale_order.id AND decision.result = 'passed')
            """,
            company.customer_ids,
        ),
    }
    for sentence, query in queries.items():
        yield from (sentence % record_id for (record_id,) in env.execute_query(query))


def run_check_sales(arguments, words):
    """What the administrator's command finds."""
    paths = ",".join(odoo.tools.config["addons_path"])
    command = [sys.executable, "-m", "odoo", f"--addons-path={paths}", "check_sales", "-c", arguments.config, *words]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    print(f"check_sales: {result.stderr.strip().splitlines()[-1:]}", flush=True)
    return result.stdout.splitlines() + ([] if result.returncode in (0, 1) else [result.stderr])


def find_everything(arguments, words, company, record):
    odoo.sql_db.close_all()
    with Registry(arguments.database).cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        found = [
            *find_lost_work(env, record),
            *find_overdrawn_units(env, company),
            *find_wrong_visits(env, company),
            *find_half_done(env, company),
        ]
    return found + run_check_sales(arguments, words)


# ------------------------------------------------------------
# What they were answered
# ------------------------------------------------------------


def report_answers(record):
    """Print a line for each thing that was asked.

    :returns: the failures that no outage explains
    """
    by_what = defaultdict(list)
    for answer in record.answers:
        by_what[answer.what].append(answer)
    print(f"{'':24} asked  done refused failed in the outage  median   95 %")
    for what, answers in sorted(by_what.items()):
        outcomes = Counter(answer.outcome for answer in answers if not is_excused(record, answer))
        excused = sum(is_excused(record, answer) for answer in answers)
        times = sorted(answer.seconds * 1000 for answer in answers if answer.outcome != "failed") or [0]
        columns = f"{outcomes['done']:5} {outcomes['refused']:7} {outcomes['failed']:6} {excused:13}"
        print(
            f"{what:24} {len(answers):5} {columns} {statistics.median(times):7.0f} {times[int(len(times) * 0.95)]:6.0f}"
        )
    refusals = Counter(summarize(answer.message) for answer in record.answers if answer.outcome == "refused")
    print("refusals:", *(f"{count:6} {text}" for text, count in refusals.most_common(12)), sep="\n    ")
    return [answer for answer in record.answers if answer.outcome == "failed" and not is_excused(record, answer)]


def is_excused(record, answer):
    return answer.outcome == "failed" and record.is_in_outage(answer)


def summarize(message):
    """The first line of a refusal without names and numbers, to count those of a kind."""
    return re.sub(r"'[^']*'|\bS\d+|Unit \d+|[$€]?\s?\d[\d,.]*", "…", message.splitlines()[0])[:110]


def report_recovery(record, people):
    """Who has been answered again after the outage, and how soon."""
    start, end = record.outage
    if start == float("inf"):
        return []
    done = [answer.start + answer.seconds - end for answer in record.answers if answer.outcome == "done"]
    after = sorted(seconds for seconds in done if seconds > 0)
    print(
        f"first answer {after[0]:.1f} s after PostgreSQL was back, {len(after)} since" if after else "never came back"
    )
    return [] if len(after) > len(people) else ["the workers did not come back"]


def report_log(folder, record):
    """Print what the server's log says of retries and errors."""
    log = (folder / "odoo.log").read_text(errors="replace")
    retried, given_up = len(re.findall("tries left, try again", log)), log.count("maximum number of tries")
    print(f"{retried} times Odoo ran a request again that collided with another one, {given_up} times it gave up")
    # Odoo logs the query of each collision as an error, then runs the request again
    errors = [
        line
        for line in log.splitlines()
        if re.match(r"\S+ \S+ \d+ (ERROR|CRITICAL) ", line) and "odoo.sql_db: bad query" not in line
    ]
    outside = [line for line in errors if not (record.outage[0] - 1 <= get_time(line) <= record.outage[1] + GRACE)]
    print(f"{len(errors)} errors in the log, {len(outside)} of them not in the outage", *outside[:5], sep="\n    ")


def get_time(line):
    moment = datetime.strptime(" ".join(line.split()[:2]), "%Y-%m-%d %H:%M:%S,%f")
    return moment.replace(tzinfo=timezone.utc).timestamp()


# ------------------------------------------------------------
# All of it
# ------------------------------------------------------------


def work(arguments, cluster, company, record, port):
    """Let everybody work for the time that was asked for."""
    people = [
        Person(company, record, log_in(port, arguments.database, login), login, arguments) for login in company.logins
    ]
    for person in people:
        person.start()
    half = arguments.minutes * 30
    time.sleep(half)
    if arguments.kill:
        kill_and_restart(cluster, record)
    time.sleep(half)
    for person in people:
        person.stopping.set()
    for person in people:
        person.join()
    if broken := [person.broken for person in people if person.broken]:
        raise SystemExit(f"the script is broken: {broken[0]!r}")
    return people


def main():
    arguments = parse_arguments()
    odoo.tools.config.parse_config(["-c", arguments.config, "--log-level=error"])
    folder = Path(tempfile.mkdtemp(prefix="odoo-load-"))
    try:
        with ExitStack() as stack:
            cluster = Cluster(postgres._programs(Path(sys.prefix)), folder / "postgres", SETTINGS)
            cluster.make()
            stack.enter_context(cluster.running())
            cluster.copy(arguments.database)
            words = configure(arguments.config, cluster, arguments.database)
            company, record = prepare(arguments.database, arguments.people), Record()
            options = [
                "--workers",
                str(arguments.workers),
                "--gevent-port",
                str(free_port()),
                "--log-level",
                "info",
                "--max-cron-threads",
                "0",
            ]
            port = stack.enter_context(serving(arguments.config, words, folder, *options))
            people = work(arguments, cluster, company, record, port)
            failures = report_answers(record)
            found = [*report_recovery(record, people), *find_everything(arguments, words, company, record)]
            report_log(folder, record)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for answer in failures[:10]:
        print(f"FAILED {answer.what}: {answer.message[:500]}")
    for sentence in found[:20]:
        print(f"WRONG {sentence}")
    print(f"{len(record.answers)} answers, {len(failures)} failures, {len(found)} things that must not be")
    raise SystemExit(bool(failures or found))


if __name__ == "__main__":
    main()

"""`tools/launch native [TESTS…]`: Odoo's own tests without the add-ons and with them, and how the results differ."""

import json
import re
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import console, layout, options, python_env
from .console import Fail, say
from .database import Databases
from .odoo import check_log

MODULES = ["crm", "sale", "sale_crm", "sale_management", "hr_expense", "sale_expense"]
# What a shop does with quotations and orders: cart, address, checkout, payment, delivery, prices, mails, access.
SHOP = [
    "website_sale:TestCheckoutAddress",
    "website_sale:TestEcommerceAccess",
    "website_sale:TestPaymentProviderVisibility",
    "website_sale:TestSaleOrder",
    "website_sale:TestSaleProcess",
    "website_sale:TestWebsitePriceList",
    "website_sale:TestWebsiteSaleCart",
    "website_sale:TestWebsiteSaleCartAbandoned",
    "website_sale:TestWebsiteSaleCartRecovery",
    "website_sale:TestWebsiteSaleCartRecoveryServer",
    "website_sale:TestWebsiteSaleCheckoutSteps",
    "website_sale:TestWebsiteSaleDeliveryController",
    "website_sale:TestWebsiteSaleExpressCheckoutFlows",
    "website_sale:TestWebsiteSaleInvoice",
    "website_sale:TestWebsiteSaleMail",
    "website_sale:TestWebsiteSaleMails",
    "website_sale:TestWebsiteSaleOrderEmailTemplate",
    "website_sale:TestWebsiteSaleReorderFromPortal",
    "website_sale:WebsiteSaleCartPayment",
    "website_sale:WebsiteSaleVisitorTests",
]
SETS = {
    "today": MODULES,
    "shop": SHOP,
    "sales": [
        *("sale_stock", "sale_margin", "sale_project", "sale_timesheet", "sale_purchase", "sale_mrp", "sale_loyalty"),
        *("delivery", "sale_pdf_quote_builder", "sale_product_matrix", "event_sale"),
    ],
    "web": ["website_crm", "website_sale", "website_sale_loyalty", "portal", "payment"],
    "crm": ["crm_livechat", "crm_sms", "crm_mail_plugin", "survey_crm", "mass_mailing_crm"],
    "pos": ["pos_sale"],
    "account": ["account"],
    "oca": [
        *("sale_order_type", "sale_exception", "sale_automatic_workflow", "sale_order_revision"),
        *("sale_tier_validation", "sale_financial_risk", "web_responsive"),
    ],
}
"""What is run by one word: ``set:crm`` where a module of Odoo has the name, too."""
OCA_WHEELS = Path(__file__).with_name("native_oca.txt")
DIFFERENCES = Path(__file__).with_name("native_differences.json")
RUNNER = "tools.native_tests"
EPILOG = f"""TESTS: a module of Odoo, or a class or a method of its tests: sale sale:TestSaleOrder crm:TestLead.test_x;
or a set: {" ".join(f"set:{name}" for name in SETS)} ("shop" is short for set:shop).
By default set:today; other modules are installed, those of set:oca from published wheels.
The exit status is 1 where a test fails, or is not run, with the add-ons only and {DIFFERENCES.name} does not say
why, and where a run does not come to its end."""

LINE = r"^\S+ \S+ \d+ %s \S+ (?:odoo\.addons\.(\w+)\.)?\S+: %s"
STARTED = re.compile(LINE % ("INFO", r"Starting (\w+\.\w+) \.\.\."), re.MULTILINE)
SKIPPED = re.compile(LINE % ("INFO", r"skipped (\w+\.\w+) : "), re.MULTILINE)
FAILED = re.compile(LINE % ("ERROR", r"(?:FAIL|ERROR): (?:Subtest )?(\S+(?: \([\w.]+\))?)"), re.MULTILINE)
SET_UP = re.compile(r" \(odoo\.addons\.(\w+)\..*\b(\w+)\)$")
TOTAL = re.compile(r"\d+ failed, \d+ error\(s\) of (\d+) tests")
# What Odoo's server returns when every test has been run, be it that some have failed.
COMPLETED = (0, 1)
PROGRESS_INTERVAL = 60


def main(arguments):
    """Run the tests twice; return 1 where the add-ons make a difference that nobody has justified."""
    parser = options.parser("tools/launch native", __doc__.partition(": ")[2], epilog=EPILOG)
    parser.add_argument("tests", nargs="*", metavar="TESTS", default=MODULES)
    chosen = parser.parse_args(arguments)
    tests = [test for word in chosen.tests for test in expand(word)]
    modules = {test.partition(":")[0] for test in tests}
    with options.odoo(chosen, browser_needed=True) as plain, databases(equip(plain, modules), modules) as names:
        odoo, excused = equip(plain, modules), justified()
        native, with_addons = run(odoo, names, tests)
        doubtful = native.doubtful(with_addons) - excused
        if doubtful:
            say("once more what failed, one run after the other: a browser that had to wait too long fails a test, too")
            again = [run(odoo, [name], sorted(map(selector, doubtful)), suffix="again")[0] for name in names]
            native, with_addons = native.corrected(again[0]), with_addons.corrected(again[1])
    return report(native, with_addons, excused)


def expand(word):
    """Return the tests that a word on the command line names."""
    name = word.removeprefix("set:")
    if word != "shop" and name == word:
        return [word]
    if name not in SETS:
        raise Fail(f"there is no set {name}: {', '.join(SETS)}")
    return SETS[name]


def equip(odoo, modules):
    """Return Odoo with the published add-ons on its path, where the tests are of one of them."""
    if not modules & set(SETS["oca"]):
        return odoo
    folder = layout.LOCAL / "oca" / layout.digest(OCA_WHEELS)
    with layout.locked("oca"):
        if not folder.exists():
            _fetch_wheels(odoo, folder)
    return replace(odoo, more_addons=(folder / "odoo/addons",))


def _fetch_wheels(odoo, folder):
    with layout.built(folder) as partial:
        command = [odoo.venv / "bin/uv", "pip", "install", "--python", odoo.venv / "bin/python", "--target", partial]
        command += ["--no-deps", "--only-binary", ":all:", "--cache-dir", python_env.CACHE, "-r", OCA_WHEELS]
        console.run_step("fetching the published add-ons", command, layout.LOGS / "oca.log")


# The two databases


@contextmanager
def databases(odoo, modules):
    """Give two databases that differ in the add-ons alone, and drop them afterwards."""
    all_databases = Databases(odoo)
    names = [f"{odoo.server.prefix}suites_{kind}" for kind in ("native", "addons")]
    with layout.locked("native"):
        try:
            yield _build(odoo, all_databases, modules, *names)
        finally:
            for name in names:
                all_databases.drop(name)


def _build(odoo, all_databases, modules, native, with_addons):
    with layout.locked("templates"):
        template, full = all_databases.native_template(), all_databases.addons_template()
    others = {*odoo.installed(full), *modules} - {addon.name for addon in layout.addons()} - odoo.installed(template)
    for name in (native, with_addons):
        all_databases.drop(name)
    all_databases.copy(template, native, "suites")
    if others:
        odoo.install(f"installing {', '.join(sorted(others))}", native, "-i", ",".join(sorted(others)))
    all_databases.copy(native, with_addons, "suites")
    check_log(odoo.install("installing the add-ons", with_addons, "-i", ",".join(a.name for a in layout.addons())))
    return native, with_addons


# The two runs


@dataclass(frozen=True)
class Results:
    """What became of the tests, each as ``module:Class.method``."""

    run: set
    skipped: set
    failed: set
    unsteady: set = field(default_factory=set)

    @property
    def passed(self):
        """The tests that were run to a good end."""
        return self.run - self.skipped - self.failed

    def doubtful(self, other):
        """Return the tests that failed, or passed in one of two runs only."""
        return self.failed | other.failed | (self.passed ^ other.passed)

    def corrected(self, again):
        """Return these results with what became of some of the tests when they were run again."""
        mended = {name for name in self.failed - again.failed if name in again.passed or again.passed_in(name)}
        return Results(self.run | again.run, self.skipped - again.passed, self.failed - mended, mended)

    def passed_in(self, name):
        """Return the tests that passed of a class, by the name of its set-up."""
        return {test for test in self.passed if test.startswith(f"{selector(name)}.")}


def selector(name):
    """Return what selects a test by its name: that itself, or the class whose set-up it names."""
    found = SET_UP.search(name)
    return f"{found[1]}:{found[2]}" if found else name


def run(odoo, names, tests, suffix="tests"):
    """Run the tests in each of the databases, side by side; return the results in the same order."""
    tags = ",".join(f"/{test}" for test in tests)
    say(f"running {tags} in {' and '.join(names)}")
    logs = [layout.LOGS / f"{name}-{suffix}.log" for name in names]
    # A browser's temporary files hold sockets, whose paths have to be short.
    with ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="odoo-test-", ignore_cleanup_errors=True)
        environment = {**odoo.environment, "TMPDIR": stack.enter_context(folder)}
        processes = []
        for name, log in zip(names, logs, strict=True):
            command = [odoo.venv / "bin/python", "-m", RUNNER, "-c", odoo.configure(name, port=0), "--stop-after-init"]
            command += [f"--test-tags={tags}", "--max-cron-threads=0"]
            processes.append(start(stack, command, log, environment))
        watch(processes, logs)
    return [read(log, process.returncode) for log, process in zip(logs, processes, strict=True)]


def start(stack, command, log, environment):
    """Start a process that writes to ``log`` and is stopped with the stack; return it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    output = stack.enter_context(open(log, "wb"))  # noqa: SIM115 - closed with the stack
    process = subprocess.Popen(
        [*map(str, command)],
        cwd=layout.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=environment,
    )
    stack.callback(console.stop, process)
    return process


def watch(processes, logs):
    """Say now and then how far the processes are, until all of them have ended."""
    began = shown = time.monotonic()
    while any(process.poll() is None for process in processes):
        time.sleep(1)
        if time.monotonic() - shown >= PROGRESS_INTERVAL:
            shown = time.monotonic()
            say(f"  {(shown - began) / 60:.0f} min: {' and '.join(map(progress, logs))}")


def progress(log):
    """Say how many tests a log tells of, and how many of them have failed."""
    text = log.read_text(errors="replace")
    return f"{len(find(STARTED, text))} tests begun, {len(find(FAILED, text))} failed"


def find(pattern, text):
    """Return the names of the tests that a pattern finds in a log."""
    return {f"{module}:{name}" if module else name for module, name in pattern.findall(text)}


def read(log, status):
    """Return the results that a log tells of.

    Raises Fail where the server did not come to the end of the tests: what it did not run has not passed.
    """
    text = log.read_text(errors="replace")
    total = TOTAL.search(text)
    if not total or status not in COMPLETED:
        raise Fail(f"the tests did not come to their end (exit status {status}): see {log}")
    if total[1] == "0":
        raise Fail(f"no tests were run: see {log}")
    results = Results(*(find(pattern, text) for pattern in (STARTED, SKIPPED, FAILED)))
    say(f"  {total[0]}, {len(results.skipped)} skipped: see {log}")
    return results


# The comparison


def justified():
    """Return the names of the tests whose difference has a reason."""
    return set(json.loads(DIFFERENCES.read_text(encoding="utf8")))


def table(native, with_addons):
    """Return the lines of a table: what passed of each module, without the add-ons and with them."""
    modules = sorted({name.partition(":")[0] for name in native.run | with_addons.run if ":" in name})
    lines = ["| module | tests | passed without | passed with |", "|---|---|---|---|"]
    for module in modules:
        counts = [
            sum(name.startswith(f"{module}:") for name in names)
            for names in (native.run - native.skipped, native.passed, with_addons.passed)
        ]
        lines.append(f"| {module} | {' | '.join(map(str, counts))} |")
    return lines


def report(native, with_addons, excused):
    """Print how the results differ; return 1 where they do and no reason is given."""
    worse = with_addons.failed - native.failed
    lost = native.passed - with_addons.passed - worse
    groups = {
        "failed with and without the add-ons": with_addons.failed & native.failed,
        "failed without the add-ons only": native.failed - with_addons.failed,
        "failed at first without the add-ons, and passed when run again": native.unsteady,
        "failed at first with the add-ons, and passed when run again": with_addons.unsteady,
        "failed with the add-ons only, for a reason": worse & excused,
        "has a reason, but passed": excused & with_addons.passed,
        "not run, or skipped, with the add-ons only": lost - excused,
        "failed with the add-ons only": worse - excused,
    }
    for title, names in groups.items():
        say(f"{title}: {len(names)}")
        for name in sorted(names):
            say(f"    {name}")
    for line in table(native, with_addons):
        say(line)
    return int(bool((worse | lost) - excused))


if __name__ == "__main__":
    console.main(main)

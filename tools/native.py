"""`tools/launch native [MODULE…]`: Odoo's own tests without the add-ons and with them, and how the results differ."""

import re
import subprocess
import tempfile
from contextlib import contextmanager

from . import console, layout, options
from .console import Fail, say
from .database import Databases
from .odoo import check_log

MODULES = ["crm", "sale", "sale_crm", "sale_management", "hr_expense", "sale_expense"]
RUNNER = "tools.native_tests"
GUIDE = layout.ROOT / "docs/developers-guide.md"
EPILOG = f"""MODULE: modules of Odoo, by default {" ".join(MODULES)}; others are installed.
The exit status is 1 where a test fails with the add-ons only and docs/developers-guide.md does not say why."""

FAILED = re.compile(r"^\S+ \S+ \d+ ERROR \S+ (\S+): (?:FAIL|ERROR): (?:Subtest )?(\S+(?: \([\w.]+\))?)", re.MULTILINE)
TOTAL = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests")


def main(arguments):
    """Run the tests twice; return 1 where the add-ons make a difference that nobody has justified."""
    parser = options.parser("tools/launch native", __doc__.partition(": ")[2], epilog=EPILOG)
    parser.add_argument("modules", nargs="*", metavar="MODULE", default=MODULES)
    chosen = parser.parse_args(arguments)
    with options.odoo(chosen, browser_needed=True) as odoo, databases(odoo, chosen.modules) as (native, with_addons):
        before, after = (run(odoo, database, chosen.modules) for database in (native, with_addons))
    return report(before, after, justified(GUIDE.read_text(encoding="utf8")))


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


def run(odoo, database, modules):
    """Run the tests of the modules; return the names of those that failed."""
    log = layout.LOGS / f"{database}-tests.log"
    tags = ",".join(f"/{module}" for module in modules)
    command = [odoo.venv / "bin/python", "-m", RUNNER, "-c", odoo.configure(database, port=0), "--stop-after-init"]
    say(f"running {tags} in {database}: see {log}")
    # A browser's temporary files hold sockets, whose paths have to be short.
    with open(log, "wb") as output, tempfile.TemporaryDirectory(prefix="odoo-test-") as temporary:
        process = subprocess.Popen(
            [*map(str, command), f"--test-tags={tags}", "--max-cron-threads=0"],
            cwd=layout.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**odoo.environment, "TMPDIR": temporary},
        )
        try:
            process.wait()
        finally:
            console.stop(process)
    return read_failed(log)


def read_failed(log):
    """Return the names of the tests that failed by what the log says, each as ``Class.method``.

    Raises Fail where no test was run.
    """
    text = log.read_text(errors="replace")
    total = TOTAL.search(text)
    if not total or total[3] == "0":
        raise Fail(f"no tests were run: see {log}")
    say(f"  {total[0]}")
    return {name for _logger, name in FAILED.findall(text)}


def justified(guide):
    """Return the names of the tests in the guide's section about them."""
    section = guide.partition("\n## Odoo's own tests\n")[2].partition("\n## ")[0]
    return set(re.findall(r"`(\w+\.test_\w+)`", section))


def report(before, after, excused):
    """Print how the results differ; return 1 where they do and no reason is given."""
    groups = {
        "failed with and without the add-ons": before & after,
        "failed without the add-ons only": before - after,
        "failed with the add-ons only, for a reason in the developer's guide": (after - before) & excused,
        "failed with the add-ons only": after - before - excused,
    }
    for title, names in groups.items():
        say(f"{title}: {len(names)}")
        for name in sorted(names):
            say(f"    {name}")
    return int(bool(after - before - excused))


if __name__ == "__main__":
    console.main(main)

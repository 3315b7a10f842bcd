"""`./test`: set up what is missing and run the whole suite, browser tests included, on a database of its own."""

import signal
import subprocess
import tempfile

from . import console, layout, options
from .database import APPS, UPGRADE, Databases

USAGE = "./test [OPTION…] [PYTEST ARGUMENT…]"
EPILOG = """Everything else goes to pytest, paths counted from the checkout's folder: ./test -k gating -x.
The exit status is pytest's; a skipped test fails the run."""


def main(arguments):
    """Run pytest; return its exit status."""
    parser = options.parser("./test", "Set up what is missing, then run all tests.", usage=USAGE, epilog=EPILOG)
    parser.add_argument(
        "--with",
        dest="apps",
        choices=[*APPS, UPGRADE],
        help="run the tests that need other applications of Odoo, in a database that has them, or those of a database "
        "of the previous release that was upgraded, and no others",
    )
    chosen, pytest_arguments = parser.parse_known_args(arguments)
    with options.odoo(chosen, browser_needed=True) as odoo, Databases(odoo).scratch(chosen.apps) as database:
        return _pytest(odoo, database, [*_selected(chosen.apps), *pytest_arguments])


def _selected(apps):
    """Return the arguments that leave out the tests of other databases."""
    if apps:
        return [str(path.relative_to(layout.ROOT)) for path in sorted(layout.ROOT.glob(f"*/tests/{apps}"))]
    return [f"--ignore-glob=*/tests/{name}/*" for name in (*APPS, UPGRADE)]


def _pytest(odoo, database, arguments):
    conf = odoo.configure(database, port=0)
    command = [odoo.venv / "bin/python", "-m", "pytest", "-p", "tools.pytest_no_skips", "--odoo-http"]
    command += [f"--odoo-config={conf}", f"--odoo-database={database}", *arguments]
    # A browser's temporary files hold sockets, whose paths have to be short: they do not go into our folder.
    with tempfile.TemporaryDirectory(prefix="odoo-test-", ignore_cleanup_errors=True) as temporary:
        return _wait(subprocess.Popen(command, cwd=layout.ROOT, env={**odoo.environment, "TMPDIR": temporary}))


def _wait(process):
    """Wait for pytest. Ctrl+C reaches it too: it ends in its own way, then we clean up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return process.wait()
    finally:
        # Interrupted, pytest closes the browser; terminated, it would leave it behind.
        console.stop(process, how=signal.SIGINT)


if __name__ == "__main__":
    console.main(main)

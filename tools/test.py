"""`./test`: set up what is missing and run the whole suite, browser tests included, on a database of its own."""

import signal
import subprocess

from . import console, layout, options
from .database import Databases

EPILOG = """Everything else goes to pytest, paths counted from the checkout's folder: ./test -k gating -x.
The exit status is pytest's; a skipped test fails the run."""


def main(arguments):
    """Run pytest; return its exit status."""
    chosen, pytest_arguments = options.parser(
        "./test", __doc__, usage="./test [OPTION…] [PYTEST ARGUMENT…]", epilog=EPILOG
    ).parse_known_args(arguments)
    with options.odoo(chosen, browser_needed=True) as odoo, Databases(odoo).scratch() as database:
        return _pytest(odoo, database, pytest_arguments)


def _pytest(odoo, database, arguments):
    conf = odoo.configure(database, port=0)
    command = [
        odoo.venv / "bin/python",
        "-m",
        "pytest",
        "-p",
        "tools.pytest_no_skips",
        f"--odoo-config={conf}",
        f"--odoo-database={database}",
        "--odoo-http",
    ]
    process = subprocess.Popen([*command, *arguments], cwd=layout.ROOT, env=odoo.environment)
    # Ctrl+C reaches pytest itself, which ends in its own way and then lets us clean up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return process.wait()
    finally:
        # Interrupted, pytest closes the browser; terminated, it would leave it behind.
        console.stop(process, how=signal.SIGINT)


if __name__ == "__main__":
    console.main(main)

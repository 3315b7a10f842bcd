"""The options that `./run` and `./test` share, and the set-up that they ask for."""

import argparse
import os
from contextlib import contextmanager
from pathlib import Path

from . import browser, odoo_source, postgres, printing, python_env
from .odoo import Odoo


def parser(name, description, **more):
    """Return a parser that knows where Odoo and PostgreSQL come from."""
    result = argparse.ArgumentParser(name, description=description, allow_abbrev=False, **more)
    group = result.add_argument_group(
        "what to use instead of fetching it",
        "The variables PYTHON, CHROME and DEBIAN_MIRROR name a Python 3.10 to 3.13, the browser of the tests and the"
        " address of the mirror that Odoo 19 is fetched from.",
    )
    group.add_argument(
        "--odoo", metavar="PATH", help="an Odoo 19.0: a checkout, or the folder that holds `odoo/` (default: ODOO_HOME)"
    )
    group.add_argument(
        "--db-url",
        metavar="URL",
        help="a running PostgreSQL: postgresql://USER:PASSWORD@HOST:PORT (default: what PGHOST and so on say)",
    )
    return result


@contextmanager
def odoo(options, browser_needed=False, printing_wanted=False):
    """Set up what is missing and give Odoo with a running PostgreSQL."""
    source = odoo_source.find(options.odoo and Path(os.environ.get("CALLED_FROM", "."), options.odoo))
    venv = python_env.ensure()
    chromium = browser.ensure() if browser_needed else None
    wkhtmltopdf = printing.ensure() if printing_wanted else None
    with postgres.running(venv, options.db_url) as server:
        yield Odoo(source, venv, server, chromium, wkhtmltopdf)

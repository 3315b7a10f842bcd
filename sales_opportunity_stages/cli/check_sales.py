import sys

from odoo.api import SUPERUSER_ID, Environment
from odoo.cli import Command
from odoo.modules.registry import Registry
from odoo.tools import config

MODEL = "sales.consistency"


class CheckSales(Command):
    """Look for what must never be in a database: stays that overlap, orders that use a wrong amount of credit and the
    like. Nothing is changed. The exit status is 1 where something was found."""

    name = "check_sales"

    def run(self, args):
        config.parser.prog = self.prog
        config.parse_config(args, setup_logging=True)
        if len(config["db_name"]) != 1:
            sys.exit("Name one database with -d.")
        (database,) = config["db_name"]
        with Registry(database).cursor(readonly=True) as cr:
            env = Environment(cr, SUPERUSER_ID, {})
            if MODEL not in env:
                sys.exit(f"Sales Opportunity Stages is not installed in {database}.")
            found = 0
            for sentence, model, record_id in env[MODEL].get_findings():
                print(f"{model},{record_id} {sentence}", flush=True)
                found += 1
        print(f"{found} found in {database}", file=sys.stderr)
        sys.exit(bool(found))

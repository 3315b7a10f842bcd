"""`tools/launch i18n`: export the terms to translate and merge them into the languages there are."""

from pathlib import Path

from . import console, layout, options
from .console import say
from .database import Databases

SCRIPT = Path(__file__).with_name("export_translations.py")


def main(arguments):
    """Rewrite the add-ons' translation files from a database of its own, with demo data: that is translated too."""
    parser = options.parser("tools/launch i18n", "Rewrite every i18n/*.pot and merge it into the i18n/*.po beside it.")
    with options.odoo(parser.parse_args(arguments)) as odoo, layout.locked("i18n"):
        database = f"{odoo.server.prefix}i18n"
        Databases(odoo).demo(database)
        odoo.run_script("exporting the terms", database, SCRIPT, layout.LOGS / f"{database}-export.log")
    say("done: translate what is blank in i18n/*.po, then check it: ./test -k translations")
    return 0


if __name__ == "__main__":
    console.main(main)

"""`tools/launch icons`: draw each add-on's `static/description/icon.png` from the SVG beside it."""

from . import console, options, screenshots
from .console import say


def main(arguments):
    """Let the browser draw them."""
    parser = options.parser("tools/launch icons", "Draw every icon.png from the icon.svg beside it.")
    with options.odoo(parser.parse_args(arguments), browser_needed=True) as odoo:
        screenshots.browse(odoo, "draw_icons")
    say("done: */static/description/icon.png")
    return 0


if __name__ == "__main__":
    console.main(main)

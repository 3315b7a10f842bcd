"""`tools/launch screenshots`: take the pictures of the guides from a demo of their own, made anew."""

import shutil
import subprocess

from . import console, layout, options, run
from .console import say
from .database import Databases

IMAGES = layout.ROOT / "docs/images"
STORE = layout.ROOT / "sales_opportunity_stages/static/description"


def main(arguments):
    """Serve a fresh demo, let the browser look at it, and stop."""
    parser = options.parser("tools/launch screenshots", "Take the pictures of the guides anew, into docs/images.")
    parser.add_argument("--keep", action="store_true", help="use the demo of the last time as it is")
    parser.add_argument("--lang", metavar="CODE", help="language, in which case the pictures go to .local/screenshots")
    parser.add_argument("names", nargs="*", metavar="NAME", help="pictures to take (default: all)")
    chosen = parser.parse_args(arguments)
    folder = IMAGES if not chosen.lang else layout.LOCAL / "screenshots" / chosen.lang
    folder.mkdir(parents=True, exist_ok=True)
    with options.odoo(chosen, browser_needed=True) as odoo, layout.locked("screenshots"):
        database = f"{odoo.server.prefix}screenshots{'_' + chosen.lang.lower() if chosen.lang else ''}"
        Databases(odoo).demo(database, chosen.lang, fresh=not chosen.keep)
        port = run._free_port()
        log = layout.LOGS / f"serve-{database}.log"
        with open(log, "wb") as output:
            process = odoo.start(odoo.configure(database, port), output=output)
        try:
            run._wait_until_up(process, port, log)
            browse(odoo, "take_screenshots", f"http://127.0.0.1:{port}", folder, *chosen.names)
        finally:
            run._stop(process)
    if not chosen.lang:
        _show_in_store()
    say(f"done: {folder}")
    return 0


def _show_in_store():
    """Put the pictures that the page of the app store shows beside it."""
    page = (STORE / "index.html").read_text()
    for picture in IMAGES.glob("*.png"):
        if f'src="{picture.name}"' in page:
            shutil.copyfile(picture, STORE / picture.name)


def browse(odoo, tool, *words):
    """Run one of the tools that drive a browser, which it is told first, with the Python that can."""
    python, browser = odoo.venv / "bin/python", (odoo.browser / "chromium" if odoo.browser else "chromium")
    command = [python, "-m", f"tools.{tool}", browser, *words]
    subprocess.run([str(word) for word in command], cwd=layout.ROOT, env=odoo.environment, check=True)


if __name__ == "__main__":
    console.main(main)

"""The icons of the add-ons as the app store and Odoo want them, PNG: `python -m tools.draw_icons BROWSER`."""

import base64
import sys

from . import devtools, layout

SIZE = 256
CLEAR = {"r": 0, "g": 0, "b": 0, "a": 0}


def main(browser):
    """Draw each icon.svg into the icon.png beside it."""
    with devtools.page(browser) as page:
        page.resize(SIZE, SIZE)
        page.send("Emulation.setDefaultBackgroundColorOverride", color=CLEAR)
        for icon in sorted(layout.ROOT.glob("*/static/description/icon.svg")):
            page.go(f"data:image/svg+xml;base64,{base64.b64encode(icon.read_bytes()).decode()}")
            page.wait("document.querySelector('svg') && document.readyState === 'complete'")
            page.picture(icon.with_suffix(".png"))
            print(icon.relative_to(layout.ROOT).parts[0], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

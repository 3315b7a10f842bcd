"""Run by the Python of Odoo, with the options of its server: the tests that ``--test-tags`` selects, of both phases.

Odoo runs a module's tests marked *at_install* as soon as that module is loaded, before those that depend on it are;
here they are run with everything loaded, as users have it.
"""

import sys

from odoo.cli.command import main
from odoo.tests import loader
from odoo.tests.suite import OdooSuite

_make_suite = loader.make_suite


def make_suite(modules, position):
    """Return no suite while modules are loaded, and that of both phases afterwards."""
    phases = ("at_install", "post_install") if position == "post_install" else ()
    return OdooSuite([test for phase in phases for test in _make_suite(modules, phase)])


if __name__ == "__main__":
    loader.make_suite = make_suite
    sys.argv[0] = "odoo"
    main()

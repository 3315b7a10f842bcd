"""Run inside Odoo (`odoo shell`, which gives `env`) with the previous release installed.

Fills the database by the scenario of the test of upgrades, and stores what it reads of it then.
"""

import importlib.util
import json
import os

spec = importlib.util.spec_from_file_location("scenario", os.environ["SCENARIO"])
scenario = importlib.util.module_from_spec(spec)
spec.loader.exec_module(scenario)
scenario.fill(env)  # noqa: F821
env.flush_all()  # noqa: F821
env.invalidate_all()  # noqa: F821
before = scenario.read(env)  # noqa: F821
env["ir.config_parameter"].set_param(scenario.PARAMETER, json.dumps(before))  # noqa: F821
env.cr.commit()  # noqa: F821

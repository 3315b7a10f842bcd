"""Run inside Odoo (`odoo shell`, which gives `env`) once the modules of a database are installed.

Bundles the assets, so that the first page is quick and no test has to, and gives every user the language asked for.
"""

import os

lang = os.environ.get("INSTALL_LANG")
if lang:
    language = env["res.lang"]._activate_lang(lang) or env["res.lang"].search([("code", "=", lang)])  # noqa: F821
    env["base.language.install"].create({"lang_ids": [(6, 0, language.ids)], "overwrite": False}).lang_install()  # noqa: F821
    env["res.users"].search([("share", "=", False)]).partner_id.lang = lang  # noqa: F821
    env["ir.default"].set("res.partner", "lang", lang)  # noqa: F821
env["ir.qweb"]._pregenerate_assets_bundles()  # noqa: F821
env.cr.commit()  # noqa: F821

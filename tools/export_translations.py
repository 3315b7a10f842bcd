"""Run inside Odoo (`odoo shell`, which gives `env`): rewrite the templates, and merge them into the languages."""

import polib

from odoo.addons.sales_opportunity_stages.tests import translations

for module in translations.family(env):  # noqa: F821
    folder = translations.folder(module)
    folder.mkdir(exist_ok=True)
    template = translations.exported(env, module)  # noqa: F821
    template.save(str(folder / f"{module}.pot"))
    for file in folder.glob("*.po"):
        translations.merged(polib.pofile(str(file)), template).save()

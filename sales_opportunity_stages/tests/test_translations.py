"""The translation files hold what there is to translate, and Chinese lacks nothing of it."""

import polib

from odoo.tests import TransactionCase

from . import translations

REMEDY = "run tools/launch i18n, then translate what is blank in i18n/zh_CN.po"


class TestTranslations(TransactionCase):
    def each_module(self):
        for module in translations.family(self.env):
            folder = translations.folder(module)
            yield module, polib.pofile(str(folder / f"{module}.pot")), polib.pofile(str(folder / "zh_CN.po"))

    def test_template_is_current(self):
        for module, template, _chinese in self.each_module():
            committed = translations.places(template)
            found = translations.places(translations.exported(self.env, module))
            self.assertEqual(sorted(found - committed), [], f"new in {module}: {REMEDY}")
            gone = committed - found
            gone -= translations.demo_places(module, gone)
            self.assertEqual(sorted(gone), [], f"gone from {module}: {REMEDY}")

    def test_chinese_is_complete(self):
        for module, template, chinese in self.each_module():
            self.assertEqual(translations.places(chinese), translations.places(template), f"{module}: {REMEDY}")
            self.assertEqual([entry.msgid for entry in chinese.obsolete_entries()], [], f"{module}: {REMEDY}")
            self.assertEqual(translations.untranslated(chinese), [], f"to be translated in {module}/i18n/zh_CN.po")
            self.assertEqual(translations.broken(chinese), [], f"placeholders or tags differ in {module}/i18n/zh_CN.po")
            self.assertEqual(translations.gaping(chinese), [], f"broken within a sentence in {module}/i18n/zh_CN.po")


class TestCatalogue(TransactionCase):
    """What the checks above find, on catalogues made for it."""

    def catalogue(self, *entries):
        result = polib.POFile()
        result.extend(polib.POEntry(occurrences=[("code:a.py", "0")], **entry) for entry in entries)
        return result

    def test_blank_and_fuzzy_ones_are_found(self):
        entries = [
            {"msgid": "Stage", "msgstr": "阶段"},
            {"msgid": "Rule"},
            {"msgid": "Type", "msgstr": "类型", "flags": ["fuzzy"]},
            {"msgid": "<span>%</span>"},
        ]
        self.assertEqual(translations.untranslated(self.catalogue(*entries)), ["Rule", "Type"])

    def test_broken_placeholders_and_tags_are_found(self):
        entries = [
            {"msgid": "%(user)s: %(count)s", "msgstr": "%(count)s：%(user)s"},
            {"msgid": "Moved to %(stage)s", "msgstr": "移至%(stge)s"},
            {"msgid": "<b>%s</b> more", "msgstr": "还有%s"},
        ]
        self.assertEqual(translations.broken(self.catalogue(*entries)), ["Moved to %(stage)s", "<b>%s</b> more"])

    def test_line_breaks_within_a_sentence_are_found(self):
        entries = [
            {"msgid": "Broken", "msgstr": "一句话，\n    断开"},
            {"msgid": "<i/>\n Whole", "msgstr": "<i/>\n 一句话"},
        ]
        self.assertEqual(translations.gaping(self.catalogue(*entries)), ["Broken"])

    def test_merge_keeps_adds_and_drops(self):
        catalogue = self.catalogue({"msgid": "Stage", "msgstr": "阶段"}, {"msgid": "Old", "msgstr": "旧"})
        template = self.catalogue({"msgid": "Stage"}, {"msgid": "New"})
        result = translations.merged(catalogue, template)
        self.assertEqual([(entry.msgid, entry.msgstr) for entry in result], [("New", ""), ("Stage", "阶段")])
        self.assertFalse(result.obsolete_entries())

    def test_demo_data_may_be_missing(self):
        demo = (
            "Palletiser",
            "model:product.template,name:sales_opportunity_stages.product_palletiser_product_template",
        )
        shipped = (
            "Standard Sale",
            "model:crm.opportunity.type,name:sales_opportunity_stages.opportunity_type_standard",
        )
        self.assertEqual(translations.demo_places("sales_opportunity_stages", {demo, shipped}), {demo})

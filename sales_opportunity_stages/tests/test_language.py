import re
from pathlib import Path

import polib

from odoo.tests.common import TransactionCase

ROOT = Path(__file__).parents[2]
LONGEST_SENTENCE = 24
"""In words, placeholders included. The standard is 20; a formula or a list of names may need some more."""
AVOIDED = {
    r"\bnoughts?\b": "0",
    r"\bfor ever\b": "keep forever",
    r"\b(whoever|whatever|whichever)\b": "name the person or thing",
    r"\bbe it that\b": "if, or even if",
    r"\banew\b": "again",
    r"\bdeeds?\b": "operation",
    r"\b(a|the|of|ended|all|in) stays?\b": "visit, or time in stage",
    r"\bstill there\b": "in progress",
    r"\bwent back\b": "moved back",
    r"\bhanded (in|out|to another type)\b": "type changed",
    r"\bstrangers?\b": "records of another company",
    r"\bjudged?\b": "check",
    r"\b(owes?|owed)\b": "exposure, or outstanding receivables",
    r"\bcarr(y|ies|ied) (the|its|his|their) (own )?credit\b": "credit unit of, or member of",
    r"\btyped in\b": "manual",
    r"\basked by\b": "requested by, or checked by",
    r"\b(kept|keep|stays?) on record\b": "logged",
    r"\bin vain\b": "without result",
}
"""What the glossary replaces, and by what."""


class TestLanguage(TransactionCase):
    """What a person reads is short and plain. The terms are those of the translation templates."""

    def _get_terms(self):
        """Yield (where, text) of every term, without markup."""
        templates = sorted(ROOT.glob("sales_opportunity_stages*/i18n/*.pot"))
        self.assertTrue(templates)
        for template in templates:
            for entry in polib.pofile(str(template)):
                where = entry.occurrences[0][0] if entry.occurrences else template.stem
                yield where, re.sub(r"<[^>]*>", " ", entry.msgid)

    def test_words(self):
        faults = [
            f"{where}: {text!r}; say: {instead}"
            for where, text in self._get_terms()
            for pattern, instead in AVOIDED.items()
            if re.search(pattern, text.lower())
        ]
        self.assertFalse(faults, "\n" + "\n".join(faults))

    def test_sentences_are_short(self):
        faults = []
        for where, text in self._get_terms():
            for sentence in re.split(r"(?<=[.!?:;])\s+|\n\s*\n", text):
                words = re.findall(r"%\(\w+\)s|%s|[^\W_]+(?:['’.-]\w+)*", sentence)
                if len(words) > LONGEST_SENTENCE:
                    faults.append(f"{where}: {len(words)} words: {sentence!r}")
        self.assertFalse(faults, "\n" + "\n".join(faults))

    def test_messages_take_labels_from_the_user_s_language(self):
        """``field.string`` and ``_description`` are English; a message has the label that the user sees."""
        for file in ROOT.glob("sales_opportunity_stages*/**/*.py"):
            if "tests" not in file.parts and file.name != "uninstall.py":  # which writes to the log alone
                with self.subTest(file.name):
                    self.assertNotRegex(file.read_text(encoding="utf8"), r"_fields\[[^\]]+\]\.string\b")

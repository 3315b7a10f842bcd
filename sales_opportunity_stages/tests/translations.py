"""The translations of an add-on: what Odoo's exporter finds to translate, and what is in the add-on's files."""

import io
import os
import re
from pathlib import Path
from unittest import mock

import polib

from odoo.modules import Manifest
from odoo.tools.translate import trans_export

FAMILY = "sales_opportunity_stages"
DATES = ("POT-Creation-Date", "PO-Revision-Date")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sdif]|</?\w[^>]*>")
WIDE = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"  # Chinese characters and punctuation
WIDE_BREAK = re.compile(rf"{WIDE}\s*\n\s*{WIDE}")
DEMO_RECORD = re.compile(r'<record\s[^>]*\bid="([^".]+)"')


def family(env):
    """The names of the installed add-ons of this repository."""
    domain = [("name", "=like", f"{FAMILY}%"), ("state", "=", "installed")]
    return sorted(env["ir.module.module"].search(domain).mapped("name"))


def folder(module):
    """The folder of an add-on's translations."""
    return Path(Manifest.for_addon(module, display_warning=False).path, "i18n")


def exported(env, module):
    """The template of an add-on's translations, as Odoo exports it now.

    The exporter walks through every folder of the add-ons path, which may hold much more than add-ons: it is shown the
    add-on alone. The dates of the export are left out, so that the same terms give the same file.
    """
    path, walk = folder(module).parent, os.walk
    buffer = io.BytesIO()
    with mock.patch.object(os, "walk", lambda top, **how: walk(path, **how) if top == str(path.parent) else iter([])):
        trans_export(None, [module], buffer, "po", env)
    template = polib.pofile(buffer.getvalue().decode())
    for date in DATES:
        template.metadata.pop(date)
    return template


def merged(catalogue, template):
    """The translations of a language with the terms of a template: new ones blank, those that are gone dropped."""
    catalogue.merge(template)
    for entry in catalogue.obsolete_entries():
        catalogue.remove(entry)
    catalogue.sort(key=lambda entry: entry.msgid)
    return catalogue


def places(catalogue):
    """``{(term, where it is used)}``: Odoo finds the translation of a record's term by the place, not by the text."""
    return {(entry.msgid, place) for entry in catalogue for place, _line in entry.occurrences}


def demo_places(module, found):
    """Those of the places that are in demo data, which a database may be without."""
    files = [folder(module).parent / name for name in Manifest.for_addon(module)["demo"]]
    names = {name for file in files for name in DEMO_RECORD.findall(file.read_text(encoding="utf8"))}
    ours = {f"{module}.{name}{suffix}" for name in names for suffix in ("", "_product_template")}
    return {(term, place) for term, place in found if place.rpartition(":")[2] in ours}


def untranslated(catalogue):
    """The terms with words that have no translation, or one to be looked at again."""
    return [entry.msgid for entry in catalogue if entry.fuzzy or (not entry.msgstr and _has_words(entry.msgid))]


def broken(catalogue):
    """The translations whose placeholders or tags are not those of their term."""
    return [entry.msgid for entry in catalogue if entry.msgstr and _marks(entry.msgid) != _marks(entry.msgstr)]


def gaping(catalogue):
    """The translations with a line break between Chinese characters: pages show it as a gap within the sentence."""
    return [entry.msgid for entry in catalogue if WIDE_BREAK.search(entry.msgstr)]


def _has_words(term):
    return bool(re.search(r"[^\W\d_]", PLACEHOLDER.sub("", term)))


def _marks(text):
    return sorted(PLACEHOLDER.findall(text))

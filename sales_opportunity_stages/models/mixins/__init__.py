"""Behaviour that several models share: how changes are checked, ledgers and fields that only the server writes, fields
for employees only, collaborators, parts of an opportunity, lines of dialogs. Nothing here knows a business rule."""

from . import ledger_mixin
from . import internal_fields_mixin
from . import system_fields_mixin
from . import change_mixin
from . import cached_label_mixin
from . import collaboration_mixin
from . import opportunity_part_mixin
from . import dialog_line_mixin

"""The kinds of entries people write by hand."""

from core.i18n import lazy_gettext as _l
from core.pages import InteractionKind

KINDS = [
    InteractionKind("note", _l("Note"), "journal-text", weight=10),
    InteractionKind("call", _l("Call"), "telephone", weight=20),
    InteractionKind("meeting", _l("Meeting"), "calendar-event", weight=30),
    InteractionKind("visit", _l("Visit"), "geo-alt", weight=40),
    InteractionKind("email", _l("E-mail"), "envelope", weight=50),
    InteractionKind("message", _l("Message"), "chat-left-dots", weight=60),
]

"""The kinds of entries people write by hand, each with its few fields."""

from core.i18n import lazy_gettext as _l
from core.interactions.details import DIRECTIONS
from core.pages import InteractionKind, KindField

_DIRECTION = KindField("direction", _l("Direction"), "choice", DIRECTIONS)
_SOURCE = KindField("source", _l("Source"))
_DURATION = KindField("duration", _l("Duration"), "minutes")
_PLACE = KindField("place", _l("Place"))
_OUTCOMES = {
    "reached": _l("Reached"),
    "left_message": _l("Left a message"),
    "no_answer": _l("No answer"),
    "calls_back": _l("Will call back"),
}
_OUTCOME = KindField("outcome", _l("Outcome"), "choice", _OUTCOMES)

KINDS = [
    InteractionKind("note", _l("Note"), "journal-text", weight=10),
    InteractionKind(
        "call",
        _l("Call"),
        "telephone",
        weight=20,
        fields=[_DIRECTION, _OUTCOME, _DURATION, _SOURCE],
    ),
    InteractionKind(
        "meeting",
        _l("Meeting"),
        "calendar-event",
        weight=30,
        fields=[_PLACE, _DURATION],
    ),
    InteractionKind(
        "visit", _l("Visit"), "geo-alt", weight=40, fields=[_PLACE, _DURATION]
    ),
    InteractionKind(
        "email", _l("E-mail"), "envelope", weight=50, fields=[_DIRECTION, _SOURCE]
    ),
    InteractionKind(
        "message",
        _l("Message"),
        "chat-left-dots",
        weight=60,
        fields=[_DIRECTION, KindField("channel", _l("Channel")), _SOURCE],
    ),
]

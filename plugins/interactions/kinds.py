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
_MET = {
    "agreed": _l("Agreed"),
    "undecided": _l("Undecided"),
    "declined": _l("Declined"),
    "nobody_there": _l("Nobody there"),
}
_MEETING = [_PLACE, KindField("outcome", _l("Outcome"), "choice", _MET), _DURATION]
_WORK = {"done": _l("Done"), "waits": _l("Waits"), "dropped": _l("Dropped")}

KINDS = [
    InteractionKind("note", _l("Note"), "journal-text", weight=10),
    InteractionKind(
        "call",
        _l("Call"),
        "telephone",
        weight=20,
        fields=[_DIRECTION, _OUTCOME, _DURATION, _SOURCE],
        wordless=True,
    ),
    InteractionKind(
        "meeting",
        _l("Meeting"),
        "calendar-event",
        weight=30,
        fields=_MEETING,
    ),
    InteractionKind("visit", _l("Visit"), "geo-alt", weight=40, fields=_MEETING),
    # What was done for a customer; what is still to be done is a follow-up.
    InteractionKind(
        "task",
        _l("Task"),
        "check2-square",
        weight=45,
        fields=[KindField("outcome", _l("Outcome"), "choice", _WORK), _DURATION],
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

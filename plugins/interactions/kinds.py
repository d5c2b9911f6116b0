"""The kinds of entries people write by hand, each with its few fields."""

from dataclasses import replace
from datetime import datetime, timedelta

from babel.dates import format_time

from core.i18n import lazy_gettext as _l
from core.i18n import reader
from core.interactions.details import DIRECTIONS
from core.moments import show_date
from core.pages import EntryWords, InteractionKind, KindField

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


def say_meeting(words: EntryWords) -> EntryWords:
    """Say first when it is, from and until, and where; then what came of it."""
    facts = dict(words.facts)
    found = {"when": _when(words.occurred_at, facts, words.details.get("duration"))}
    if "place" in facts:
        found["place"] = str(words.details["place"])
    return replace(
        words, facts=found | {k: v for k, v in facts.items() if k != "place"}
    )


def _when(moment: datetime, facts: dict[str, str], minutes: object) -> str:
    """Write its time; how long it takes is in it, unless it ends on another day."""
    zone, locale = reader()
    starts = moment.astimezone(zone)
    clocks = [starts]
    if isinstance(minutes, int):
        ends = (moment + timedelta(minutes=minutes)).astimezone(zone)
        if ends.date() == starts.date():
            clocks.append(ends)
            facts.pop("duration", None)
    hours = "–".join(format_time(one.time(), "short", locale=locale) for one in clocks)
    return f"{show_date(starts.date())} {hours}"


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
        renderer=say_meeting,
    ),
    InteractionKind(
        "visit",
        _l("Visit"),
        "geo-alt",
        weight=40,
        fields=_MEETING,
        renderer=say_meeting,
    ),
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

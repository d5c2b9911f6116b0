"""Follow-ups in words: when they come up, how often, what to know first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import flask_babel
from babel.dates import format_timedelta

from core.contacts.models import Contact
from core.db import now
from core.i18n import _, ngettext, reader
from core.i18n import lazy_gettext as _l
from core.markup import excerpt, to_text
from core.moments import show_ago, show_datetime
from core.pages import Action
from core.parts import actions_on
from core.users.models import User
from plugins.interactions.composer import for_input
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.moments import DAY

# Minutes after an entry, as the form offers them.
_AFTER = (
    (-60, _l("An hour before")),
    (-DAY, _l("A day before")),
    (DAY, _l("A day after")),
    (3 * DAY, _l("3 days after")),
    (7 * DAY, _l("A week after")),
    (14 * DAY, _l("2 weeks after")),
    (30 * DAY, _l("30 days after")),
)
_REPEATS = (
    ("", _l("Once")),
    ("1 day", _l("Every day")),
    ("1 week", _l("Every week")),
    ("2 week", _l("Every 2 weeks")),
    ("1 month", _l("Every month")),
    ("3 month", _l("Every 3 months")),
    ("12 month", _l("Every year")),
)


@dataclass(frozen=True)
class Line:
    """A follow-up as a list shows it: whom, why, when, what to know first."""

    follow_up: FollowUp
    contact: Contact
    when: str
    late: bool
    know: str
    # Whose it is, when that is somebody else.
    owner: str
    actions: Sequence[Action]


def line_of(follow_up: FollowUp, user: User) -> Line:
    """Put a follow-up into words for `user`."""
    owner = ""
    if follow_up.owner is not None and follow_up.owner_id != user.id:
        owner = follow_up.owner.name
    late = follow_up.done_at is None and follow_up.remind_at < now()
    return Line(
        follow_up,
        follow_up.contact,
        _when(follow_up),
        late and _days_late(follow_up) > 0,
        know_of(follow_up.contact),
        owner,
        [one for one in actions_on(follow_up.contact, user) if one.day],
    )


def know_of(contact: Contact) -> str:
    """Give the one thing to know first about a contact."""
    know = excerpt(to_text(contact.know_first[:1000]), 120)
    if contact.do_not_contact:
        know = " · ".join(filter(None, [_("Do not contact"), know]))
    return know


def _days_late(follow_up: FollowUp) -> int:
    zone, _locale = reader()
    here = follow_up.remind_at.astimezone(zone).date()
    return int((now().astimezone(zone).date() - here).days)


def _when(follow_up: FollowUp) -> str:
    if follow_up.done_at is not None:
        return show_ago(follow_up.done_at)
    late = _days_late(follow_up)
    if 0 < late <= 14:
        return ngettext("%(num)d day late", "%(num)d days late", late)
    return moment(follow_up.remind_at)


def moment(at: datetime) -> str:
    """Write a moment: today with its hour, another day with its date."""
    zone, _locale = reader()
    if at.astimezone(zone).date() == now().astimezone(zone).date():
        return show_ago(at)
    return show_datetime(at)


def form_of(follow_up: FollowUp) -> dict[str, Any]:
    """Give the form the values of a follow-up."""
    every = follow_up.repeat_every
    after = follow_up.after_minutes
    return {
        "text": follow_up.text,
        "when": "" if after is None else after,
        "due_at": for_input(follow_up.due_at),
        "owner": follow_up.owner_id or "",
        "repeat": f"{every} {follow_up.repeat_unit}" if every else "",
    }


def moments_after(chosen: Any) -> list[tuple[object, object]]:
    """Offer moments after an entry, the one that is `chosen` among them."""
    found: list[tuple[object, object]] = [("", _("At the time below")), *_AFTER]
    number = int(chosen) if str(chosen).lstrip("-").isdecimal() else None
    if number is not None and number not in dict(_AFTER):
        long = format_timedelta(abs(number) * 60, locale=flask_babel.get_locale())
        said = _("%(time)s before") if number < 0 else _("%(time)s after")
        found.append((number, said % {"time": long}))
    return found


def repeats(chosen: str) -> list[tuple[str, object]]:
    """Offer how often something comes again, what is `chosen` among it."""
    found = list(_REPEATS)
    if chosen and chosen not in dict(_REPEATS):
        every, unit = repeat_of(chosen)
        num = every or 1
        said = {
            "day": ngettext("Every %(num)d day", "Every %(num)d days", num),
            "week": ngettext("Every %(num)d week", "Every %(num)d weeks", num),
            "month": ngettext("Every %(num)d month", "Every %(num)d months", num),
        }
        found.append((chosen, said.get(unit, chosen)))
    return found


def repeat_of(chosen: str) -> tuple[int | None, str]:
    """Read what the form sends: `2 week`, or nothing."""
    every, _space, unit = chosen.partition(" ")
    return (int(every), unit) if every.isdecimal() and int(every) else (None, "")

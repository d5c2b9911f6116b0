"""What tests of meetings share: people, a meeting to come, what came by mail."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from icalendar import Calendar

from core.audiences import AudienceSpec
from core.contacts.models import Affiliation
from core.db import db, now
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_interaction, make_user
from core.testing.mail import text_of
from plugins.interactions.meetings.models import Meeting

BODY = "Internal: they owe us money."
LINK = re.compile(r"http://localhost(/invitation/\S+)")


@dataclass
class Invited:
    """A firm with a person, an organiser, a colleague, and their meeting."""

    firm: Any
    outi: Any
    anna: Any
    mika: Any
    entry: Any

    @property
    def page(self):
        return f"/interactions/{self.entry.id}"

    @property
    def address(self):
        return f"/api/v1{self.page}/meeting"

    def wish(self, **more):
        given = {
            "title": "Four developments",
            "place": "Hämeentie 1, Helsinki",
            "text": "Bring the drawings.",
            "attendees": [{"contact": self.outi.id}],
        }
        return given | more


def make_invited(**entry):
    """Make the people and their meeting, three days from now."""
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    outi = make_contact(
        "Outi Kallio",
        kind="person",
        emails=[{"address": "outi@kallio.example", "label": "work"}],
        language="fi",
    )
    with db.transaction() as session:
        session.add(Affiliation(person_id=outi.id, organisation_id=firm.id))
    zone = entry.pop("timezone", "Europe/Helsinki")
    anna = make_user("Anna Laine", teams=["Sales"], timezone=zone)
    mika = make_user("Mika Salo", teams=["Sales"])
    soon = now().replace(microsecond=0) + timedelta(days=3)
    given = {"kind": "meeting", "occurred_at": soon, "body": BODY, "author": anna}
    given["audience"] = AudienceSpec("staff")
    made = make_interaction(firm, **given | entry)
    return Invited(firm, outi, anna, mika, made)


def invite(program, world, **more):
    """Invite by the API; gives the answer."""
    answer = program.put(world.address, json=world.wish(**more))
    assert answer.status_code == 200, answer.text
    return answer


def change(program, world, **more):
    """Change the invitation by the API, from its present version."""
    match = {"If-Match": program.get(world.address).headers["ETag"]}
    answer = program.put(world.address, json=world.wish(**more), headers=match)
    assert answer.status_code == 200, answer.text
    return answer


def change_entry(program, world, **changes):
    """Change the entry itself by the API."""
    place = f"/api/v1{world.page}"
    match = {"If-Match": program.get(place).headers["ETag"]}
    answer = program.patch(place, json=changes, headers=match)
    assert answer.status_code == 200, answer.text


def trash_entry(program, world):
    """Put the entry into the trash by the API."""
    place = f"/api/v1{world.page}"
    match = {"If-Match": program.get(place).headers["ETag"]}
    assert program.delete(place, headers=match).status_code == 204


def send_all(clock, deliver):
    """Let the time to undo pass, and send what is due."""
    deliver()
    clock.shift(timedelta(seconds=61))
    deliver()


def calendar_of(message):
    """Give the calendar in a mail, as it is read without opening a file."""
    [part] = [
        one for one in message.walk() if one.get_content_type() == "text/calendar"
    ]
    return Calendar.from_ical(part.get_content()), part


def event_of(message):
    """Give the one event of the calendar in a mail."""
    calendar, _part = calendar_of(message)
    [event] = calendar.walk("VEVENT")
    return event


def link_of(message):
    """Give the path of the link in a mail."""
    return LINK.search(text_of(message))[1]


def meeting_now():
    """Give the meeting as it was committed."""
    with db.read_only() as session:
        found = session.scalar(sa.select(Meeting))
        if found is not None:
            _guests = list(found.guests)
        session.expunge_all()
    return found


def moved(world, **by):
    """Give the meeting's time, later by some."""
    return (world.entry.occurred_at + timedelta(**by)).isoformat()


def in_helsinki(moment):
    return moment.astimezone(ZoneInfo("Europe/Helsinki"))


def fresh(world):
    with db.read_only() as session:
        return session.get_one(Interaction, world.entry.id).version

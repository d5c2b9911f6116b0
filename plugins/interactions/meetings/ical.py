"""Meetings as calendars write them: iCalendar (RFC 5545) and iTIP (RFC 5546)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress

PRODUCT = "-//Rapport//Meetings//EN"
# How far before and after a meeting its zone is described.
AROUND = timedelta(days=370)


@dataclass(frozen=True)
class Person:
    """Somebody by name and address; `sent_by` writes the mails for them."""

    address: str
    name: str = ""
    sent_by: str = ""
    # PARTSTAT of RFC 5545, in small letters.
    answer: str = "needs-action"


@dataclass(frozen=True)
class Appointment:
    """One meeting as a calendar is to show it; `start` is in its own zone."""

    uid: str
    start: datetime
    minutes: int
    title: str
    stamp: datetime
    place: str = ""
    text: str = ""
    url: str = ""
    sequence: int = 0
    off: bool = False
    organiser: Person | None = None
    guest: Person | None = None


def in_zone(moment: datetime, zone: str) -> datetime:
    """Give a moment by the clock of a zone, at whole seconds."""
    here = UTC if zone == "UTC" else ZoneInfo(zone)
    return moment.astimezone(here).replace(microsecond=0)


def write_calendar(
    appointments: Iterable[Appointment], *, method: str = "", name: str = ""
) -> bytes:
    """Write appointments as one calendar; with `method` it is a message of iTIP.

    The library escapes, and folds lines at 75 octets; the zones that are named are
    described in it, as RFC 5545, section 3.2.19, asks.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    if method:
        calendar.add("method", method)
    if name:
        calendar.add("x-wr-calname", name)
    starts = []
    for one in appointments:
        calendar.add_component(_event(one, asks=method == "REQUEST"))
        starts.append(one.start)
    if starts:
        first, last = min(starts) - AROUND, max(starts) + AROUND
        calendar.add_missing_timezones(first.date(), last.date())
    return bytes(calendar.to_ical())


def _event(one: Appointment, *, asks: bool) -> Event:
    event = Event()
    event.add("uid", one.uid)
    event.add("sequence", one.sequence)
    event.add("dtstamp", one.stamp.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", one.start)
    # By the clock of the zone, so that an hour is an hour when the clocks change.
    event.add("dtend", _after(one.start, one.minutes))
    event.add("summary", one.title)
    event.add("status", "CANCELLED" if one.off else "CONFIRMED")
    for name, value in (
        ("location", one.place),
        ("description", one.text),
        ("url", one.url),
    ):
        if value:
            event.add(name, value)
    if one.organiser is not None:
        event.add("organizer", _address(one.organiser))
    if one.guest is not None:
        event.add("attendee", _guest(one.guest, asks=asks))
    return event


def _after(start: datetime, minutes: int) -> datetime:
    end = start.astimezone(UTC) + timedelta(minutes=minutes)
    return end.astimezone(start.tzinfo)


def _address(person: Person) -> vCalAddress:
    found = vCalAddress(f"mailto:{person.address}")
    if person.name:
        found.params["CN"] = person.name
    if person.sent_by and person.sent_by != person.address:
        found.params["SENT-BY"] = f"mailto:{person.sent_by}"
    return found


def _guest(person: Person, *, asks: bool) -> vCalAddress:
    found = _address(person)
    found.params["ROLE"] = "REQ-PARTICIPANT"
    found.params["PARTSTAT"] = person.answer.upper()
    if asks:
        found.params["RSVP"] = "TRUE"
    return found

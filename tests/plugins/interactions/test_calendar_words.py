"""Whatever people type into a meeting, calendars read it as it was typed."""

import os
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from core.testing.mail import text_of
from plugins.interactions.meetings.ical import Appointment, Person, write_calendar
from plugins.interactions.meetings.wishes import lines, one_line
from tests.plugins.interactions.meeting_world import (
    event_of,
    invite,
    make_invited,
    send_all,
)

HOSTILE = [
    "Lunch\r\nATTENDEE:mailto:evil@example.com",
    "Lunch\nEND:VEVENT\nBEGIN:VALARM",
    "Lunch\u2028METHOD:CANCEL\x85DTSTART:19700101",
    "Comma, semicolon; back\\slash: colon \"quote\" 'tick'",
    "\\n is no line; \\, is no comma",
    "ä" * 200,
    "会议 " * 60,
    "🧹" * 60,
    "e\u0301" * 100,
    "=?utf-8?q?Bcc:?= %0d%0aX: y",
    "<script>alert(1)</script> & {{ 7 * 7 }} %(name)s %s",
    "\u202eright to left\u202c",
    "\x00\x0b\x0c\x1b[31mred",
]


def naughty():
    folder = os.environ.get("RAPPORT_TEST_DATA", "")
    path = Path(folder) / "naughty-strings" / "blns.txt"
    if not folder or not path.exists():
        return []
    rows = path.read_text("utf-8").splitlines()
    return [row for row in rows if row and not row.startswith("#")]


def read_back(**words):
    """Write one event with these words, and read it as a calendar does."""
    content = write_calendar(
        [
            Appointment(
                uid="1@x",
                start=datetime(2027, 4, 6, 9, tzinfo=ZoneInfo("Europe/Helsinki")),
                minutes=60,
                stamp=datetime(2027, 1, 1, tzinfo=UTC),
                organiser=Person("a@x.fi", words.get("title", "")[:200]),
                guest=Person("b@x.fi", words.get("title", "")[:200]),
                **words,
            )
        ],
        method="REQUEST",
    )
    assert all(len(one) <= 75 for one in content.split(b"\r\n")), content
    assert content.count(b"\n") == content.count(b"\r\n")
    content.decode()
    [event] = Calendar.from_ical(content).walk("VEVENT")
    assert not event.errors
    assert set(event) == {
        *("UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "STATUS"),
        *("ORGANIZER", "ATTENDEE"),
        *({"LOCATION"} if words.get("place") else ()),
        *({"DESCRIPTION"} if words.get("text") else ()),
    }
    return event


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(words):
    title, text = one_line(words), lines(words)
    event = read_back(title=title, place=title, text=text)
    assert event["SUMMARY"] == event["LOCATION"] == title
    assert event["DESCRIPTION"] == text
    assert str(event["ORGANIZER"]) == "mailto:a@x.fi"
    assert str(event["ATTENDEE"]) == "mailto:b@x.fi"


def test_every_naughty_string_is_read_as_it_was_written():
    for words in [*naughty(), *HOSTILE]:
        title, text = one_line(words), lines(words)
        event = read_back(title=title, text=text)
        assert event["SUMMARY"] == title
        assert event.get("DESCRIPTION", "") == text


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.text(max_size=400))
def test_any_words_are_read_as_they_were_written(one, other):
    title, text = one_line(one), lines(other)
    event = read_back(title=title, text=text)
    assert event["SUMMARY"] == title
    assert event.get("DESCRIPTION", "") == text
    assert not {unicodedata.category(sign) for sign in title} & {"Cc", "Zl", "Zp"}


@pytest.mark.parametrize("title", HOSTILE[:5])
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_hostile_words_in_an_invitation_make_no_header(
    app, api, mailbox, deliver, clock, title
):
    world = make_invited()
    sent = invite(api(world.anna), world, title=title, place=title, text=title)
    send_all(clock, deliver)
    [message] = mailbox.messages
    assert message["Subject"] == f"Kutsu: {sent.json['title']}"
    assert message["To"] == "Outi Kallio <outi@kallio.example>"
    assert mailbox.envelopes[0].rcpt_tos == ["outi@kallio.example"]
    event = event_of(message)
    assert event["SUMMARY"] == sent.json["title"] == one_line(title)
    assert str(event["ATTENDEE"]) == "mailto:outi@kallio.example"
    assert sent.json["title"] in text_of(message)

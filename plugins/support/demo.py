"""The support part of the demo company: tickets of two years, in every state."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.demo import Demo
from core.interactions.models import Interaction
from core.interactions.services import write_interaction
from plugins.support.models import Message, Ticket
from plugins.support.services import add_note, change_ticket, open_ticket, reply

_FILE = Path(__file__).parent / "data" / "tickets.toml"
# Who answers, by the language of the colleague who looks after the customer.
_AGENTS = {"en": ("support", "emma"), "fi": ("noora",), "zh": ("yating",)}
_CLOCK = ("08:24", "10:51", "13:07", "15:38", "16:44")


@dataclass(frozen=True)
class Said:
    """One thing said on a ticket: by whom, when, and whether outside."""

    by: str
    days: int
    at: str
    body: str
    note: bool = False


@dataclass(frozen=True)
class Story:
    """A ticket and what was said on it; the first words open it."""

    firm: str
    subject: str
    said: tuple[Said, ...]
    state: str = ""
    # What sales wrote about it on the customer, linked to the ticket.
    noted: Said | None = None


STORIES = (
    Story(
        "kallio",
        "Two boxes of elbows were wet",
        (
            Said(
                "customer",
                -3,
                "08:12",
                "The pallet came this morning and two boxes of 22 mm elbows at the "
                "bottom are soaked. The fittings show spots. What shall we do with "
                "them?",
            ),
            Said(
                "support",
                -3,
                "09:40",
                "Thank you for telling us at once. Please keep them apart; two new "
                "boxes leave with tomorrow's van, before ten, to gate B.",
            ),
            Said(
                "support",
                -3,
                "09:44",
                "Third wet delivery with this carrier since summer. Anna, worth "
                "raising when you meet them.",
                note=True,
            ),
            Said("customer", -1, "10:05", "They came, all dry. Thank you."),
        ),
        "solved",
        Said(
            "anna",
            -2,
            "15:20",
            "Raised the wet pallets with the carrier: from Monday a closed van drives "
            "this tour.",
        ),
    ),
    Story(
        "kallio",
        "Invoice shows the old delivery address",
        (
            Said(
                "customer",
                -1,
                "14:31",
                "Our October invoice still has the Vallila address. Could it be sent "
                "again with the right one?",
            ),
            Said(
                "support",
                -1,
                "15:02",
                "Address was changed on the contact in September, the invoice "
                "template kept a copy. Asked accounting.",
                note=True,
            ),
        ),
    ),
    Story(
        "harbour",
        "When do the DN50 valves arrive?",
        (
            Said(
                "customer2",
                -2,
                "07:55",
                "We have a shutdown on site on Thursday week and need the DN50 ball "
                "valves by then. Your page says a few left. How many are they?",
            ),
            Said(
                "support",
                -2,
                "08:30",
                "I am checking the incoming delivery with purchasing and will write "
                "today.",
            ),
        ),
    ),
    Story(
        "greenfield",
        "Pressure test certificate for the May delivery",
        (
            Said(
                "support",
                -6,
                "11:20",
                "Daniel rang: their insurer wants the 3.1 certificates of the May "
                "batch. Ask quality for them before promising anything.",
            ),
        ),
    ),
    Story(
        "tapio",
        "Leak at the press fitting, flat 14",
        (
            Said(
                "support",
                -9,
                "16:05",
                "Mika called from site: one of the 28 mm press fittings weeps at 6 "
                "bar. She sends photos. Batch 2231 by the print.",
            ),
            Said(
                "support",
                -8,
                "09:15",
                "Lab says the seal was nicked on insertion, not a batch fault.",
                note=True,
            ),
        ),
        "closed",
    ),
)


def load(demo: Demo) -> None:
    """Open the tickets and say on them what was said, at the time it was said."""
    stories = [one for one in (*STORIES, *_written(demo)) if one.firm in demo.contacts]
    # The oldest first: numbers go up with the days.
    before = {one.firm: demo.contacts[one.firm].last_interaction_at for one in stories}
    for story in sorted(stories, key=lambda one: one.said[0].days):
        _tell(demo, story, demo.contacts[story.firm])
    for firm, at in before.items():
        _note_last(demo, [one for one in stories if one.firm == firm], firm, at)


def _note_last(
    demo: Demo, stories: list[Story], firm: str, before: datetime | None
) -> None:
    """Say when something last happened with a firm: tickets are dated afterwards."""
    said = [
        demo.day(one.days, one.at)
        for story in stories
        for one in story.said
        if not one.note
    ]
    latest = max([*said, *([before] if before else [])])
    # Unrecorded, as when an entry is written: a note is no change of the contact.
    db.session.execute(
        sa.update(Contact)
        .where(Contact.id == demo.contacts[firm].id)
        .values(last_interaction_at=latest, updated_at=Contact.updated_at),
        execution_options={"unrecorded": True, "synchronize_session": False},
    )


def _written(demo: Demo) -> Iterator[Story]:
    """Read the data file: who says what is known by the firm's accounts and owner."""
    accounts = {one.contact_id: key for key, one in demo.users.items()}
    rows = tomllib.loads(_FILE.read_text("utf-8"))["tickets"]
    for number, (firm, subject, day, state, *words) in enumerate(rows):
        contact = demo.contacts.get(firm)
        if contact is None:
            continue
        language = contact.owner.language if contact.owner else "en"
        agents = _AGENTS.get(language, _AGENTS["en"])
        agent = agents[number % len(agents)]
        voices = {"c": accounts.get(contact.id, agent), "s": agent, "n": agent}
        yield Story(
            firm, subject, tuple(_said(demo, day, voices, words, number)), state
        )


def _said(
    demo: Demo, day: int, voices: dict[str, str], words: list[Any], number: int
) -> Iterator[Said]:
    for place, (who, after, text) in enumerate(words):
        at = _CLOCK[place] if len(words) > 2 else _CLOCK[(number + place) % 4]
        yield Said(voices[who], _working(demo, day + after), at, text, note=who == "n")


def _working(demo: Demo, day: int) -> int:
    """Move what fell on a weekend to the Friday before."""
    weekday = (demo.today + timedelta(days=day)).weekday()
    return min(day - max(0, weekday - 4), 0)


def _tell(demo: Demo, story: Story, firm: Contact) -> None:
    first = story.said[0]
    with demo.acting(first.by):
        ticket = open_ticket(
            firm, author=demo.users[first.by], subject=story.subject, body=first.body
        )
    _date_last(ticket, demo.day(first.days, first.at))
    ticket.created_at = demo.day(first.days, first.at)
    for one in story.said[1:]:
        author = demo.users[one.by]
        with demo.acting(one.by):
            if one.note:
                add_note(ticket, author=author, body=one.body)
            else:
                reply(ticket, author=author, body=one.body)
        _date_last(ticket, demo.day(one.days, one.at))
    _settle(demo, story, ticket)
    if story.noted is not None:
        _note(demo, story.noted, ticket)


def _note(demo: Demo, said: Said, ticket: Ticket) -> None:
    with demo.acting(said.by):
        write_interaction(
            ticket.contact,
            author=demo.users[said.by],
            body=said.body,
            audience=AudienceSpec("staff"),
            occurred_at=demo.day(said.days, said.at),
            links=[ticket.ref],
        )


def _settle(demo: Demo, story: Story, ticket: Ticket) -> None:
    """Give the ticket to the colleague who answered, and end it where it ended."""
    colleagues = [demo.users[one.by] for one in story.said]
    answered = [one for one in colleagues if one.kind == "staff"]
    if answered:
        change_ticket(ticket, actor=answered[0], owner=answered[0])
    if story.state:
        change_ticket(ticket, actor=demo.users["support"], state=story.state)
        last = story.said[-1]
        ticket.solved_at = demo.day(last.days, last.at)
        db.session.flush()


def _date_last(ticket: Ticket, moment: datetime) -> None:
    """Let the newest thing said on `ticket` have happened at `moment`."""
    newest = db.session.scalars(
        sa.select(Interaction)
        .join(Message, Message.interaction_id == Interaction.id)
        .where(Message.ticket_id == ticket.id)
        .order_by(Interaction.id.desc())
        .limit(1)
    ).first()
    if newest is not None:
        newest.occurred_at = moment
        for link in newest.links:
            link.occurred_at = moment
        if ticket.asked_at is not None:
            # Who asks twice waits since the first time.
            ticket.asked_at = min(ticket.asked_at, moment)
        db.session.flush()

"""The support part of the demo company: a handful of tickets in every state."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.demo import Demo
from core.interactions.models import Interaction
from plugins.support.models import Message, Ticket
from plugins.support.services import add_note, change_ticket, open_ticket, reply


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
    for story in STORIES:
        if story.firm in demo.contacts:
            _tell(demo, story, demo.contacts[story.firm])


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
    if story.state:
        change_ticket(ticket, actor=demo.users["support"], state=story.state)


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
        db.session.flush()

"""The first hour: eight steps from an empty house to its first customer."""

from dataclasses import dataclass

import sqlalchemy as sa

from core.admin.models import FirstHourStep
from core.contacts.models import Contact
from core.db import db
from core.errors import NotFound
from core.i18n import lazy_gettext as _l
from core.users.models import User

DONE, SKIPPED, DISMISSED = "done", "skipped", "dismissed"
ALL = "all"
STEPS = {
    "name": _l("Name of the house"),
    "logo": _l("Logo and colour"),
    "language": _l("Language and time zone"),
    "currency": _l("Currency"),
    "hours": _l("Business hours"),
    "colleagues": _l("Colleagues"),
    "import": _l("First import"),
    "mailbox": _l("Mailbox"),
}


@dataclass(frozen=True)
class Step:
    """A step as the list shows it; `state` is empty while it is open."""

    name: str
    title: object
    state: str


@dataclass(frozen=True)
class Progress:
    """How far the first hour went; `dismissed` hides it from "my day"."""

    steps: list[Step]
    dismissed: bool

    @property
    def begun(self) -> bool:
        """Say whether anybody did or left out a step, or put it aside."""
        return self.dismissed or any(one.state for one in self.steps)

    @property
    def passed(self) -> int:
        """How many steps are behind us."""
        return sum(bool(one.state) for one in self.steps)

    @property
    def next(self) -> Step | None:
        """Give the first step that is open, or None when all are behind us."""
        return next((one for one in self.steps if not one.state), None)

    @property
    def open(self) -> bool:
        """Say whether it still waits for somebody."""
        return self.next is not None and not self.dismissed


def progress() -> Progress:
    """Read how far the first hour went."""
    states = {
        row.name: row.state
        for row in db.session.execute(
            sa.select(FirstHourStep.name, FirstHourStep.state)
        )
    }
    steps = [Step(name, title, states.get(name, "")) for name, title in STEPS.items()]
    return Progress(steps, ALL in states)


def house_is_empty() -> bool:
    """Say whether there is one account and no contact: nobody has begun here."""
    two = db.session.scalars(sa.select(User.id).limit(2)).all()
    contact = db.session.scalar(sa.select(Contact.id).limit(1))
    return len(two) < 2 and contact is None


def mark_step(name: str, state: str, *, by: User) -> None:
    """Note that a step is done or left out; raises `NotFound` for no such step."""
    if name not in STEPS:
        raise NotFound
    db.session.merge(FirstHourStep(name=name, state=state, by_id=by.id))
    db.session.flush()


def dismiss(*, by: User) -> None:
    """Take the first hour off "my day"; it stays in the administration."""
    db.session.merge(FirstHourStep(name=ALL, state=DISMISSED, by_id=by.id))
    db.session.flush()


def take_up_again() -> None:
    """Put a dismissed first hour back on "my day"."""
    found = db.session.get(FirstHourStep, ALL)
    if found is not None:
        db.session.delete(found)
        db.session.flush()

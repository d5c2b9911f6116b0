"""Make records for a test: plain functions, each committed, each with good defaults.

They need an application context; the fixture `app` pushes one.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.contacts.services import create_contact
from core.db import Record, db
from core.interactions.models import Interaction
from core.interactions.services import write_interaction
from core.users.models import User, UserKind
from core.users.services import create_user

_number = count(1)

PASSWORD = "correct horse battery"


R = TypeVar("R", bound=Record)


def _fresh(model: type[R], record_id: int) -> R:
    """Give a record as it was committed, free of any session."""
    with db.read_only() as session:
        found = session.get_one(model, record_id)
        session.expunge_all()
    return found


def make_user(
    name: str = "Anna Laine",
    *,
    email: str | None = None,
    kind: UserKind = "staff",
    roles: Iterable[str] | None = None,
    teams: Iterable[str] = (),
    contact: Contact | None = None,
    person: Contact | None = None,
    password: str | None = None,
    **fields: Any,
) -> User:
    """Make an account; staff get the role `sales`, portal users that of their kind."""
    email = email or f"{name.split()[0].lower()}{next(_number)}@example.com"
    if roles is None:
        roles = ("sales",) if kind == "staff" else (kind,)
    with db.transaction() as session:
        user = create_user(
            email,
            name=name,
            kind=kind,
            roles=roles,
            teams=teams,
            contact_id=contact.id if contact else None,
            person_id=person.id if person else None,
            password=password,
            **fields,
        )
        user_id = user.id
        session.flush()
    return _fresh(User, user_id)


def make_contact(
    name: str = "Kallion Vesijohto Oy", *, kind: str = "organisation", **fields: Any
) -> Contact:
    """Make a contact, by default an organisation; `fields` as the API names them."""
    with db.transaction():
        contact = create_contact({"kind": kind, "name": name, **fields}, actor=None)
        contact_id = contact.id
    return _fresh(Contact, contact_id)


def make_interaction(
    contact: Contact,
    *,
    author: User | None = None,
    body: str = "Has four developments under way.",
    kind: str = "note",
    audience: AudienceSpec | None = None,
    occurred_at: datetime | None = None,
    **fields: Any,
) -> Interaction:
    """Make an entry on `contact`, by default for every colleague."""
    with db.transaction() as session:
        entry = write_interaction(
            session.get_one(Contact, contact.id),
            author=session.get_one(User, author.id) if author else None,
            body=body,
            kind=kind,
            audience=audience or AudienceSpec("staff"),
            occurred_at=occurred_at,
            **fields,
        )
        entry_id = entry.id
    return _fresh(Interaction, entry_id)

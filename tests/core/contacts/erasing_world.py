"""One person of whom the house holds everything it can, each word with a mark in it."""

import io
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.erasing.emptying import (
    emptied,
    personal_columns,
    personal_tables,
)
from core.contacts.merging.services import merge
from core.contacts.models import Affiliation, Contact, SavedView
from core.db import db, now, table_of
from core.events import Event
from core.importing.models import ImportEntry, ImportKey, ImportRefusal, ImportRun
from core.interactions.models import Interaction
from core.interactions.services import write_interaction
from core.jobs import JobRun
from core.mail.services import Attachment, queue_mail
from core.mail.words import from_text
from core.notifications.models import Notification
from core.presence.models import Presence
from core.testing.factories import make_contact, make_user
from core.users.models import User
from core.users.password_models import PasswordRequest
from core.users.sessions import open_session
from plugins.interactions.dossiers.models import KeptDossier
from plugins.interactions.hand_overs.models import HandOver
from plugins.interactions.meetings.models import Attendee, Meeting
from plugins.portal.models import Order
from plugins.search.models import SavedSearch

MARK = "Zyxqv"
NAME = f"{MARK} Ångström"
MAIL = f"{MARK.lower()}@x.example"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n"


@dataclass
class Held:
    """The person, and who else is in the house."""

    person: Any
    firm: Any
    chief: Any
    anna: Any
    account: Any
    # An entry on the firm in which the person took part.
    shared: int
    own: int


def hold_everything(api: Any) -> Held:
    """Let the house hold everything about one person."""
    chief = make_user("Ada Admin", roles=["admin"])
    anna = make_user("Anna Laine", teams=["Sales"])
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    client = api(anna)
    sent = {
        "kind": "person",
        "given_name": MARK,
        "family_name": "Ångström",
        "job_title": f"{MARK} buyer",
        "emails": [{"address": MAIL, "label": "work"}],
        "phones": [{"number": f"+358 40 765 4321 {MARK}", "label": MARK}],
        "addresses": [{"street": f"{MARK} 1", "city": MARK}],
        "website": f"https://{MARK.lower()}.example",
        "tags": [MARK],
        "custom": {MARK: MARK},
        "know_first": f"Likes {MARK}.",
        "next_step": f"Call {MARK}",
        "next_step_on": "2026-03-05",
        "affiliations": [{"organisation": firm.id, "role": f"{MARK} role"}],
    }
    person = _made(client.post("/api/v1/contacts", json=sent, headers=_key(1)))["id"]
    address = f"/api/v1/contacts/{person}"
    match = {"If-Match": client.get(address).headers["ETag"]}
    changed = {"job_title": f"{MARK} manager", "tags": [MARK, "b"]}
    assert client.patch(address, json=changed, headers=match).status_code == 200
    entry = {"body": f"{MARK} said so #{MARK}", "contacts": [person]}
    entry |= {"audience": "staff", "kind": "meeting"}
    own = _made(client.post("/api/v1/interactions", json=entry, headers=_key(2)))["id"]
    shared = {"body": "We all met.", "contacts": [firm.id, person]}
    both = _made(client.post("/api/v1/interactions", json=shared))["id"]
    secret = AudienceSpec("private", users=frozenset({anna.id}))
    with db.transaction() as session:
        write_interaction(
            session.get_one(type(firm), person),
            author=session.get_one(User, anna.id),
            body=f"{MARK}, between us.",
            audience=secret,
        )
        session.get_one(Interaction, both).author_name = NAME
    file = {"file": (io.BytesIO(PDF), f"{MARK}.pdf"), "contact": person}
    _made(client.post("/api/v1/documents", data=file | {"audience": "staff"}))
    ask = {"contact": person, "subject": MARK, "body": MARK}
    _made(client.post("/api/v1/tickets", json=ask))
    later = {"text": MARK, "due_at": "2026-03-01T08:00:00Z", "interaction": own}
    _made(client.post("/api/v1/follow-ups", json=later))
    double = make_contact(f"{MARK} A.", kind="person", tags=[f"{MARK} too"])
    with db.transaction() as session:
        both_of = [session.get_one(Contact, one) for one in (person, double.id)]
        merge(*both_of, actor=None)
    with db.read_only() as session:
        whole = session.get_one(Contact, person)
        session.expunge_all()
    account = make_user(NAME, email=MAIL, kind="customer", contact=firm, person=whole)
    with db.transaction() as session:
        _rest(session, person, firm.id, account.id, own, both, anna.id)
    return Held(whole, firm, chief, anna, account, both, own)


def _key(number: int) -> dict[str, str]:
    return {"Idempotency-Key": f"key-{number}"}


def _made(answer: Any) -> Any:
    assert answer.status_code == 201, answer.text
    return answer.json


def _rest(
    session: Any, person: int, firm: int, account: int, own: int, both: int, anna: int
) -> None:
    """What comes about by itself in a house that is lived in."""
    open_session(session.get_one(User, account), days=1)
    handed = HandOver(contact_id=person, giver_id=anna, receiver_id=anna, word=MARK)
    meeting = Meeting(interaction_id=own, uid="1@x", title=MARK, place=MARK, text=MARK)
    with_firm = Meeting(interaction_id=both, uid="2@x", title="Lunch")
    for one, at in ((meeting, 1), (with_firm, 2)):
        guest = Attendee(
            contact_id=person,
            address=MAIL,
            name=NAME,
            seal=f"seal{at}{MARK}",
            secret_hash=f"hash{at}{MARK}",
        )
        one.guests.append(guest)
    # Invited by address, before they were a contact.
    by_address = Attendee(address=MAIL.upper(), name=NAME, seal="s", secret_hash="t")
    with_firm.guests.append(by_address)
    order = Order(
        number="SO-1",
        contact_id=person,
        currency="EUR",
        ship_to={"name": NAME, "street": MARK},
        placed_by_id=account,
        placed_at=now(),
    )
    run = ImportRun(
        kind="contacts",
        source="old",
        file_name="people.csv",
        file_hash="0" * 64,
        by_id=anna,
        table={"headings": ["Name"], "rows": [[NAME]]},
        choices={"cells": {"1": NAME}},
        found={"samples": [NAME]},
    )
    kept = KeptDossier(
        user_id=anna, contact_id=person, wanted={"q": MARK}, ending="pdf"
    )
    session.add_all([handed, meeting, with_firm, order, run, kept])
    session.add(PasswordRequest(email=MAIL, address="127.0.0.1"))
    session.add(JobRun(name="x", next_run=now(), error=f"failed at {MAIL}"))
    told = {"user_id": anna, "kind": "x", "text": f"{NAME} called."}
    session.add(Notification(key="a", about="contact", about_id=person, **told))
    session.add(Notification(key="b", **told))
    session.add(SavedView(user_id=anna, name=NAME, asked={"q": NAME}))
    session.add(SavedSearch(user_id=anna, text=f"pump {NAME}"))
    session.add(Presence(about="contact", about_id=person, user_id=anna, seen_at=now()))
    session.flush()
    session.add(ImportRefusal(run_id=run.id, line=2, reason=NAME, row={"a": NAME}))
    session.add(
        ImportEntry(run_id=run.id, ref=f"contact/{person}", created=True, version=1)
    )
    session.add(
        ImportKey(source="old", kind="contacts", key=MARK, ref=f"contact/{person}")
    )
    queue_mail(
        [MAIL],
        words=from_text(MARK, f"Dear {NAME}", language="en"),
        author_id=anna,
        attachments=[Attachment("0" * 64, f"{MARK}.pdf", "application/pdf")],
    )


def stuff(held: Held) -> dict[str, int]:
    """Put the mark into every personal column of the person's rows; give how many.

    A new plugin's personal column is among them without a line here. A table without
    a row of the person is one that `hold_everything` forgets.
    """
    only = {"contact": held.person.id, "user": held.account.id}
    found = {}
    with db.transaction() as session:
        for table in personal_tables():
            where: sa.ColumnElement[bool] = sa.true()
            if table.name in only:
                where = table.c.id == only[table.name]
            if table.name == "interaction":
                where = table.c.id != held.shared
            if table.name == "interactions_meeting":
                where = table.c.interaction_id != held.shared
            keys = list(table.primary_key.columns)
            rows = session.execute(sa.select(*keys).where(where)).all()
            found[table.name] = len(rows)
            for n, row in enumerate(rows):
                mine = sa.and_(*(k == v for k, v in zip(keys, row, strict=True)))
                values = {
                    one: _marked(one, n)
                    for one in personal_columns(table)
                    if not one.primary_key and one.name not in _FOUND_BY
                }
                if values:
                    statement = sa.update(table).where(mine).values(values)
                    session.execute(statement.execution_options(unrecorded=True))
        # The worker is slow today: it hears of all that later.
        event = table_of(Event)
        assert session.scalar(sa.select(sa.func.count()).select_from(event))
    return found


# Words by which the person is known in others' rows have to stay as they are.
_FOUND_BY = {"name", "emails", "phones", "address", "email", "author_name"}


def _marked(column: sa.Column[Any], n: int) -> Any:
    if isinstance(column.type, sa.JSON):
        # In the shape its readers expect: a list where that is its default.
        default = emptied(column)
        return [NAME] if isinstance(default, list) else {"headings": [NAME]}
    return f"{NAME} {n}"[: getattr(column.type, "length", None)]


def where_is(mark: str) -> set[str]:
    """Read every cell of every table; name those that hold the mark."""
    found = set()
    with db.engine.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            # As the database has it, whatever our types make of it.
            whole = sa.select(sa.text("*")).select_from(sa.table(table))
            rows = connection.execute(whole)
            for row in rows.mappings():
                for column, value in row.items():
                    if isinstance(value, memoryview):
                        value = bytes(value)
                    if mark.lower() in str(value).lower():
                        found.add(f"{table}.{column}")
    return found


def joined(firm: int, person: int) -> int:
    """Count what joins the two."""
    query = sa.select(sa.func.count()).where(
        Affiliation.person_id == person, Affiliation.organisation_id == firm
    )
    return db.session.scalar(query) or 0

"""A house with secrets: records of every audience, and everybody who might read them.

`may_read` restates in plain words who reads what; nothing of the code under test
decides here what is right.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from core.app import CRM
from core.contacts.models import Affiliation, Contact
from core.db import db
from core.notifications.models import NotificationChoice
from core.testing.factories import make_contact, make_user
from core.users.defaults import ROLES
from core.users.models import ApiToken, User, UserKind
from core.users.services import ensure_role, ensure_team
from core.users.sessions import end_sessions, hash_secret
from plugins.interactions.following.models import Follow
from plugins.interactions.meetings.models import Attendee, CalendarFeed, Meeting
from tests.core.world import PDF, _with_cookie, _with_token

TEAM, OTHERS = "Sales", "Others"
# As many as a prime, so that one of them can check the others.
LETTERS = "bcdfghjklmnpqrtvw"
BASE = len(LETTERS)


@dataclass(frozen=True)
class Reader:
    """Somebody who comes: with a browser and with a program of theirs."""

    name: str
    kind: str = "nobody"
    role: str = ""
    user: User | None = None
    teams: frozenset[str] = frozenset()
    firm: int | None = None
    person: int | None = None
    # None is every contact; otherwise those their role reaches.
    reach: frozenset[int] | None = None
    page: Any = None
    program: Any = None

    def has(self, permission: str) -> bool:
        """Say whether their role gives a permission."""
        given = ROLES.get("sales" if self.role == "narrow" else self.role, ())
        return self.kind != "nobody" and ("*" in given or permission in given)


@dataclass
class Secret:
    """A record with a word of its own in it, and a plain one to look for it by."""

    of: str
    story: str
    audience: str
    word: str
    needle: str
    contact: int
    others: frozenset[int] = frozenset()
    named: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    shared_with: frozenset[int] = frozenset()
    trashed: bool = False
    changed: bool = False
    by_author: bool = True
    id: int = 0
    number: int = 0


# Stories of entries on which a follow-up hangs.
REMINDED = {
    "for its author",
    "for a colleague",
    "for a team",
    "shared with a firm",
    "trashed for colleagues",
    "then narrowed to a team",
    "then narrowed to its author",
}
PERMISSION = {
    "interactions": "interactions:read",
    "documents": "documents:read",
    "tickets": "support:read",
    "follow-ups": "interactions:read",
}


def may_read(reader: Reader, secret: Secret) -> bool:
    """Restate the rule: who may see an entry, a document, a ticket."""
    if not reader.has(PERMISSION[secret.of]):
        return False
    if secret.of == "follow-ups" and (reader.kind != "staff" or secret.trashed):
        # They are the house's own, and go with the entry they hang on.
        return False
    if reader.kind == "staff":
        places = {secret.contact, *secret.others}
        if reader.reach is not None and not places & reader.reach:
            return False
        if reader.name == "author" and secret.by_author:
            return True
        return {
            "private": reader.name in secret.named,
            # Single colleagues may be named beside the teams.
            "teams": bool(reader.teams & secret.teams) or reader.name in secret.named,
            "staff": True,
            "shared": True,
        }[secret.audience]
    own = {reader.firm, reader.person} - {None}
    if secret.trashed:
        return False
    return secret.audience == "shared" and bool(own & secret.shared_with)


@dataclass
class House:
    """Readers, secrets, and the contacts they are about."""

    app: CRM
    readers: list[Reader] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)

    def reader(self, name: str) -> Reader:
        """Give somebody by name."""
        return next(one for one in self.readers if one.name == name)


def make_house(app: CRM) -> House:
    """Make the contacts and the people, and no secret yet."""
    house = House(app)
    firms = {
        "A": make_contact("Ahvenisto Oy", roles=["customer"]),
        "B": make_contact("Byggnad Ab", roles=["customer"]),
        "C": make_contact("Cortex Oy", roles=["customer"]),
        "V": make_contact("Vaasan Venttiili Oy", roles=["vendor"]),
    }
    person = make_contact("Pirjo Ahvenisto", kind="person")
    house.ids = {name: one.id for name, one in firms.items()} | {"P": person.id}
    with db.transaction() as session:
        ensure_role("narrow", ROLES["sales"], reach="own")
        ensure_team(TEAM)
        ensure_team(OTHERS)
        session.add(Affiliation(person_id=person.id, organisation_id=firms["A"].id))
    _staff(house)
    house.ids["author"] = _id_of(house.reader("author"))
    outside: list[tuple[str, UserKind, str, Contact | None]] = [
        ("customer of A", "customer", "A", None),
        ("person of A", "customer", "A", person),
        ("customer of B", "customer", "B", None),
        ("vendor", "vendor", "V", None),
    ]
    for name, kind, firm, who in outside:
        user = make_user(name.title(), kind=kind, contact=firms[firm], person=who)
        _add(house, name, user, kind, firm=firms[firm].id, person=who and who.id)
    client = app.test_client()
    house.readers.append(Reader("anonymous", page=client, program=client))
    _add_revoked(house)
    _have_all_told(house)
    return house


def _have_all_told(house: House) -> None:
    """Have everybody follow every contact, and want all news by mail at once.

    Also those who may not: a row in a table gives nobody a right.
    """
    with db.transaction() as session:
        for one in house.readers:
            if one.user is None:
                continue
            session.add(NotificationChoice(user_id=one.user.id, kind="", way="now"))
            for name in ("A", "B", "C", "V", "P"):
                contact = house.ids[name]
                follow = Follow(user_id=one.user.id, contact_id=contact, wanted=True)
                session.add(follow)


def _id_of(reader: Reader) -> int:
    assert reader.user is not None
    return reader.user.id


def _add(house: House, name: str, user: User, role: str, **more: Any) -> None:
    reader = Reader(
        name,
        user.kind,
        role,
        user,
        page=_with_cookie(house.app, user),
        program=_with_token(house.app, user, "*"),
        **more,
    )
    with db.transaction() as session:
        secret = hash_secret(f"feed-{user.id}")
        session.add(CalendarFeed(user_id=user.id, secret_hash=secret, ending="x"))
    house.readers.append(reader)


def _staff(house: House) -> None:
    people = {
        "author": ("sales", [TEAM]),
        "named colleague": ("sales", []),
        "same team": ("sales", [TEAM]),
        "other team": ("support", [OTHERS]),
        "without a team": ("sales", []),
        "admin": ("admin", []),
        "owner of A": ("narrow", [TEAM]),
        "owner of nothing": ("narrow", [TEAM]),
    }
    for name, (role, teams) in people.items():
        user = make_user(name.title(), roles=[role], teams=teams)
        reach = None
        if role == "narrow":
            reach = frozenset({house.ids["A"]} if name == "owner of A" else ())
        _add(house, name, user, role, teams=frozenset(teams), reach=reach)
    with db.transaction() as session:
        owner = house.reader("owner of A").user
        session.get_one(Contact, house.ids["A"]).owner_id = owner.id if owner else None


def _add_revoked(house: House) -> None:
    user = make_user("Rita Revoked", roles=["admin"], teams=[TEAM])
    page, program = _with_cookie(house.app, user), _with_token(house.app, user, "*")
    with db.transaction() as session:
        end_sessions(session.get_one(User, user.id))
        session.execute(sa.delete(ApiToken).where(ApiToken.user_id == user.id))
    house.readers.append(Reader("revoked", user=user, page=page, program=program))


# -- The secrets -----------------------------------------------------------------------


def hide(house: House) -> None:
    """Write one record of each kind for each story an audience can have."""
    for of in ("interactions", "documents", "tickets"):
        for story, readers in _stories(house).items():
            if of == "tickets" and story.startswith(("trashed", "then")):
                # Who reads a ticket changes only by answering; it has no trash.
                continue
            _write(house, of, story, readers)
    named = house.reader("named colleague").user
    assert named is not None
    both = {"audience": "teams", "teams": [TEAM], "users": [named.id]}
    _write(house, "interactions", "for a team and a colleague", [both])
    _answers(house)


def _stories(house: House) -> dict[str, list[dict[str, Any]]]:
    """Name what becomes of a record: its readers at first, and each time later."""
    ids = house.ids
    named = house.reader("named colleague").user
    assert named is not None
    private = {"audience": "private", "users": [named.id]}
    teams = {"audience": "teams", "teams": [TEAM]}
    staff = {"audience": "staff"}
    firm = {"audience": "shared", "shared_with": [ids["A"]]}
    person = {"audience": "shared", "shared_with": [ids["P"]]}
    return {
        "for its author": [{"audience": "private"}],
        "for a colleague": [private],
        "for a team": [teams],
        "for colleagues": [staff],
        "shared with a firm": [firm],
        "shared with a person": [person],
        "trashed for colleagues": [staff],
        "trashed shared": [firm],
        "then narrowed to a team": [firm, teams],
        "then narrowed to its author": [firm, {"audience": "private"}],
        "then widened and back": [teams, staff, teams],
        "then shared and back": [private, firm, private],
    }


def _word(number: int) -> str:
    """Make a word that stands nowhere else and that no language bends.

    Its last letter checks the others, as in an ISBN: one letter that is another, or
    two that changed places, make none of these words, so that none is like another.
    """
    found = []
    for _ in range(3):
        number, rest = divmod(number, BASE)
        found.append(rest)
    assert number == 0, "more words than there are"
    weighed = sum(place * digit for place, digit in enumerate(found, 1))
    found.append(-weighed * pow(4, -1, BASE) % BASE)
    return "".join(LETTERS[one] for one in found)


def _new(house: House, of: str, story: str, readers: dict[str, Any]) -> Secret:
    serial = len(house.secrets) + 1
    named = {"author"}
    for one in house.readers:
        if one.user is not None and one.user.id in readers.get("users", ()):
            named.add(one.name)
    return Secret(
        of,
        story,
        readers["audience"],
        f"xqz{_word(serial)}",
        f"zxk{_word(serial)}",
        house.ids["A"],
        # Taking part in an entry gives nobody the right to read it.
        frozenset({house.ids["B"], house.ids["V"]} if of == "interactions" else ()),
        named=frozenset(named),
        teams=frozenset(readers.get("teams", ())),
        shared_with=frozenset(readers.get("shared_with", ())),
        trashed=story.startswith("trashed"),
        changed=story.startswith(("then", "trashed")),
    )


def _write(
    house: House, of: str, story: str, steps: list[dict[str, Any]], **more: Any
) -> Secret:
    secret = _new(house, of, story, steps[-1])
    client = house.reader("author").program
    text = f"{secret.needle} {secret.word}"
    made = _sent(client, secret, steps[0], text, more)
    secret.id, version = made["id"], made["version"]
    secret.number = made.get("number", 0)
    address = f"/api/v1/{of}/{secret.id}"
    follow_up = _remind(house, secret) if story in REMINDED else None
    for readers in steps[1:]:
        match = {"If-Match": f'"{version}"'}
        answer = client.patch(address, json=readers, headers=match)
        assert answer.status_code == 200, answer.text
        version = answer.json["version"]
    if secret.trashed:
        answer = client.delete(address, headers={"If-Match": f'"{version}"'})
        assert answer.status_code == 204, answer.text
    house.secrets += [secret, follow_up] if follow_up else [secret]
    if of == "interactions":
        _invite(house, secret)
    return secret


def _remind(house: House, entry: Secret) -> Secret | None:
    """Hang a follow-up on an entry: who reads the entry reads it too."""
    if entry.of != "interactions":
        return None
    serial = 4000 + entry.id
    word, needle = f"xqz{_word(serial)}", f"zxk{_word(serial)}"
    words = {"text": f"{needle} {word}", "due_at": "2026-01-01T08:00:00Z"}
    body = {**words, "interaction": entry.id, "contact": entry.contact}
    answer = house.reader("author").program.post("/api/v1/follow-ups", json=body)
    assert answer.status_code == 201, answer.text
    found = replace(entry, of="follow-ups", word=word, needle=needle)
    found.id = answer.json["id"]
    return found


def _invite(house: House, secret: Secret) -> None:
    """Ask everybody to an entry: being asked lets nobody read it."""
    with db.transaction() as session:
        meeting = Meeting(
            interaction_id=secret.id,
            uid=f"{secret.id}@x",
            title=f"{secret.needle} {secret.word}",
            # Over at once, so that nobody is written to.
            minutes=0,
        )
        for one in house.readers:
            if one.user is not None:
                guest = Attendee(
                    user_id=one.user.id,
                    address=one.user.email,
                    seal="x",
                    secret_hash=hash_secret(f"link-{secret.id}-{one.user.id}"),
                )
                meeting.guests.append(guest)
        session.add(meeting)


def _sent(
    client: FlaskClient,
    secret: Secret,
    readers: dict[str, Any],
    text: str,
    more: dict[str, Any],
) -> dict[str, Any]:
    address = f"/api/v1/{secret.of}"
    if secret.of == "documents":
        file = (io.BytesIO(PDF), f"{secret.word}.pdf")
        parts = {"file": file, "title": text, "contact": secret.contact}
        answer = client.post(address, data={**parts, **readers, **more})
    elif secret.of == "tickets":
        body = {"contact": secret.contact, "subject": text, "body": text}
        answer = client.post(address, json={**body, **readers, **more})
    else:
        contacts = [secret.contact, *sorted(secret.others)]
        body = {"contacts": contacts, "subject": text, "body": f"{text} #{secret.word}"}
        answer = client.post(address, json={**body, **readers, **more})
    assert answer.status_code == 201, (secret.story, answer.text)
    return dict(answer.json or {})


def _answers(house: House) -> None:
    """Answer and attach to what few may read; the answers are for the same few."""
    private = next(_of(house, "interactions", "for a colleague"))
    readers = _stories(house)["for a colleague"]
    _write(house, "interactions", "answer to it", readers, parent=private.id)
    _write(house, "documents", "attached to it", readers, interaction=private.id)
    ticket = next(_of(house, "tickets", "for a colleague"))
    secret = _new(house, "interactions", "note on its ticket", readers[0])
    words = {"kind": "note", "body": f"{secret.needle} {secret.word}"}
    address = f"/api/v1/tickets/{ticket.id}/messages"
    answer = house.reader("author").program.post(address, json=words)
    assert answer.status_code == 201, answer.text
    secret.id = answer.json["id"]
    house.secrets.append(secret)


def _of(house: House, of: str, story: str) -> Iterator[Secret]:
    return (one for one in house.secrets if (one.of, one.story) == (of, story))

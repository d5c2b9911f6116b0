"""Every audience × every door × every kind of reader: no word before wrong eyes.

The doors are tables in `leak_doors`, the rule is restated in `leak_world`; an address
that is read and stands in no table fails here.
"""

import re
from dataclasses import replace
from typing import Any

import pytest

from core.db import db
from core.events import acting
from core.permissions import door_of
from core.testing.mail import text_of
from core.users.models import User
from plugins.interactions.follow_ups.jobs import tell_due
from plugins.interactions.follow_ups.models import FollowUp
from plugins.support.models import Ticket
from plugins.support.services import change_ticket
from tests.core.leak_doors import (
    ask,
    asked,
    changed,
    in_a_table,
    lists,
    own,
    read,
    shown,
)
from tests.core.leak_world import House, Reader, Secret, hide, make_house, may_read

pytestmark = pytest.mark.soak_on_postgresql

COUNTS = [
    pytest.param(False, id="some"),
    pytest.param(True, id="every", marks=pytest.mark.soak),
]
# Who reads none of the secrets: to them nothing may change when they are written.
SHUT_OUT = ["customer of B", "vendor", "owner of nothing", "anonymous", "revoked"]
NAMES = {
    "interactions": "interaction",
    "documents": "documents.document",
    "tickets": "support.ticket",
    "follow-ups": "interactions.follow_up",
}
# Numbers, tokens and times differ between two answers that say the same.
NEVER, NEEDLE = 88888, "zxkzzzz"
VARIES = re.compile(r"[\w.+/=-]*\d[\w.+/:=-]*")


def alike(text: str) -> str:
    """Leave out of an answer what differs each time, and its head."""
    status = text.partition("\n")[0]
    if status.startswith(("401", "429")):
        # Somebody unknown who asks much is told to wait.
        return "unknown"
    body = text.partition("\r\n\r\n")[2]
    body = re.sub(r'(value|content)="[\w.-]{40,}"', "", body)
    return f"{status}\n{VARIES.sub('#', body)}"


@pytest.fixture
def house(app: Any) -> House:
    """The people and the contacts, without a secret."""
    return make_house(app)


def leaks(house: House, reader: Reader, text: str) -> list[str]:
    """Name the secrets that stand in a text and are not for this reader."""
    return [
        f"{one.of} {one.story}"
        for one in house.secrets
        if one.word in text and not may_read(reader, one)
    ]


def test_every_address_that_is_read_is_in_a_table_of_doors(app):
    addresses = {
        rule.endpoint: rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or set())
    }
    forgotten = {name: rule for name, rule in addresses.items() if not in_a_table(name)}
    assert forgotten == {}, (
        "add these to a table of tests/core/leak_doors.py, so that every audience is "
        "tried there with everybody"
    )
    assert all(door_of(app.view_functions[name]) for name in addresses)


@pytest.mark.timeout(600)
def test_no_word_comes_before_the_wrong_eyes(house, deliver):
    doors = list(lists(house))
    before = {
        (name, door): look(house.reader(name))
        for name in SHUT_OUT
        for door, look in doors
    }
    hide(house)
    give_away(house)
    deliver()
    wrong: list[str] = []
    for reader in house.readers:
        for door, look in doors:
            text = look(reader)
            found = leaks(house, reader, text)
            wrong += [f"{door} shows {reader.name}: {one}" for one in found]
            wrong += told_of(house, reader, door, text)
            was = before.get((reader.name, door))
            if was is not None and alike(was) != alike(text):
                said = difference(alike(was), alike(text))
                wrong.append(f"{door} changed for {reader.name}: {said}")
    assert wrong == [], "\n".join([f"{len(wrong)} wrong:", *wrong])
    check_what_is_seen(house)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", COUNTS)
def test_a_hidden_record_is_answered_as_one_that_never_was(house, deliver, every):
    hide(house)
    give_away(house)
    deliver()
    wrong: list[str] = []
    for reader in house.readers:
        never = {
            of: list(answers(house, reader, ghost).values())
            for of, ghost in ghosts(house).items()
        }
        for secret in tried(house, reader, every=every):
            found = answers(house, reader, secret)
            for at, (address, text) in enumerate(found.items()):
                shows = leaks(house, reader, text)
                wrong += [f"{address} shows {reader.name}: {one}" for one in shows]
                if may_read(reader, secret):
                    continue
                was, now = alike(never[secret.of][at]), alike(text)
                if was != now.replace(secret.needle, NEEDLE):
                    wrong.append(
                        f"{address} tells {reader.name} of {secret.of} "
                        f"{secret.story}: {difference(was, now)}"
                    )
    assert wrong == [], "\n".join([f"{len(wrong)} wrong:", *wrong])
    check_why(house)


def tried(house: House, reader: Reader, *, every: bool) -> list[Secret]:
    """Give the secrets to ask for; who is nobody meets a shut door at the first.

    Unless it is to be `every` one, each reader asks for a third of them, of each kind
    and story, and between them the readers ask for all.
    """
    if reader.kind == "nobody":
        return list({one.of: one for one in house.secrets}.values())
    begin = 0 if every else house.readers.index(reader) % 3
    ordered = sorted(house.secrets, key=lambda one: (one.of, one.story, one.id))
    return ordered[begin :: 1 if every else 3]


def ghosts(house: House) -> dict[str, Secret]:
    """Give a record of each kind that never was, and that nobody may read."""
    first = {one.of: one for one in reversed(house.secrets)}
    return {
        of: replace(
            one,
            id=NEVER,
            number=NEVER,
            needle=NEEDLE,
            story="never was",
            audience="private",
            named=frozenset(),
            by_author=False,
        )
        for of, one in first.items()
    }


def difference(one: str, other: str) -> str:
    """Name the first line in which two answers differ."""
    for left, right in zip(one.split("\n"), other.split("\n"), strict=False):
        if left != right:
            return f"{left.strip()[:150]!r} became {right.strip()[:150]!r}"
    return f"{len(one)} characters became {len(other)}"


def give_away(house: House) -> None:
    """Make a ticket somebody's who may not read it, so that the bell would ring."""
    author, other = house.reader("author").user, house.reader("other team").user
    assert author is not None
    assert other is not None
    for secret in house.secrets:
        if secret.of == "tickets" and secret.audience in {"private", "teams"}:
            with db.transaction() as session, acting(author.id):
                change_ticket(
                    session.get_one(Ticket, secret.id),
                    actor=session.get_one(User, author.id),
                    owner=session.get_one(User, other.id),
                )
        if secret.of == "follow-ups" and secret.audience in {"private", "teams"}:
            with db.transaction() as session, acting(author.id):
                session.get_one(FollowUp, secret.id).owner_id = other.id
    with db.transaction():
        tell_due()


def told_of(house: House, reader: Reader, door: str, text: str) -> list[str]:
    """Find what the feed of events names though it was never for this reader."""
    if not door.startswith(("/live", "/api/v1/events")):
        return []
    found = []
    for one in house.secrets:
        ref = f'"{NAMES[one.of]}/{one.id}"'
        if ref in text and not one.changed and not may_read(reader, one):
            found.append(f"{door} names {ref} ({one.story}) to {reader.name}")
    return found


def answers(house: House, reader: Reader, secret: Secret) -> dict[str, str]:
    """Ask everywhere for one secret: at its addresses, by search, by changing it."""
    found = {one: read(reader, one) for one in own(house, secret)}
    if not may_read(reader, secret):
        found |= {one: read(reader, one) for one in asked(house, secret)}
        found |= {what: shown(answer) for what, answer in changed(reader, secret)}
    return found


@pytest.mark.timeout(600)
def test_no_mail_tells_of_what_its_reader_may_not_read(house, mailbox, deliver):
    house.app.config["NOTIFICATIONS_MAIL_AFTER_MINUTES"] = 0
    revoked = house.reader("revoked").user
    assert revoked is not None
    with db.transaction() as session:
        # Signed out everywhere, they would still be a colleague; now they are not.
        session.get_one(User, revoked.id).active = False
    try:
        hide(house)
        give_away(house)
        for _round in range(3):
            deliver()
    finally:
        del house.app.config["NOTIFICATIONS_MAIL_AFTER_MINUTES"]
    readers = {one.user.email: one for one in house.readers if one.user is not None}
    wrong, told = [], set()
    for mail in mailbox.messages:
        [address] = [one.addr_spec for one in mail["To"].addresses]
        reader, text = readers[address], f"{mail['Subject']}\n{text_of(mail)}"
        wrong += [
            f"{reader.name} is mailed {one}" for one in leaks(house, reader, text)
        ]
        told |= {reader.name for one in house.secrets if one.word in text}
    assert wrong == []
    assert not told & set(SHUT_OUT)
    assert {"same team", "named colleague", "without a team"} <= told


def check_what_is_seen(house: House) -> None:
    """Whom a record is for finds it: hiding everything would be no answer."""
    lacking = []
    for reader in house.readers:
        if reader.kind == "nobody":
            continue
        for secret in house.secrets:
            if secret.trashed or not may_read(reader, secret):
                continue
            one = f"/api/v1/{secret.of}/{secret.id}"
            for address in (one, f"/api/v1/{secret.of}?limit=200"):
                if secret.word not in read(reader, address):
                    lacking.append(f"{address} hides {secret.story} of {reader.name}")
            if secret.of == "follow-ups":
                # Search finds what they hang on; they are in lists of their own.
                continue
            hits = ask(reader, f"/api/v1/search?q={secret.needle}").json
            if hits["total"] != len(hits["items"]) or not hits["total"]:
                lacking.append(f"search hides {secret} of {reader.name}: {hits}")
    assert lacking == []


def check_why(house: House) -> None:
    """The administrator learns who sees a private record, and not what it says."""
    admin = house.reader("admin")
    assert admin.user is not None
    for secret in house.secrets:
        ref = f"{NAMES[secret.of]}/{secret.id}"
        page = read(admin, f"/admin/why?user={admin.user.id}&record={ref}")
        assert page.startswith("200")
        assert leaks(house, admin, page) == [], secret

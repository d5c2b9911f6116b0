"""Every route × every kind of visitor: each door lets in whom it says, and no others.

The routes come from the application and what is expected from the door each one
declares, so a new route is tried without a line here.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from core.permissions import Door, door_of
from core.security import HEADERS
from tests.core.world import AUDIENCED, Visitor, World, make_world, place_of

pytestmark = pytest.mark.soak_on_postgresql

# Routes that ask for more than their door says: who still finds nothing, and why.
NARROWER: dict[str, str] = {
    "core.metrics": "numbers are for administrators, and do not exist for others",
    "admin.revoke_user_token": "the sample's token is another account's",
    "interactions.hand_over_acknowledge": "only who takes a customer over",
    "interactions.edit": "only its author changes an entry",
    "interactions.save": "only its author changes an entry",
    "interactions.trash": "only its author throws an entry away",
    "interactions.restore": "only its author takes an entry back",
    "interactions.take_back": "only its author takes it back",
    "support.take_back": "only its author takes it back",
    "interactions.invite": "only its author invites, and only to a meeting",
    "interactions.send_invitation": "only its author invites, and only to a meeting",
    "interactions.ask_to_call_off": "only its author calls a meeting off",
    "interactions.call_off": "only its author calls a meeting off",
    "interactions.take_back_invitation": "only its author takes it back",
}
# What is the same for everybody, and named by what is in it.
PICTURES = {"assets", "admin.logo"}
# Pages that a secret in their address opens.
LINKS = {"interactions.invitation", "interactions.answer_invitation"}
# 429 is for tokens that open nothing, when many of them come.
# For whom refusals are drawn as pages; the others save the time.
DRAWN = {"anonymous", "admin", "sales", "customer of ours", "vendor of ours"}
REFUSED = {401, 403, 404, 429}


@pytest.fixture
def world(app: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    """The house, in which from now on nothing is kept."""
    made = make_world(app)

    def forget(session: Session) -> None:
        session.flush()
        session.rollback()

    monkeypatch.setattr(Session, "commit", forget)
    return made


def routes(world: World) -> Iterator[tuple[Rule, str, Door]]:
    for rule in world.app.url_map.iter_rules():
        door = door_of(world.app.view_functions[rule.endpoint])
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method, door


def houses(rule: Rule) -> list[str]:
    places = {place_of(rule, name) for name in rule.arguments}
    if not places:
        return ["ours"]
    return ["ours", "theirs", *(["team"] if places & AUDIENCED else [])]


def address_of(world: World, rule: Rule, house: str) -> str:
    values = {}
    for name in rule.arguments:
        place = place_of(rule, name)
        assert place in world.samples[house], (
            f"{rule.rule}: add a sample record for {place!r} to tests/core/world.py, "
            "so that this route is tried with everybody"
        )
        values[name] = world.samples[house][place]
    return world.app.url_map.bind("localhost").build(rule.endpoint, values)


def call(visitor: Visitor, method: str, address: str) -> Any:
    assert visitor.client is not None
    headers = {} if visitor.name in DRAWN else {"Accept": "application/json"}
    if address == "/live":
        headers = {"Accept": "text/event-stream"}
    writes = address.startswith("/api/") and method != "GET"
    sent: dict[str, Any] = {"json": {}} if writes else {}
    answer = visitor.client.open(address, method=method, headers=headers, **sent)
    if visitor.cookie and answer.headers.get("Set-Cookie"):
        # Signed out, or in again: the next route meets the visitor as before.
        visitor.client.set_cookie("rapport", visitor.cookie)
    return answer


def verdict(
    visitor: Visitor, rule: Rule, method: str, door: Door, house: str, answer: Any
) -> str | None:
    """Say what is wrong with an answer, if anything is."""
    status = answer.status_code
    if status >= 500 and rule.endpoint != "core.readyz":
        return f"failed with {status}"
    for name, value in HEADERS.items():
        found = answer.headers.get(name)
        # What somebody uploaded is shut in further than our own pages.
        stricter = found == "no-referrer" or "sandbox" in (found or "")
        # A page with a secret in its address tells its origin alone.
        by_link = rule.endpoint.startswith("passwords.") or rule.endpoint in LINKS
        secret = by_link and found == "strict-origin"
        if found != value and not (stricter or secret):
            return f"lacks the header {name}"
    kept = answer.headers.get("Cache-Control", "")
    if (
        rule.endpoint not in PICTURES
        and "private" not in kept
        and "no-store" not in kept
    ):
        return f"may be kept by a cache: {kept!r}"
    to_sign_in = status in {302, 303} and "/sign-in" in answer.headers["Location"]
    if not visitor.passes(rule, door):
        ok = status in REFUSED or (status == 302 and to_sign_in)
        if visitor.kind in {"customer", "vendor"} and not rule.rule.startswith("/api"):
            ok = status == 404
        return None if ok else f"was let in with {status}"
    places = [place_of(rule, name) for name in rule.arguments]
    if not all(visitor.finds(place, house) for place in places):
        # A program whose words are wrong is told so before any record is looked for.
        told = {404, 422} if rule.rule.startswith("/api/") else {404}
        return None if status in told else f"learnt of a hidden record with {status}"
    if rule.endpoint in NARROWER and status in {403, 404}:
        return None
    if rule.rule.startswith("/portal") and visitor.kind == "staff" and status == 404:
        # Those who work here have no organisation to look after there.
        return None
    if status in REFUSED or (to_sign_in and rule.endpoint != "users.sign_out"):
        return f"was refused with {status}"
    return None


def settled(visitor: Visitor, rule: Rule, door: Door) -> set[str]:
    """Name the houses whose records say nothing more about a visitor than `ours`."""
    if not visitor.passes(rule, door):
        # The door is shut before any record is looked for.
        return {"theirs", "team"}
    return {"theirs"} if len(visitor.sees) == 2 else set()


@pytest.mark.timeout(600)
def test_every_door_lets_in_whom_it_says_and_no_others(world):
    wrong = []
    for rule, method, door in routes(world):
        for house in houses(rule):
            address = address_of(world, rule, house)
            for visitor in world.visitors:
                if house in settled(visitor, rule, door):
                    continue
                answer = call(visitor, method, address)
                said = verdict(visitor, rule, method, door, house, answer)
                answer.close()
                if said:
                    where = f"{method} {rule.rule} ({rule.endpoint}, {house})"
                    wrong.append(f"{where}: {visitor.name} {said}")
    assert wrong == [], "\n".join([f"{len(wrong)} wrong:", *wrong])

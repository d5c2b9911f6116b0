"""Every string that breaks programs, through every field of every form.

The forms are those that the pages draw for an administrator, a colleague, a customer
and a vendor, so a new field is tried without a line here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from core.dates import read_date
from core.db import now
from core.permissions import door_of
from tests.core.world import Visitor, World, make_world, place_of
from tests.faults.naughty import rounds
from tests.faults.page_parts import Form, Page, squeezed
from tests.faults.test_naughty import COUNTS, writable

pytestmark = pytest.mark.soak_on_postgresql

WHO = ("admin", "sales", "customer of ours", "vendor of ours")
# What a form carries for itself.
OWN = {"csrf_token"}
# Left as the page draws them, but for every fourth round: what one chooses from.
CHOSEN = {"hidden", "select", "checkbox", "radio"}
# Pages without a form, of what the house has none of.
UNDRAWN = {"admin.logo", "notifications.open_one"}
# Fields that are accepted though nothing is kept as it was typed, and why.
NOT_KEPT = {
    "admin.add_kind choices": "parted at its commas, of lines that have a name",
    "admin.change_kind choices": "parted at its commas, of lines that have a name",
    "interactions.write with": "names, parted at their commas",
    "interactions.save with": "names, parted at their commas",
    "contacts.selected tag": "without a ticked contact there is nobody to tag",
    "contacts.save label": "a label goes with its number or address",
    "contacts.create label": "a label goes with its number or address",
    "portal.quick_order_lines lines": "read line by line, and said of each",
    "portal.answer_purchase_order reason": "a reason goes with a moved date",
}
# Fields that a refusal need not show again, and why.
NOT_SHOWN = {
    "admin.add_kind choices": "a line without a name is no field, says the page",
    "admin.change_kind choices": "a line without a name is no field, says the page",
    "interactions.follow_up_snooze on": "a day from a calendar, in a menu of My day",
    "contacts.save label": "a label goes with its number or address",
    "contacts.create label": "a label goes with its number or address",
    "contacts.save tags": "parted at their commas, and shown with a blank after each",
    "contacts.create tags": "parted at their commas, and shown with a blank after each",
    "portal.put_in quantity": "one number beside one of many products",
}


def listed(one: "Drawn", name: str, table: dict[str, str]) -> bool:
    """Say whether a field of a form, whatever its line, is in a table above."""
    words = [part for part in name.split(".") if not part.isdigit()]
    return f"{one.endpoint} {words[-1]}" in table


@dataclass
class Drawn:
    """A form as one visitor's page draws it."""

    visitor: Visitor
    page: str
    form: Form
    endpoint: str

    @property
    def name(self) -> str:
        return f"{self.form.method} {self.endpoint} of {self.page}"

    @property
    def fields(self) -> list[dict[str, str]]:
        """What can be typed or chosen."""
        return [
            one
            for one in self.form.fields
            if one["name"] not in OWN and one["type"] not in {"file", "submit"}
        ]


@dataclass
class Keeping:
    """What would have been committed, of the last request."""

    texts: set[str] = field(default_factory=set)

    def forget(self, session: Session) -> None:
        """Write, and keep nothing."""
        session.flush()
        session.rollback()

    def take(self, session: Session, *_rest: object) -> None:
        """Note every text of every record that is about to be written."""
        for record in [*session.new, *session.dirty]:
            self._note(vars(record))

    def _note(self, value: Any) -> None:
        if isinstance(value, str):
            self.texts.add(squeezed(value))
        elif isinstance(value, dict):
            for one in value.values():
                self._note(one)
        elif isinstance(value, list | tuple):
            for one in value:
                self._note(one)


@pytest.fixture
def kept(app: Any) -> Keeping:
    return Keeping()


@pytest.fixture
def world(app: Any, kept: Keeping, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A house in which from now on nothing is kept, and failures are answered."""
    made = make_world(app)
    monkeypatch.setitem(app.config, "TESTING", False)
    monkeypatch.setattr(Session, "commit", lambda session: kept.forget(session))
    sa.event.listen(Session, "before_flush", kept.take)
    yield made
    sa.event.remove(Session, "before_flush", kept.take)


def drawn(world: World) -> list[Drawn]:
    """Find each form once, by where it goes and what it asks."""
    found: dict[Any, Drawn] = {}
    for visitor in world.visitors:
        if visitor.name not in WHO:
            continue
        for address in addresses(world, visitor):
            answer = visitor.client.get(address)  # type: ignore[union-attr]
            answer.close()
            if answer.status_code != 200 or answer.mimetype != "text/html":
                continue
            for form in Page(answer.text).forms:
                endpoint = goes_to(world, form, address)
                names = frozenset(one["name"] for one in form.fields)
                if endpoint and names - OWN:
                    one = Drawn(visitor, address, form, endpoint)
                    found.setdefault((endpoint, form.method, names), one)
    return list(found.values())


def addresses(world: World, visitor: Visitor) -> Iterator[str]:
    """Give the pages a visitor may open."""
    bound = world.app.url_map.bind("localhost")
    samples = world.samples["ours"] | {
        "first-hour/step": "house",
        "owner": "house",
        "settings/owner": "documents",
        "roles/role_id": 2,
        "teams/team_id": 1,
        "reset/secret": "x",
    }
    for rule in world.app.url_map.iter_rules():
        door = door_of(world.app.view_functions[rule.endpoint])
        quiet = rule.rule.startswith(("/api/", "/assets", "/live"))
        if quiet or "GET" not in (rule.methods or ()):
            continue
        if not visitor.passes(rule, door):
            continue
        places = {name: place_of(rule, name) for name in rule.arguments}
        if rule.endpoint in UNDRAWN:
            continue
        unknown = [one for one in places.values() if one not in samples]
        assert unknown == [], f"{rule.rule}: give samples of {unknown}"
        address = bound.build(rule.endpoint, {n: samples[p] for n, p in places.items()})
        yield address
        if rule.endpoint in {"interactions.new", "documents.new", "support.new"}:
            yield f"{address}?contact={samples['contacts/contact_id']}"


def goes_to(world: World, form: Form, address: str) -> str:
    path = urlsplit(form.action or address).path
    try:
        bound = world.app.url_map.bind("localhost")
        return str(bound.match(path, method=form.method.upper())[0])
    except HTTPException:
        return ""


def send(one: Drawn, typed: dict[str, str]) -> Any:
    """Send the form with what was typed, the rest as the page draws it."""
    sent: MultiDict[str, str] = MultiDict()
    for here in one.fields:
        unticked = here["type"] in {"checkbox", "radio"} and "checked" not in here
        if here["name"] in typed:
            sent.setlist(here["name"], [typed[here["name"]]])
        elif not unticked:
            sent.add(here["name"], here["value"])
    client: Any = one.visitor.client
    to = one.form.action or one.page
    if one.form.method == "get":
        answer = client.get(urlsplit(to).path, query_string=sent)
    else:
        answer = client.post(to, data=sent)
    if one.visitor.cookie and answer.headers.get("Set-Cookie"):
        client.set_cookie("rapport", one.visitor.cookie)
    return answer


def try_form(one: Drawn, kept: Keeping, turn: int, strings: list[str]) -> list[str]:
    """Fill every field, leave out what is refused until the rest is taken."""
    typed = {
        here["name"]: text
        for here, text in zip(one.fields, strings, strict=True)
        if writable(text) and (here["type"] not in CHOSEN or turn % 4 == 3)
    }
    wrong: list[str] = []
    for _attempt in range(6):
        kept.texts.clear()
        answer = send(one, typed)
        page = Page(answer.text if answer.mimetype == "text/html" else "")
        wrong += [f"{one.name}: {said}" for said in page.dangers()]
        if answer.status_code >= 500:
            return [
                *wrong,
                f"{one.name} fails with {answer.status_code}: {typed!r:.300}",
            ]
        if answer.status_code < 400:
            return wrong + not_kept(one, kept, page, typed)
        refused, said = reasons(one, page, typed, answer)
        if turn % 4 != 3:
            # With what one chooses from spoilt, it is no form of ours that was sent.
            wrong += said
        if not refused:
            return wrong
        typed = {name: text for name, text in typed.items() if name not in refused}
    return wrong


def reasons(
    one: Drawn, page: Page, typed: dict[str, str], answer: Any
) -> tuple[set[str], list[str]]:
    """Give the fields that a refusal marks, and what is wrong with the refusal."""
    if answer.status_code in {403, 404, 413, 428, 429}:
        return set(), []
    marked = {
        attrs.get("name", "")
        for _tag, attrs in page.tags
        if attrs.get("aria-invalid") == "true"
    }
    words = [attrs for _t, attrs in page.tags if "error" in attrs.get("class", "")]
    wrong = []
    if not words and not any(a.get("role") == "alert" for _t, a in page.tags):
        wrong.append(
            f"{one.name}: {answer.status_code} without a reason, {typed!r:.200}"
        )
    elif answer.status_code in {409, 422}:
        lost = [
            name for name, text in typed.items() if not retyped(page, name, text, one)
        ]
        if lost:
            wrong.append(f"{one.name}: a refusal loses what was typed in {lost}")
    return marked & set(typed), wrong


def retyped(page: Page, name: str, text: str, one: Drawn) -> bool:
    """Say whether a field shows again what was typed in it."""
    kind = next(here["type"] for here in one.fields if here["name"] == name)
    if kind in {*CHOSEN, "password"} or not text.strip():
        return True
    if one.form.method == "get" or listed(one, name, NOT_SHOWN):
        return True
    return any(
        # Lines without a number or an address move up, and their fields with them.
        squeezed(here["value"]) == squeezed(text)
        for form in page.forms
        for here in form.fields
    )


def not_kept(one: Drawn, kept: Keeping, page: Page, typed: dict[str, str]) -> list[str]:
    """Find what was accepted and neither kept nor, in a search, shown."""
    lost = []
    for name, text in typed.items():
        kind = next(here["type"] for here in one.fields if here["name"] == name)
        if not text.strip() or kind in {*CHOSEN, "password"}:
            continue
        if one.form.method == "get":
            # What is looked for is cut where no word is longer.
            there = len(text) > 100 or "\x00" in text or page.shows(text)
        else:
            there = squeezed(text) in kept.texts or is_number(text) or is_moment(text)
        if not there and not listed(one, name, NOT_KEPT):
            lost.append(f"{one.name}: {name} was accepted and is gone: {text!r:.60}")
    return lost


def is_moment(text: str) -> bool:
    """Say whether a text is a time in words, which is kept as a moment."""
    return read_date(text, now(), "en") is not None


def is_number(text: str) -> bool:
    """Say whether a text is a number, which is kept as one; however it is parted."""
    try:
        Decimal("".join(text.split()).replace(",", "."))
    except InvalidOperation:
        return False
    return True


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("every", COUNTS)
def test_every_field_of_every_form_keeps_or_refuses_every_string(world, kept, every):
    forms = drawn(world)
    assert len(forms) > 40
    wrong: list[str] = []
    for seed, one in enumerate(forms):
        for turn, strings in enumerate(
            rounds(len(one.fields), every=every, seed=seed, among=len(forms))
        ):
            wrong += try_form(one, kept, turn, strings)
    wrong = list(dict.fromkeys(wrong))
    assert wrong == [], "\n".join([f"{len(wrong)} wrong:", *wrong])

"""Every string that breaks programs, through every field of the API.

What is accepted is read back exactly (trimmed at its ends) and shown on its page as
text; what is refused names the field. The fields come from the API's description, so
a new one is tried without a line here, and a new operation asks for its start.
"""

import copy
import io
import json
import re
from decimal import Decimal
from typing import Any

import pytest

from plugins.interactions.meetings.wishes import lines, one_line
from tests.core.world import PDF
from tests.faults.api_house import House, make_house
from tests.faults.naughty import (
    NASTIEST,
    Operation,
    dotted,
    long_lists,
    look,
    operations,
    put,
    rounds,
)
from tests.faults.page_parts import Page

pytestmark = pytest.mark.soak_on_postgresql

COUNTS = [
    pytest.param(False, id="some"),
    pytest.param(True, id="every", marks=pytest.mark.soak),
]
BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
# What a program may send although no answer says it again, and why.
NOT_ANSWERED = {
    "interaction": "an attachment names what it hangs on only to readers of both",
    "reason": "it is told to our buyers on their page",
    "send": "an act, not a field",
    "back_orders": "a switch: the answer lists what comes later",
    "read": "an act, not a field",
    "accept": "an act, not a field",
    "done": "an act: the answer says when it was done",
    "confirm": "the name once more, so that nobody erases another by accident",
}


# Fields that name a record by its id, and those that are numbers as text.
REFERENCES = {"contact", "interaction"}
AMOUNTS = {"discount", "price"}

# What these are sent is one line of a list in their answer.
ANSWERED_IN = {
    "POST /api/v1/interactions/{interaction_id}/meeting/attendees": ("attendees", 0),
}


@pytest.fixture
def house(app: Any, api: Any, as_user: Any, monkeypatch: Any) -> House:
    """One record of everything, in earnest: a failure is answered, not raised."""
    monkeypatch.setitem(app.config, "TESTING", False)
    # Who is invited gets a mail; these wait, as no worker runs.
    sender = {"SMTP_HOST": "127.0.0.1", "MAIL_FROM": "crm@house.example"}
    app.config.update(sender, PUBLIC_URL="http://localhost")
    return make_house(api, as_user)


# What is sent by POST and still changes what was read.
VERSIONED = ("/attendees", "/merge", "/part", "/pin", "/restore")


def send(house: House, one: Operation, body: dict[str, Any]) -> Any:
    """Send a body, with the version that is there now where one is needed."""
    places = dict(house.places)
    if "purchase-orders" in one.path:
        places["key"] = 1
    if one.path.endswith("/erase"):
        places["contact_id"] = places["to_erase"]
    address = one.path.format(**places)
    headers = {}
    if one.method != "POST" or address.endswith(VERSIONED):
        read = address
        for end in VERSIONED:
            read = read.removesuffix(end)
        tag = house.client.get(read).headers.get("ETag")
        headers = {"If-Match": tag} if tag else {}
    if one.multipart:
        parts: dict[str, Any] = {
            name: [str(v) for v in value] if isinstance(value, list) else value
            for name, value in body.items()
        }
        parts["file"] = (io.BytesIO(PDF), "Prices.pdf")
        return house.client.open(address, method=one.method, data=parts)
    # As other programs write it: what is no ASCII as \u escapes, lone halves too.
    return house.client.open(
        address,
        method=one.method,
        data=json.dumps(body),
        content_type="application/json",
        headers=headers,
    )


def complain(house: House, one: Operation, said: str) -> None:
    house.wrong.append(f"{one.name}: {said}"[:400])


def try_round(house: House, one: Operation, turn: int, strings: list[str]) -> None:
    """Fill every field at once; leave out what is refused, until the rest is taken."""
    filled = dict(zip(one.fields, strings, strict=True))
    if one.multipart:
        # A form is sent as UTF-8, in which half a character cannot be written.
        filled = {at: s for at, s in filled.items() if writable(s)}
    while True:
        body = copy.deepcopy(house.starts[one.name](turn))
        for at, value in filled.items():
            put(body, at, value)
        answer = send(house, one, body)
        if answer.status_code < 400:
            check_answer(house, one, filled, answer)
            if turn % 3 == 0:
                check_pages(house, one, answer.json, filled)
            return
        refused = named_in(house, one, filled, answer)
        if not refused:
            return
        filled = {at: s for at, s in filled.items() if at not in refused}


def writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def named_in(
    house: House, one: Operation, filled: dict[Any, str], answer: Any
) -> list[Any]:
    """Give the fields that a refusal names; complain when it gives no reason."""
    body = answer.json or {}
    # A record that is not there, or not open, is not found wherever it is named.
    unknown = [at for at in filled if at[-1] in REFERENCES]
    if answer.status_code == 404 and unknown:
        return unknown
    said = f"{answer.status_code} {answer.text[:200]}"
    if answer.status_code >= 500 or answer.mimetype != "application/problem+json":
        complain(house, one, f"{said} for {list(filled.items())!r}"[:390])
        return []
    errors = body.get("errors", {})
    if not all(isinstance(v, list) and v and all(v) for v in errors.values()):
        complain(house, one, f"a reason is empty: {said}")
    refused = [at for at in filled if any(names(name, at) for name in errors)]
    if not refused and filled:
        shown = {dotted(at): s[:30] for at, s in filled.items()}
        complain(house, one, f"no field is named: {said} for {shown!r}")
    return refused


def names(error: str, at: tuple[Any, ...]) -> bool:
    """Say whether an error stands beside a field, or beside another of its line."""
    mine, said = [str(one) for one in at], error.split(".")
    together = min(len(mine), len(said))
    same_line = len(mine) > 1 and mine[:-1] == said[:-1]
    by_kind = mine[0] == said[0] and mine[-1] == said[-1]
    return mine[:together] == said[:together] or same_line or by_kind


def check_answer(
    house: House, one: Operation, filled: dict[Any, str], answer: Any
) -> None:
    """What was accepted is answered, and read again, as it was sent."""
    if answer.status_code == 204:
        return
    made = answer.json
    where = answer.headers.get("Location")
    again = house.client.get(where).json if where else made
    for at, sent in filled.items():
        for what in (made, again):
            found = look(what, (*ANSWERED_IN.get(one.name, ()), *at))
            if not sent.strip() or (not found and at[-1] in NOT_ANSWERED):
                # For nothing there may be a default.
                continue
            # What guests get goes into a calendar, which has no controls (RFC 5545).
            told = [one_line(sent), lines(sent)] if "/meeting" in one.path else []
            if not any(same(at, value, sent) or value in told for value in found):
                complain(house, one, f"{dotted(at)}: {sent!r:.90} became {found!r:.90}")
                break


def same(at: tuple[Any, ...], found: Any, sent: str) -> bool:
    """Say whether a value is what was sent, after what the manual says is tidied.

    Text loses the space at its ends; a contact's fields of one line take a space for a
    line break, the others "\\n"; an address of the web gets its "https://".
    """
    if isinstance(found, dict):
        # Whom an id names, who is answered with their name.
        found = found.get("id")
    if not isinstance(found, str):
        # A number, a day or a switch written as text; nothing for nothing.
        return (
            found is None
            or not sent.strip()
            or sent.strip().lower() in {str(found).lower(), json.dumps(found)}
            # "09" is nine.
            or (sent.strip().isdecimal() and int(sent) == found)
        )
    if at[-1] in AMOUNTS:
        # Ten per cent is 0.1 and 0.10.
        return Decimal(sent.strip()) == Decimal(found)
    sent = sent.strip()
    tidy = {sent, sent.replace("\r\n", "\n").replace("\r", "\n")}
    tidy.add(BREAKS.sub(" ", sent).strip())
    if at[-1] == "website":
        tidy.add(f"https://{sent}")
    return found in tidy


PAGES = {
    "contacts": ["/contacts/{id}", "/contacts/{id}/edit", "/contacts/{id}/changes"],
    "interactions": ["/interactions/{id}", "/interactions/{id}/edit"],
    "documents": ["/documents/{id}", "/documents/{id}/edit"],
    "tickets": ["/support/{number}"],
    "orders": ["/orders/{number}"],
    "purchase-orders": ["/purchase-orders/{number}"],
}
# What its pages show, whatever stands in it.
SHOWN = {
    "contacts name",
    "contacts given_name",
    "contacts family_name",
    "contacts job_title",
    "contacts next_step",
    "contacts street",
    "contacts city",
    "contacts address",
    "contacts number",
    "documents title",
    "tickets subject",
    "orders reference",
    "purchase-orders reference",
}
# Shown as Markdown, or on none of these pages.
FORMATTED = {"body", "know_first"}


def check_pages(
    house: House, one: Operation, made: Any, filled: dict[Any, str]
) -> None:
    """Look at the pages of what was made: the words are text there and nothing else."""
    shown = PAGES.get(one.path.split("/")[3])
    if not shown or not isinstance(made, dict) or "messages" in one.path:
        return
    texts = []
    for address in shown:
        if "{id}" in address and "id" not in made:
            return
        answer = house.browser.get(address.format(**made))
        if answer.status_code != 200:
            complain(house, one, f"{address} answers {answer.status_code}")
            continue
        page = Page(answer.text)
        texts.append(page)
        for said in page.dangers():
            complain(house, one, f"{address}: {said}")
    for at, sent in filled.items():
        if at[-1] in FORMATTED or not any(isinstance(v, str) for v in look(made, at)):
            continue
        key = f"{one.path.split('/')[3]} {at[-1]}"
        seen = any(page.shows(value) for page in texts for value in look(made, at))
        if not seen:
            house.unseen[key].append(sent[:60])


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("every", COUNTS)
def test_every_field_of_the_api_keeps_or_refuses_every_string(app, house, every):
    found = operations(app)
    unstarted = {one.name for one in found} - set(house.starts)
    assert unstarted == set(), "give these operations a start in this test"
    for seed, one in enumerate(found):
        for turn, strings in enumerate(rounds(len(one.fields), every=every, seed=seed)):
            try_round(house, one, turn, strings)
    house.wrong += [
        f"{key} is not shown as it is: {house.unseen[key]}"
        for key in SHOWN & set(house.unseen)
    ]
    wrong = list(dict.fromkeys(house.wrong))
    assert wrong == [], "\n".join([f"{len(wrong)} wrong:", *wrong])


def test_the_long_lists_are_there_or_it_is_said():
    if not long_lists():
        pytest.skip("naughty-strings is not there: set RAPPORT_TEST_DATA to its folder")
    assert len(long_lists()) > 600
    assert len(NASTIEST) >= 20

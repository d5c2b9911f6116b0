"""Strings that break programs where nobody types: addresses, heads, cookies, files.

And one page full of them in a real browser, where nothing of it may run.
"""

import csv
import io
from typing import Any
from urllib.parse import quote

import pytest

from core.db import db
from core.exporting import export_kinds, export_rows
from core.exporting.writers import WRITERS
from core.permissions import door_of
from core.testing.factories import (
    PASSWORD,
    make_contact,
    make_interaction,
    make_user,
)
from core.users.models import User
from tests.core.world import PDF, World, make_world
from tests.faults.naughty import NASTIEST, long_lists
from tests.faults.page_parts import Page

pytestmark = pytest.mark.soak_on_postgresql

SHORT = [one for one in NASTIEST if one and len(one) < 200 and "\ud800" not in one]
# A stream that does not end, and the readiness of a house without a worker.
SELF_CONTAINED = {"/live", "/readyz"}
NAMES = ("q", "cursor", "limit", "kind", "type", "page", "state", "team", "contact")


@pytest.fixture
def world(app: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    made = make_world(app)
    monkeypatch.setitem(app.config, "TESTING", False)
    return made


def judged(answer: Any, what: str) -> list[str]:
    """Say what is wrong with an answer to garbage: a failure, or what could run."""
    wrong = []
    if answer.status_code >= 500:
        wrong.append(f"{what} fails with {answer.status_code}")
    if answer.mimetype == "text/html":
        wrong += [f"{what}: {said}" for said in Page(answer.text).dangers()]
    answer.close()
    return wrong


def test_garbage_in_addresses_is_answered(world):
    chief = next(one.client for one in world.visitors if one.name == "admin")
    firm = next(one for one in world.visitors if one.name == "customer of ours")
    wrong = []
    rules = [
        one
        for one in world.app.url_map.iter_rules()
        if "GET" in (one.methods or ()) and one.rule not in SELF_CONTAINED
    ]
    for at, rule in enumerate(rules):
        door = door_of(world.app.view_functions[rule.endpoint])
        who: Any = firm.client if rule.rule.startswith("/portal") else chief
        assert door is not None
        for turn in range(6):
            text = SHORT[(at * 5 + turn * 7) % len(SHORT)]
            path = rule.rule
            for name in rule.arguments:
                kinds = (f"<{name}>", f"<int:{name}>", f"<path:{name}>")
                for one in kinds:
                    number = ["1", "0", "99999999999999999999"][turn % 3]
                    value = number if "int" in one else quote(text, safe="")
                    path = path.replace(one, value)
            asked = {
                name: SHORT[(at + turn + n) % len(SHORT)]
                for n, name in enumerate(NAMES)
            }
            chosen = asked if turn % 2 else {NAMES[turn % 3]: text}
            wrong += judged(who.get(path, query_string=chosen), f"{path} {chosen}")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_garbage_in_heads_and_cookies_is_answered(world):
    client: Any = next(o for o in world.visitors if o.name == "admin").client
    nobody = world.app.test_client()
    wrong = []
    heads = [
        "Accept-Language",
        "X-Request-Id",
        "User-Agent",
        "Accept",
        "If-None-Match",
        "If-Match",
        "Referer",
        "HX-Target",
        "HX-Request",
        "Range",
        "Last-Event-ID",
        "Authorization",
        "Idempotency-Key",
        "X-CSRFToken",
    ]
    for turn, text in enumerate(SHORT):
        # A head is one line of latin-1; what else it could hold the server refuses.
        plain = "".join(c for c in text if c.isprintable()) or "x"
        value = plain.encode().decode("latin-1")
        for at, name in enumerate(heads):
            head = {name: value}
            address = ("/", "/contacts", "/api/v1/me", "/sign-in")[(at + turn) % 4]
            answer = client.get(address, headers=head)
            wrong += judged(answer, f"{address} {head}")
        body = {"kind": "person", "name": "A"}
        key = {"Idempotency-Key": value}
        answer = client.post("/api/v1/contacts", json=body, headers=key)
        wrong += judged(answer, f"Idempotency-Key {value!r}")
        for cookie in ("rapport", "remember_token", "session"):
            nobody.set_cookie(cookie, quote(text))
            wrong += judged(nobody.get("/contacts"), f"cookie {text!r}")
    assert wrong == [], "\n".join(wrong)


def test_names_of_files_are_kept_and_sent_back_safely(app, api):
    chief = make_user("Ada Admin", roles=["admin"])
    client = api(chief)
    wrong = []
    for text in SHORT:
        file = (io.BytesIO(PDF), f"{text}.pdf")
        answer = client.post("/api/v1/documents", data={"file": file})
        wrong += judged(answer, f"upload {text!r}")
        if answer.status_code != 201:
            assert answer.json["errors"], text
            continue
        where = f"{answer.headers['Location']}/versions/1/file"
        sent = client.get(where)
        assert sent.status_code == 200
        head = sent.headers["Content-Disposition"]
        assert not {"\n", "\r"} & set(head)
        assert ".." not in head or "/" not in head.partition("filename")[2], head
        sent.close()
    assert wrong == [], "\n".join(wrong)


def test_what_is_written_to_a_spreadsheet_is_text_there(app, api):
    chief = make_user("Ada Admin", roles=["admin"])
    client = api(chief)
    strings = [*SHORT, *long_lists()[:300]]
    names = []
    for text in strings:
        body = {"kind": "organisation", "name": text}
        answer = client.post("/api/v1/contacts", json=body)
        if answer.status_code == 201:
            names.append(answer.json["name"])
    assert len(names) > 20
    with db.read_only() as session:
        user = session.get_one(User, chief.id)
        _known = user.permissions, user.team_ids, user.reach
        session.expunge_all()
    for form in ("csv", "xlsx", "json", "vcard"):
        out = io.BytesIO()
        kind = export_kinds(app)["contacts"]
        WRITERS[form](kind, export_rows(kind, user), out)
        if form == "csv":
            text = out.getvalue().decode("utf-8-sig")
            for row in csv.reader(io.StringIO(text)):
                assert not any(cell[:1] in set("=+@\t\r") for cell in row), row


@pytest.mark.browser
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_nothing_of_it_runs_in_a_browser(server, browser):
    hostile = [one for one in [*SHORT, *long_lists()] if "<" in one or "script" in one]
    hostile = [one for one in hostile if "\x00" not in one and one.isascii()]
    assert len(hostile) >= 5
    name = "<img src=x onerror=alert(9)>"
    chief = make_user(name, email="ada@example.com", roles=["admin"], password=PASSWORD)
    first = "\n\n".join(hostile)[:9000]
    firm = make_contact("</title><svg/onload=alert(8)>", know_first=first)
    for text in hostile:
        make_interaction(firm, author=chief, body=text, subject=text[:300])
    page = browser.new_context().new_page()
    seen: list[str] = []
    page.on("dialog", lambda one: (seen.append(one.message), one.dismiss()))
    page.on("pageerror", lambda one: seen.append(str(one)))
    page.on("console", lambda one: seen.append(one.text))
    page.on("request", lambda one: seen.append(one.url) if away(server, one) else None)
    server.sign_in(page, chief.email, PASSWORD)
    story = f"/interactions/timeline/{firm.id}"
    for path in (f"/contacts/{firm.id}", "/interactions", "/me", story):
        page.goto(f"{server.url}{path}")
        page.wait_for_timeout(400)
        # What waits for the pointer runs now.
        page.evaluate(
            "document.querySelectorAll('main *').forEach(e => e.dispatchEvent("
            "new MouseEvent('mouseover', {bubbles: true})))"
        )
    assert seen == []


def away(server: Any, request: Any) -> bool:
    """Say whether a request goes to somewhere that is not ours."""
    return not request.url.startswith((server.url, "data:", "blob:"))

"""The log: what it tells of a request, and what it never tells."""

import io
import json
import logging

import pytest

from core.db import db
from core.logs import JSONLines, TextLines, configure_logs
from core.testing.factories import PASSWORD, make_contact, make_user
from core.users.services import find_user
from core.users.sessions import create_token
from core.worker import deliver_due

SECRETS = {
    "name": "Wilhelmiina Ääninen",
    "address": "wilhelmiina.secret@example.com",
    "phone": "+358 40 7654321",
    "password": "hunter-two-and-three",
    "search": "zanzibarword",
    "note": "her marmalade allergy",
}


@pytest.fixture
def written():
    """Collect the log as a process would write it, in either form."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    streams = []

    def start(**more):
        stream = io.StringIO()
        configure_logs(stream, **more)
        streams.append(stream)
        return stream

    yield start
    root.handlers[:] = before
    root.setLevel(level)


def lines_of(stream):
    return [json.loads(one) for one in stream.getvalue().splitlines()]


@pytest.fixture(params=["json", "text"])
def form(request, monkeypatch):
    monkeypatch.setenv("RAPPORT_LOG_FORMAT", request.param)
    return request.param


def test_no_personal_data_reaches_the_log(make_app, sign_in_to, written, form):
    app = make_app(TESTING=False)
    with app.app_context():
        rep = make_user("Ad Min", roles=("admin",), password=PASSWORD)
        contact = make_contact("Kallion Vesijohto Oy")
        with db.transaction():
            _row, token = create_token(find_user(rep.email), scopes=["*"])
        browser = sign_in_to(app, rep)
        stream = written()
        program = app.test_client()
        program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        person = {
            "kind": "person",
            "name": SECRETS["name"],
            "emails": [{"address": SECRETS["address"], "label": "work"}],
            "phones": [{"number": SECRETS["phone"], "label": "work"}],
        }
        assert program.post("/api/v1/contacts", json=person).status_code == 201
        note = {"kind": "note", "body": SECRETS["note"], "contacts": [contact.id]}
        assert program.post("/api/v1/interactions", json=note).status_code == 201
        for wrong in (
            {"kind": SECRETS["name"], "name": ["x"], "emails": SECRETS["address"]},
            {"kind": "person", "name": SECRETS["name"] * 400},
            {SECRETS["name"]: SECRETS["note"]},
        ):
            assert program.post("/api/v1/contacts", json=wrong).status_code == 422
        program.post("/api/v1/contacts", data=SECRETS["note"] + "{")
        program.get(f"/api/v1/search?q={SECRETS['search']}")
        program.get(f"/api/v1/contacts/{2**70}?q={SECRETS['search']}")
        browser.get(f"/search?q={SECRETS['search']}")
        browser.get(f"/contacts?q={SECRETS['search']}&after={SECRETS['note']}")
        browser.get(f"/{SECRETS['search']}/{SECRETS['address']}")
        browser.post("/contacts", data={"name": SECRETS["name"], "kind": "person"})
        typed = {"email": SECRETS["address"], "password": SECRETS["password"]}
        browser.post("/sign-in", data=typed)
        forged = app.test_client()
        forged.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {SECRETS['search']}"
        forged.get("/api/v1/me", headers={"X-Request-Id": SECRETS["address"]})
        browser.post(
            "/admin/users",
            data={
                "email": rep.email,
                "name": SECRETS["name"],
                "password": SECRETS["password"],
            },
        )
        while deliver_due(app):
            continue
    told = stream.getvalue()
    assert "/api/v1/contacts" in told
    for what, secret in {**SECRETS, "token": token, "own": rep.email}.items():
        for written_as in (secret, secret.split()[0], secret.replace(" ", "%20")):
            if len(written_as) > 4:
                assert written_as not in told, what


def test_an_error_is_told_by_its_place_and_not_by_its_words(
    make_app, sign_in_to, written, monkeypatch
):
    monkeypatch.setenv("RAPPORT_LOG_FORMAT", "json")
    app = make_app(TESTING=False)

    def fail(*_args):
        raise ValueError(f"cannot read {SECRETS['address']}")

    with app.app_context():
        contact = make_contact(SECRETS["name"])
        browser = sign_in_to(app, make_user("Ad Min", roles=("admin",)))
        stream = written()
        monkeypatch.setattr("core.contacts.views.drawn_panels", fail)
        answer = browser.get(f"/contacts/{contact.id}")
    assert answer.status_code == 500
    request_id = answer.headers["X-Request-Id"]
    assert request_id in answer.text
    assert SECRETS["address"] not in stream.getvalue()
    error, request = lines_of(stream)[-2:]
    assert request_id in error["message"]
    assert error["error"][0] == "ValueError"
    assert any("test_logs.py" in one for one in error["error"])
    assert (request["request"], request["status"]) == (request_id, 500)


def test_a_request_is_one_line_with_its_rule_and_its_numbers(
    app, as_user, written, monkeypatch
):
    monkeypatch.setenv("RAPPORT_LOG_FORMAT", "json")
    user = make_user()
    contact = make_contact()
    browser = as_user(user)
    stream = written()
    answer = browser.get(f"/contacts/{contact.id}?q=word")
    (line,) = [one for one in lines_of(stream) if one["logger"] == "rapport.requests"]
    assert line["route"] == "/contacts/<int:contact_id>"
    assert (line["method"], line["status"], line["user"]) == ("GET", 200, user.id)
    assert 0 < line["statements"] < 40
    assert line["ms"] > 0
    assert line["request"] == answer.headers["X-Request-Id"]
    assert line["time"].endswith("Z")
    browser.get("/healthz")
    assert "/healthz" not in stream.getvalue()


def test_the_worker_tells_whom_it_delivered_what(app, written, monkeypatch):
    monkeypatch.setenv("RAPPORT_LOG_FORMAT", "json")
    make_contact(SECRETS["name"])
    stream = written()
    while deliver_due(app):
        continue
    found = [one for one in lines_of(stream) if one["message"] == "delivered"]
    assert found
    assert {"contact.created"} <= {t for one in found for t in one["types"]}
    assert all(one["attempts"] == 1 and one["subscriber"] for one in found)
    assert SECRETS["name"] not in stream.getvalue()


def test_a_line_feed_in_what_is_told_forges_no_line():
    record = logging.LogRecord("x", logging.INFO, "", 1, "a\nb %s", ("c\r\nd",), None)
    assert len(TextLines().format(record).splitlines()) == 1
    assert json.loads(JSONLines().format(record))["message"] == "a\nb c\r\nd"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("RAPPORT_LOG_FORMAT", "xml"), ("RAPPORT_LOG_LEVEL", "loud")],
)
def test_a_format_or_level_there_is_not_is_refused(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=variable):
        configure_logs(io.StringIO())


@pytest.mark.parametrize(
    ("usual", "chosen", "told"),
    [
        ("INFO", None, True),
        ("WARNING", None, False),
        ("WARNING", "INFO", True),
        ("INFO", "ERROR", False),
    ],
)
def test_a_command_tells_what_is_wrong_and_a_server_what_it_does(
    written, monkeypatch, usual, chosen, told
):
    monkeypatch.delenv("RAPPORT_LOG_LEVEL", raising=False)
    if chosen:
        monkeypatch.setenv("RAPPORT_LOG_LEVEL", chosen)
    stream = written(usual=usual)
    logging.getLogger("rapport.worker").info("delivered")
    assert ("delivered" in stream.getvalue()) is told

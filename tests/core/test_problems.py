"""Errors: a page for people, problem details for programs, and the truth for both."""

import logging
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Blueprint, request
from marshmallow import ValidationError, fields, validate
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable

from core import errors
from core.contacts.models import Contact
from core.db import db, make_engine
from core.permissions import public, signed_in
from core.problems import flatten
from core.schemas import ApiBlueprint, Schema
from core.testing.factories import make_contact, make_user
from core.testing.plugins import INSTALLED, make_plugin

NESTED = {"emails": {0: {"address": ["Not an address."]}}, "name": ["Missing."]}

RAISED = {
    "invalid": (errors.Invalid(errors=NESTED), 422),
    "bad": (errors.BadRequest(), 400),
    "unknown": (errors.NotSignedIn(), 401),
    "forbidden": (errors.Forbidden(), 403),
    "absent": (errors.NotFound(), 404),
    "conflict": (errors.Conflict(), 409),
    "large": (errors.TooLarge(), 413),
    "many": (errors.TooMany(retry_after=17), 429),
    "away": (errors.Unavailable(), 503),
    "integrity": (IntegrityError("INSERT", {}, ValueError("secret")), 409),
    "framework large": (RequestEntityTooLarge(), 413),
    "framework away": (ServiceUnavailable(), 503),
    "bug": (ZeroDivisionError("secret"), 500),
}

bp = Blueprint("probe", __name__)
api_bp = ApiBlueprint("probe_api", __name__)


class PersonSchema(Schema):
    address = fields.Email(required=True)


class ProbeSchema(Schema):
    name = fields.String(required=True)
    emails = fields.List(fields.Nested(PersonSchema))


@bp.post("/probe/<kind>")
@public
def fail(kind):
    raise RAISED[kind][0]


@bp.get("/probe/<kind>")
@public
def fail_to_show(kind):
    raise RAISED[kind][0]


@bp.get("/probe/stale")
@public
def stale():
    raise StaleDataError


@bp.post("/probe/form")
@signed_in
def form():
    return str(len(request.form))


@bp.get("/probe/number")
@signed_in
def number():
    wanted = Contact.id == request.args.get("n", type=int)
    db.session.scalar(sa.select(Contact.id).where(wanted))
    return "fine"


@api_bp.route("/probe/<kind>", methods=["GET"])
@public
def api_fail(kind):
    raise RAISED[kind][0]


@api_bp.route("/probe/stale", methods=["GET"])
@public
def api_stale():
    raise StaleDataError


@api_bp.route("/probe", methods=["POST"])
@signed_in
@api_bp.arguments(ProbeSchema)
@api_bp.response(200)
def api_form(_values):
    return {}


@pytest.fixture
def app_plugins():
    plugin = make_plugin(register_blueprints=lambda: [bp, api_bp])
    return (("probe", plugin),)


@pytest.fixture
def app_config():
    return {
        "PLUGINS_DISABLED": INSTALLED,
        "TESTING": False,
        "MAX_CONTENT_LENGTH": 2000,
    }


@pytest.fixture
def browser(as_user):
    return as_user(make_user("Anna Laine"))


@pytest.fixture
def program(api):
    return api(make_user("Anna Laine"))


def check_problem(answer, status, path):
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    body = answer.json
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["instance"] == path
    assert body["title"]
    assert body["detail"]
    assert "secret" not in answer.text
    assert "Content-Security-Policy" in answer.headers
    return body


@pytest.mark.parametrize("kind", sorted(RAISED))
def test_a_program_is_told_in_problem_details(program, kind):
    path = f"/api/v1/probe/{kind}"
    answer = program.get(path)
    body = check_problem(answer, RAISED[kind][1], path)
    if kind == "invalid":
        assert body["errors"] == {
            "emails.0.address": ["Not an address."],
            "name": ["Missing."],
        }
    if kind == "many":
        assert answer.headers["Retry-After"] == "17"
    if "away" in kind:
        assert int(answer.headers["Retry-After"]) > 0
    if body["status"] >= 500:
        assert body["request_id"] == answer.headers["X-Request-Id"]
    else:
        assert "request_id" not in body


@pytest.mark.parametrize("kind", sorted(RAISED))
def test_a_person_is_shown_a_page(browser, kind):
    answer = browser.post(f"/probe/{kind}")
    assert answer.status_code == RAISED[kind][1]
    assert answer.mimetype == "text/html"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert 'id="main"' in answer.text
    if answer.status_code >= 500:
        assert answer.headers["X-Request-Id"] in answer.text


@pytest.mark.parametrize(
    "accept", ["application/json", "application/problem+json", "text/event-stream"]
)
def test_a_page_answers_a_program_in_its_own_form(client, accept):
    answer = client.get("/probe/absent", headers={"Accept": accept})
    check_problem(answer, 404, "/probe/absent")


@pytest.mark.parametrize("accept", ["*/*", "text/html,*/*;q=0.1", "nonsense"])
def test_a_page_answers_everybody_else_with_a_page(client, accept):
    answer = client.get("/probe/absent", headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"


def test_a_save_that_comes_late_is_a_conflict_or_a_failed_precondition(
    browser, program
):
    assert browser.get("/probe/stale").status_code == 409
    check_problem(program.get("/api/v1/probe/stale"), 412, "/api/v1/probe/stale")


# -- What the framework refuses ----------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_an_unknown_address_is_not_found(client, browser, program, method):
    path = "/api/v1/nowhere"
    check_problem(client.open(path, method=method), 404, path)
    check_problem(program.open(path, method=method), 404, path)
    for one in (client, browser):
        answer = one.open("/nowhere", method=method)
        assert answer.status_code == 404
        assert "Page not found" in answer.text


def test_a_wrong_method_is_refused_with_the_right_ones(client, browser, program):
    path = "/api/v1/contacts"
    for one in (client, program):
        answer = one.put(path)
        check_problem(answer, 405, path)
        assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))
    answer = browser.delete("/contacts")
    assert answer.status_code == 405
    assert answer.mimetype == "text/html"
    assert "GET" in answer.headers["Allow"]
    # What the framework says is about requests; a person reads our own words.
    assert "This could not be understood" in answer.text
    assert "Method Not Allowed" not in answer.text


@pytest.mark.parametrize("came_from", ["http://localhost/contacts/new?kind=x", ""])
def test_a_refused_form_has_a_way_back_to_it(browser, came_from):
    refused = browser.post("/probe/conflict", headers={"Referer": came_from})
    there = '<a class="btn btn-primary" href="/contacts/new?kind=x" data-back>'
    assert (there in refused.text) == bool(came_from)
    elsewhere = {"Referer": "http://elsewhere.example/contacts/new?kind=x"}
    assert "data-back" not in browser.post("/probe/conflict", headers=elsewhere).text
    assert "data-back" not in browser.get("/nowhere", headers=elsewhere).text


def test_too_many_bytes_are_refused(browser, program):
    path = "/api/v1/probe"
    answer = program.post(path, json={"name": "x" * 3000})
    check_problem(answer, 413, path)
    answer = browser.post("/probe/form", data={"name": "x" * 3000})
    assert answer.status_code == 413
    assert "too large" in answer.text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("", "application/json", 422),
        ("[]", "application/json", 422),
        ("null", "application/json", 422),
        ('"text"', "application/json", 422),
        ("\xff\xfe", "application/json", 400),
        ("name=x", "application/x-www-form-urlencoded", 422),
        ("[" * 100_000, "application/json", 413),
        ("[" * 1500, "application/json", 400),
    ],
)
def test_a_body_that_is_no_object_is_refused(program, body, kind, status):
    path = "/api/v1/probe"
    answer = program.post(path, data=body.encode("latin-1"), content_type=kind)
    check_problem(answer, status, path)


def test_each_wrong_field_is_named_by_its_path(program):
    sent = {"emails": [{"address": "a@example.com"}, {"address": "a"}], "nmae": "x"}
    answer = program.post("/api/v1/probe", json=sent)
    body = check_problem(answer, 422, "/api/v1/probe")
    assert set(body["errors"]) == {"emails.1.address", "name", "nmae"}


def test_a_number_no_database_can_take_is_refused(browser):
    for number in (10**20, -(10**20), 10**400):
        assert browser.get(f"/probe/number?n={number}").status_code == 400
    assert browser.get(f"/contacts/{10**30}").status_code == 404


@pytest.mark.parametrize(
    ("given", "flat"),
    [
        ({"name": ["a", "b"]}, {"name": ["a", "b"]}),
        ({"json": {"lines": {2: {"sku": ["?"]}}}}, {"lines.2.sku": ["?"]}),
        ({"query": {"limit": ["?"]}}, {"limit": ["?"]}),
        ({"json": {"_schema": ["?"]}}, {"_schema": ["?"]}),
        ({"_schema": ["?"], "name": ["!"]}, {"_schema": ["?"], "name": ["!"]}),
        ({"json": {"json": ["?"]}}, {"json": ["?"]}),
        ({"name": "alone"}, {"name": ["alone"]}),
    ],
)
def test_messages_are_named_once_per_field(given, flat):
    assert flatten(given) == flat


# -- When everything fails ---------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "value", "said"),
    [
        (validate.Length(max=3), "four", "This is longer than 3 characters."),
        (validate.Length(min=0, max=3), "four", "This is longer than 3 characters."),
        (validate.Length(min=1, max=3), "", "Write between 1 and 3 characters."),
        (validate.Length(min=3), "no", "This is shorter than 3 characters."),
        (validate.Range(min=1), 0, "Write a number of 1 or more."),
        (validate.Range(max=5), 6, "Write a number of 5 or less."),
        (validate.Range(min=1, max=5), 6, "Write a number from 1 to 5."),
    ],
)
def test_a_limit_is_said_in_plain_words(app, check, value, said):
    with app.test_request_context(), pytest.raises(ValidationError) as refused:
        check(value)
    with app.test_request_context():
        assert flatten({"name": refused.value.messages}) == {"name": [said]}


def test_a_bug_is_logged_with_the_id_its_user_sees(browser, caplog):
    with caplog.at_level(logging.ERROR):
        answer = browser.get("/probe/bug")
    number = answer.headers["X-Request-Id"]
    assert f"request {number} failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert number in answer.text


def test_while_testing_a_bug_is_raised(make_app, app_plugins, app_config):
    app = make_app(app_plugins, **(app_config | {"TESTING": True}))
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/probe/bug")


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-DEF_12345", True), ("short", False), ("x" * 65, False), ("<script>", False)],
)
def test_a_request_id_of_the_proxy_is_kept_when_it_is_one(client, given, kept):
    answer = client.get("/healthz", headers={"X-Request-Id": given})
    assert (answer.headers["X-Request-Id"] == given) is kept


def test_without_its_database_the_server_says_so(app, browser, program, tmp_path):
    app.extensions["rapport_engine"].dispose()
    nowhere = f"sqlite:///{tmp_path}/no/such/folder/rapport.db"
    app.extensions["rapport_engine"] = make_engine(nowhere)
    answer = program.get("/api/v1/contacts")
    check_problem(answer, 503, "/api/v1/contacts")
    assert int(answer.headers["Retry-After"]) > 0
    page = browser.get("/contacts")
    assert page.status_code == 503
    assert "Try again in a moment." in page.text
    assert 'id="main"' in page.text
    assert app.test_client().get("/healthz").status_code == 200
    assert app.test_client().get("/readyz").status_code == 503


def test_a_host_that_is_not_ours_is_refused(make_app, app_plugins, app_config):
    app = make_app(app_plugins, **app_config, TRUSTED_HOSTS=["crm.example.com"])
    client = app.test_client()
    for address in ("/sign-in", "/nowhere", "/contacts"):
        answer = client.get(address, headers={"Host": "evil.example.com"})
        assert answer.status_code == 400, address
        assert "evil.example.com" not in answer.text
        assert "does not answer to this name" in answer.text
    path = "/api/v1/contacts"
    answer = client.get(path, headers={"Host": "evil.example.com"})
    check_problem(answer, 400, path)
    fine = client.get("/sign-in", headers={"Host": "crm.example.com"})
    assert fine.status_code == 200


# -- Nonsense in the address of every page -----------------------------------------

NAMES = (
    *("q", "view", "role", "owner", "tag", "kind", "type", "organisation", "contact"),
    *("before", "after", "cursor", "limit", "page", "next", "order", "teams", "sort"),
)
NONSENSE = (
    "",
    "nonsense",
    "-1",
    "0",
    str(10**30),
    "\x00",
    "\ud800",
    "WyJhIiwgImIiXQ",
    "W10",
    "e30",
    "bnVsbA",
    "WzEsMl0",
    "W3sidCI6ICJ4In0sIDFd",
    "WyJhIiwgMWU5OTld",
    "x" * 5000,
    "%00",
    "' OR 1=1 --",
    "Ω≈ç√∫",
)


def addresses(app, contact):
    """Give the address of everything one can get."""
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.endpoint.startswith(("probe", "assets")):
            continue
        if rule.endpoint in {"live.stream", "core.readyz"}:
            continue
        given = {
            name: contact.id if "Integer" in type(one).__name__ else "nothing"
            for name, one in rule._converters.items()
        }
        with app.test_request_context():
            yield rule.build(given)[1]


def ask_nonsense(app, browser, value, *queries):
    text = quote(value.encode("utf-8", "surrogatepass"))
    contact = make_contact()
    asked = [
        f"{address}?" + "&".join(f"{name}={text}" for name in names)
        for address in addresses(app, contact)
        for names in queries
    ]
    assert [one for one in asked if browser.get(one).status_code >= 500] == []


every_nonsense = pytest.mark.parametrize("value", NONSENSE, ids=range(len(NONSENSE)))


@every_nonsense
def test_no_page_breaks_on_nonsense_in_its_address(app, as_user, value):
    browser = as_user(make_user("Ad Min", roles=("admin",)))
    ask_nonsense(app, browser, value, NAMES, ["cursor"])


@pytest.mark.soak
@every_nonsense
def test_no_page_breaks_on_nonsense_in_any_argument(app, as_user, value):
    browser = as_user(make_user("Ad Min", roles=("admin",)))
    ask_nonsense(app, browser, value, *([name] for name in NAMES))

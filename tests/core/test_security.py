"""The door of the web: headers, CSRF, limits, cookies, hosts, sizes."""

import gzip
import json

import pytest
from flask import Blueprint

from core.permissions import public
from core.security import HEADERS
from core.testing.factories import PASSWORD, make_user
from core.testing.plugins import INSTALLED, make_plugin

bp = Blueprint("probe", __name__)


@bp.get("/probe/bug")
@public
def bug():
    raise RuntimeError("a bug with a secret in it")


@bp.get("/api/v1/probe/bug")
@public
def bug_for_programs():
    raise RuntimeError("a bug with a secret in it")


@bp.get("/probe/long")
@public
def long():
    return "A long page of words. " * 500


@bp.post("/probe/body")
@public
def body():
    return "taken"


def probe():
    return (("probe", make_plugin(register_blueprints=lambda: [bp])),)


@pytest.fixture
def app_plugins():
    return probe()


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED, "TESTING": False}


@pytest.fixture
def configured(make_app):
    """A guest's browser on an application with this configuration."""

    def make(**config):
        config = {"PLUGINS_DISABLED": INSTALLED, "TESTING": False} | config
        return make_app(probe(), **config).test_client()

    return make


def sign_in(client, user, **more):
    page = client.get("/sign-in", **more).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"email": user.email, "password": PASSWORD, "csrf_token": token}
    return client.post("/sign-in", data=form, **more)


# -- Headers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sign-in", 200),
        ("GET", "/", 302),
        ("GET", "/healthz", 200),
        ("GET", "/no-such-page", 404),
        ("GET", "/api/v1/no-such-thing", 404),
        ("GET", "/api/v1/contacts", 401),
        ("GET", "/api/v1/openapi.json", 200),
        ("GET", "/api/v1/docs", 200),
        ("POST", "/sign-in", 400),
        ("DELETE", "/sign-in", 405),
        ("OPTIONS", "/sign-in", 200),
        ("GET", "/probe/bug", 500),
        ("GET", "/api/v1/probe/bug", 500),
        ("GET", "/assets/x/app.css", 200),
        ("GET", "/assets/x/no-such.css", 404),
        ("GET", "/live", 401),
    ],
)
def test_every_answer_carries_the_headers_that_protect_it(client, method, path, status):
    headers = {"Accept": "text/event-stream"} if path == "/live" else {}
    answer = client.open(path, method=method, headers=headers)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert answer.headers.get_all(name) == [value], name
    assert len(answer.headers["X-Request-Id"]) >= 8


def test_the_policy_of_content_allows_no_inline_code_and_no_frame(client):
    policy = client.get("/sign-in").headers["Content-Security-Policy"]
    rules = dict(one.split(" ", 1) for one in policy.split("; "))
    assert rules["default-src"] == rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["object-src"] == "'none'"
    assert rules["form-action"] == "'self'"
    assert "unsafe" not in policy


def test_transport_security_is_announced_where_cookies_need_tls(configured):
    plain, safe = configured(), configured(SESSION_COOKIE_SECURE=True)
    assert "Strict-Transport-Security" not in plain.get("/healthz").headers
    announced = safe.get("/healthz").headers["Strict-Transport-Security"]
    assert announced.startswith("max-age=31536000")


def test_a_page_of_somebody_is_kept_by_no_cache_on_the_way(as_user, api):
    anna = make_user()
    for path in ("/me", "/no-such-page", "/contacts"):
        kept = as_user(anna).get(path).headers["Cache-Control"]
        assert kept == "private, no-store", path
    program = api(anna)
    assert program.get("/api/v1/me").headers["Cache-Control"] == "private, no-store"
    made = program.post("/api/v1/contacts", json={"kind": "person", "name": "Outi"})
    one = program.get(made.headers["Location"])
    assert one.headers["Cache-Control"] == "private, no-cache"


def test_a_stylesheet_is_kept_for_a_year_under_the_address_of_its_content(client):
    page = client.get("/sign-in").text
    address = page.split('<link rel="stylesheet" href="')[1].split('"')[0]
    kept = client.get(address).headers["Cache-Control"]
    assert "max-age=31536000" in kept
    assert "private" not in kept


def test_a_bug_tells_its_id_and_nothing_of_itself(client):
    asked = {"X-Request-Id": "of-the-proxy-1"}
    page = client.get("/probe/bug", headers=asked)
    assert "of-the-proxy-1" in page.text
    problem = client.get("/api/v1/probe/bug", headers=asked)
    assert problem.json["request_id"] == "of-the-proxy-1"
    for answer in (page, problem):
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("given", ["12345678", "a-b_c-d_e", "x" * 64])
def test_the_id_of_a_request_is_told_back(client, given):
    answer = client.get("/healthz", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "two words", "<b>bold</b>"])
def test_an_id_that_is_none_is_replaced(client, given):
    answer = client.get("/healthz", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] != given
    assert len(answer.headers["X-Request-Id"]) == 32


# -- Forged requests ---------------------------------------------------------------


def test_a_change_without_the_token_of_its_page_is_refused(app, client):
    anna = make_user(password=PASSWORD)
    sign_in(client, anna)
    form = {"language": "fi", "timezone": "UTC", "theme": "dark"}
    refused = client.post("/me", data=form)
    assert refused.status_code == 400
    assert "This form was open too long." in refused.text
    page = client.get("/me").text
    assert '<html lang="en"' in page
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    assert client.post("/me", data=form | {"csrf_token": token}).status_code == 303
    by_script = client.post("/me", data=form, headers={"X-CSRFToken": token})
    assert by_script.status_code == 303


def test_the_token_of_another_browser_is_refused(app, client):
    make_user(password=PASSWORD)
    stranger = app.test_client().get("/sign-in").text
    token = stranger.split('name="csrf_token" value="')[1].split('"')[0]
    client.get("/sign-in")
    form = {"email": "a@example.com", "password": PASSWORD, "csrf_token": token}
    assert client.post("/sign-in", data=form).status_code == 400


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_the_api_does_not_take_a_cookie_for_a_change_without_the_token(
    app, client, method
):
    sign_in(client, make_user(password=PASSWORD))
    assert client.get("/api/v1/me").status_code == 200
    path = "/api/v1/contacts" if method == "POST" else "/api/v1/contacts/1"
    answer = client.open(path, method=method, json={"kind": "person", "name": "x"})
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert client.get("/api/v1/contacts").json["items"] == []


def test_a_program_s_token_needs_no_other(api):
    sent = {"kind": "person", "name": "Outi Kallio"}
    assert api(make_user()).post("/api/v1/contacts", json=sent).status_code == 201


# -- Limits ------------------------------------------------------------------------


def test_too_many_requests_are_slowed_down_with_the_time_to_wait(configured):
    guest = configured(RATE_LIMIT="3 per minute")
    answers = [guest.get("/probe/long") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert [one.headers["X-RateLimit-Limit"] for one in answers] == ["3"] * 4
    left = [one.headers["X-RateLimit-Remaining"] for one in answers]
    assert left == ["2", "1", "0", "0"]
    assert answers[0].headers["X-RateLimit-Reset"].isdigit()
    waits = answers[3].headers.get_all("Retry-After")
    assert len(waits) == 1
    assert 0 < int(waits[0]) <= 61
    problem = guest.get("/api/v1/me")
    assert (problem.status_code, problem.json["status"]) == (429, 429)
    assert 0 < int(problem.headers["Retry-After"]) <= 61
    for name, value in HEADERS.items():
        assert problem.headers[name] == value


def test_the_window_ends(configured, clock):
    guest = configured(RATE_LIMIT="1 per minute")
    guest.get("/probe/long")
    refused = guest.get("/probe/long")
    assert refused.status_code == 429
    clock.shift(int(refused.headers["Retry-After"]) + 1)
    assert guest.get("/probe/long").status_code == 200


def test_one_address_does_not_use_up_another_s_limit(configured):
    guest = configured(RATE_LIMIT="1 per minute")
    other = guest.application.test_client()
    other.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert guest.get("/probe/long").status_code == 200
    assert guest.get("/probe/long").status_code == 429
    assert other.get("/probe/long").status_code == 200


def test_an_address_is_believed_from_a_proxy_only_where_there_is_one(configured):
    for proxies, status in ((0, 429), (1, 200)):
        guest = configured(RATE_LIMIT="1 per minute", PROXIES=proxies)
        guest.get("/probe/long", headers={"X-Forwarded-For": "192.0.2.7"})
        other = guest.get("/probe/long", headers={"X-Forwarded-For": "192.0.2.8"})
        assert other.status_code == status


def test_health_and_files_of_the_page_are_not_counted(configured):
    guest = configured(RATE_LIMIT="1 per minute")
    for _ in range(3):
        assert guest.get("/healthz").status_code == 200
        assert guest.get("/assets/x/app.css").status_code == 200


def test_a_body_that_is_too_large_is_refused(configured, app):
    guest = configured(MAX_CONTENT_LENGTH=1000)
    page = guest.post("/probe/body", data={"file": "x" * 2000})
    assert page.status_code == 413
    assert "too large" in page.text
    problem = guest.post(
        "/sign-in",
        data={"email": "x" * 2000},
        headers={"Accept": "application/json"},
    )
    assert problem.status_code == 413
    assert problem.json["title"] == "This is too large"
    assert problem.headers["X-Content-Type-Options"] == "nosniff"


def test_a_program_s_body_that_is_too_large_is_refused(make_app):
    from core.db import db
    from core.users.services import find_user
    from core.users.sessions import create_token

    app = make_app(MAX_CONTENT_LENGTH=1000, PLUGINS_DISABLED=INSTALLED)
    with app.app_context():
        anna = make_user()
        with db.transaction():
            _row, secret = create_token(find_user(anna.email), scopes=["*"])
        answer = app.test_client().post(
            "/api/v1/contacts",
            json={"kind": "person", "name": "x" * 2000},
            headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "k"},
        )
    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"


# -- Cookies and hosts -------------------------------------------------------------


def test_the_cookie_of_a_session_is_out_of_the_reach_of_scripts(client):
    answer = sign_in(client, make_user(password=PASSWORD))
    cookies = answer.headers.get_all("Set-Cookie")
    names = sorted(one.partition("=")[0] for one in cookies)
    assert names == ["rapport", "rapport_known"]
    for cookie in cookies:
        assert "; HttpOnly" in cookie
        assert "; SameSite=Lax" in cookie
        assert "; Path=/" in cookie
        assert "Secure" not in cookie


def test_over_tls_the_cookie_says_that_it_needs_it(configured, app):
    anna = make_user(password=PASSWORD)
    guest = configured(SESSION_COOKIE_SECURE=True)
    home = {"base_url": "https://localhost"}
    forged = sign_in(guest, anna, headers={"Referer": "https://evil.example/"}, **home)
    assert forged.status_code == 400
    answer = sign_in(guest, anna, headers={"Referer": "https://localhost/"}, **home)
    assert answer.status_code == 303
    assert all("; Secure" in one for one in answer.headers.get_all("Set-Cookie"))
    assert guest.get("/me", **home).status_code == 200


def test_a_cookie_signed_by_another_instance_opens_nothing(configured, app, client):
    anna = make_user(password=PASSWORD)
    foreign = configured(SECRET_KEY="of another instance")
    assert sign_in(foreign, anna).status_code == 303
    assert foreign.get("/me").status_code == 200
    value = foreign.get_cookie("rapport").value
    client.set_cookie("rapport", value)
    assert client.get("/me").status_code == 302
    assert client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("value", ["", "nonsense", "a.b.c", "\u00e4" * 20, "x" * 4000])
def test_a_cookie_that_is_none_opens_nothing_and_breaks_nothing(client, value):
    client.set_cookie("rapport", value)
    assert client.get("/me").status_code == 302
    assert client.get("/sign-in").status_code == 200


def test_a_host_that_is_not_ours_is_refused(configured):
    guest = configured(TRUSTED_HOSTS=["crm.example.com", ".house.example"])
    for host in ("crm.example.com", "crm.example.com:8000", "a.house.example"):
        assert guest.get("/sign-in", headers={"Host": host}).status_code == 200
    for host in ("evil.example", "crm.example.com.evil.example", "xcrm.example.com"):
        answer = guest.get("/sign-in", headers={"Host": host})
        assert answer.status_code == 400
        assert host not in answer.text
        assert answer.headers["X-Frame-Options"] == "DENY"
        problem = guest.get("/api/v1/me", headers={"Host": host})
        assert problem.status_code == 400
        assert problem.content_type == "application/problem+json"


def test_the_name_a_proxy_forwards_is_checked_too(configured):
    guest = configured(TRUSTED_HOSTS=["crm.example.com"], PROXIES=1)
    told = {"Host": "crm.example.com", "X-Forwarded-Host": "evil.example"}
    assert guest.get("/sign-in", headers=told).status_code == 400


# -- Compression -------------------------------------------------------------------


def test_an_answer_is_compressed_for_who_asks(client):
    plain = client.get("/probe/long")
    assert "Content-Encoding" not in plain.headers
    packed = client.get("/probe/long", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    best = client.get("/probe/long", headers={"Accept-Encoding": "gzip, br"})
    assert best.headers["Content-Encoding"] == "br"
    assert len(best.data) < len(plain.data) / 10
    for answer in (packed, best):
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_the_api_and_its_description_are_compressed_too(client):
    asked = {"Accept-Encoding": "gzip"}
    answer = client.get("/api/v1/openapi.json", headers=asked)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.data))["openapi"] == "3.1.0"


# -- Numbers for monitoring --------------------------------------------------------


def test_the_numbers_are_for_administrators(client, as_user, api):
    chief = make_user("Ada Admin", roles=["admin"])
    anna = make_user("Anna Laine")
    assert client.get("/metrics").status_code == 302
    for who in (as_user(anna), api(anna), api(chief, "contacts:read")):
        assert who.get("/metrics").status_code == 404
    for who in (as_user(chief), api(chief)):
        answer = who.get("/metrics")
        assert answer.status_code == 200
        assert "rapport_deliveries_waiting " in answer.text
        assert "rapport_deliveries_parked 0.0" in answer.text
        assert answer.mimetype == "text/plain"

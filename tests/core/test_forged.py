"""Every change asks for the token of its page, whatever route it takes."""

import pytest
import sqlalchemy as sa

from core.db import db
from core.events import Event
from core.testing.factories import make_user
from tests.core.test_matrix import address_of, routes
from tests.core.world import make_world

# A mail program presses it and has seen no page: its address is the secret (RFC 8058).
BY_MAIL = "/unsubscribe/<token>"

pytestmark = pytest.mark.soak_on_postgresql


def counted():
    """Count the rows of every table: what has been added or taken away."""
    with db.read_only() as session:
        there = sa.inspect(session.connection()).get_table_names()
        return {
            name: session.scalar(sa.select(sa.func.count()).select_from(sa.table(name)))
            for name in there
        }


def test_no_route_takes_a_change_without_the_token_of_its_page(app, as_user):
    world = make_world(app)
    browser = as_user("chief@example.com")
    cookie = browser.get_cookie("rapport").value
    before = counted()
    with db.read_only() as session:
        last = session.scalar(sa.select(sa.func.max(Event.id)))
    taken = []
    for rule, method, _door in routes(world):
        if method == "GET" or rule.rule == BY_MAIL:
            continue
        address = address_of(world, rule, "ours")
        guest = app.test_client()
        guest.set_cookie("rapport", cookie)
        for sent in ({"data": {"csrf_token": "guessed"}}, {"json": {}}):
            answer = guest.open(address, method=method, **sent)
            if answer.status_code not in {400, 404}:
                taken.append(f"{method} {rule.rule}: {answer.status_code}")
            answer.close()
    assert taken == []
    assert counted() == before
    with db.read_only() as session:
        assert session.scalar(sa.select(sa.func.max(Event.id))) == last
    assert browser.get("/me").status_code == 200


def test_a_get_that_writes_says_so_and_no_other_does(app):
    found = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and getattr(app.view_functions[rule.endpoint], "writes", False)
    }
    # A link or an image of another site can make a browser send these.
    downloads = {"documents.download", "documents_api.read_file"}
    assert found <= downloads | {"notifications.open_one"}, found


def test_a_page_of_another_site_cannot_frame_or_read_a_page(as_user):
    browser = as_user(make_user(roles=["admin"]))
    for path in ("/", "/contacts", "/admin/users", "/no-such", "/api/v1/me"):
        answer = browser.get(path, headers={"Origin": "https://evil.example"})
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in answer.headers

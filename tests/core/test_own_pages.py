"""One's own pages: sign-ins in words, signing out elsewhere, tokens, places."""

import pytest

from core.db import db
from core.testing.factories import PASSWORD, make_user
from core.users.browsers import browser_words
from core.users.services import find_user
from core.users.sessions import open_session
from tests.core.contacts.reading import words_of

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0 Safari/537.36"
)
EDGE = f"{CHROME} Edg/126.0".replace("X11; Linux x86_64", "Windows NT 10.0")
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", password=PASSWORD)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (CHROME, "Chrome on Linux"),
        (EDGE, "Edge on Windows"),
        (PHONE, "Safari on iPhone"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
        (None, "Unknown browser"),
        ("<script>", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_words(app, agent, words):
    with app.test_request_context():
        assert browser_words(agent) == words


def elsewhere(user, agent=PHONE):
    with db.transaction():
        return open_session(
            find_user(user.email), days=1, address="203.0.113.9", browser=agent
        )


def test_sign_ins_are_listed_and_others_end_at_once(app, anna, as_user):
    elsewhere(anna)
    elsewhere(anna, CHROME)
    mika = make_user("Mika Koski")
    elsewhere(mika, EDGE)
    browser = as_user(anna)
    page = words_of(browser.get("/me/access").text)
    assert "Safari on iPhone" in page
    assert "203.0.113.9" in page
    assert "this browser" in page
    assert "Edge on Windows" not in page
    done = browser.post("/me/sessions/end-others", follow_redirects=True)
    assert "You are signed out everywhere else." in done.text
    page = words_of(browser.get("/me/access").text)
    assert "Safari on iPhone" not in page
    assert "this browser" in page
    assert "Edge on Windows" in words_of(as_user(mika).get("/me/access").text)


def test_a_wrong_password_is_said_beside_the_field(app, anna, as_user):
    form = {"old_password": "wrong", "new_password": "a longer one"}
    answer = as_user(anna).post("/me/password", data=form)
    assert answer.status_code == 422
    assert "The e-mail address or the password is not right." in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_a_token_is_shown_once_with_what_it_may_and_until_when(app, anna, as_user):
    browser = as_user(anna)
    form = {"name": "For the shop", "scopes": ["contacts:read"], "days": "30"}
    made = browser.post("/me/tokens", data=form).text
    secret = made.partition('value="rap_')[2].partition('"')[0]
    assert secret
    page = words_of(browser.get("/me/tokens").text)
    assert secret not in page
    assert "For the shop" in page
    assert "last used: never" in page
    refused = browser.post("/me/tokens", data=form | {"scopes": ["admin:system"]})
    assert refused.status_code == 422
    assert 'value="For the shop"' in refused.text


@pytest.mark.parametrize("kind", ["staff", "customer", "vendor"])
def test_everybody_has_all_of_their_own_places(app, as_user, kind):
    browser = as_user(make_user("Anna Laine", kind=kind))
    places = ("", "/access", "/tokens", "/notifications", "/changes")
    for place in places:
        page = browser.get(f"/me{place}")
        assert page.status_code == 200, place
        assert page.text.count('aria-current="page"') >= 1
        for other in places:
            assert f'href="/me{other}"' in page.text

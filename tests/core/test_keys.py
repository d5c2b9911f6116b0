"""Keys are one's own: switched off, changed, kept by the server."""

import json
import re
from html import unescape

import pytest

from core.testing.factories import make_user
from core.users.desk import KEYS


@pytest.fixture
def browser(app, as_user):
    return as_user(make_user("Anna Laine"))


def keys_of(browser):
    """Give what a page tells its scripts about keys."""
    found = re.search(r"data-keys='([^']*)'", browser.get("/contacts").text)
    return json.loads(unescape(found.group(1)))


def form(browser, **changes):
    page = browser.get("/me").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    usual = {f"key.{one}": one for one in KEYS}
    return {"csrf_token": token, "single": "1", **usual, **changes}


def test_a_new_account_has_the_usual_keys(browser):
    assert keys_of(browser) == {}
    assert "Single keys do something" in browser.get("/me").text


def test_keys_are_switched_off_and_on_again(browser):
    off = form(browser)
    del off["single"]
    assert browser.post("/me/keys", data=off).status_code == 303
    assert keys_of(browser) == "off"
    assert browser.post("/me/keys", data=form(browser)).status_code == 303
    assert keys_of(browser) == {}


def test_a_key_is_changed_and_another_left_out(browser):
    sent = form(browser, **{"key.n": "m", "key.x": ""})
    assert browser.post("/me/keys", data=sent).status_code == 303
    assert keys_of(browser) == {"n": "m", "x": ""}
    assert 'name="key.n" value="m"' in browser.get("/me/keys").text
    browser.post("/me/keys", data=form(browser, usual="1"))
    assert keys_of(browser) == {}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("no", "One letter or sign, or nothing."),
        ("e", "This key has two meanings."),
        ("\x07", "One letter or sign, or nothing."),
    ],
)
def test_what_is_no_key_is_refused_with_all_that_was_typed(browser, typed, said):
    sent = form(browser, **{"key.n": typed, "key.c": "w"})
    answer = browser.post("/me/keys", data=sent)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'name="key.c" value="w"' in answer.text
    assert keys_of(browser) == {}


def test_keys_are_nobody_elses(app, as_user, browser):
    browser.post("/me/keys", data=form(browser, **{"key.n": "m"}))
    assert keys_of(as_user(make_user("Mika Koski"))) == {}


def test_a_guest_has_no_keys_to_change(client):
    assert client.get("/me/keys").status_code in {302, 303, 401}

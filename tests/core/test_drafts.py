"""The server names a draft as arrived when its words are kept, and at no other time."""

import pytest

from core.drafts import COOKIE
from core.testing.factories import make_contact, make_user

DRAFT = "mabc12345xyz"


@pytest.fixture
def firm(app):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


def write(browser, firm, **changed):
    sent = {"contacts": firm.id, "body": "Called.", "audience": "staff"}
    answer = browser.post("/interactions", data={**sent, "draft": DRAFT, **changed})
    cookie = browser.get_cookie(COOKIE)
    return answer.status_code, cookie and cookie.value


def test_a_draft_whose_words_are_kept_is_named(firm, as_user):
    browser = as_user(make_user())
    assert write(browser, firm) == (303, DRAFT)
    cookie = browser.get_cookie(COOKIE)
    # The page reads it, no other site sends it, and it does not stay.
    assert (cookie.http_only, cookie.same_site, cookie.max_age) == (False, "Lax", 600)


def test_a_draft_that_was_refused_is_not_named(firm, as_user):
    assert write(as_user(make_user()), firm, body=" ") == (422, None)


def test_a_draft_of_somebody_whose_session_has_ended_is_not_named(firm, client):
    status, named = write(client, firm)
    assert status >= 400
    assert named is None


@pytest.mark.parametrize("name", ["", "short", "x" * 41, "a;b=cdefgh", "Äbcdefghij"])
def test_what_is_no_name_of_a_draft_is_not_repeated(firm, as_user, name):
    assert write(as_user(make_user()), firm, draft=name) == (303, None)

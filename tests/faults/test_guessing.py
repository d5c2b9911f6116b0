"""Somebody guesses passwords and tokens: they are slowed down, and nobody else is.

`RAPPORT_SOAK=1` guesses 10,000 times; else a few hundred.
"""

import os
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.db import db
from core.testing.factories import PASSWORD, make_user
from core.users import hashing, services
from core.users.guessing import GUESSES_FROM_EVERYWHERE, network_of
from core.users.models import FailedSignIn, UserSession
from core.users.sessions import forget_old_sign_ins

pytestmark = pytest.mark.soak_on_postgresql

WRONG = "wrong"
GUESSES = 10_000 if os.environ.get("RAPPORT_SOAK") else 300


@pytest.fixture
def hashed(monkeypatch):
    """Count the passwords that are hashed, and take no time for it."""
    seen = []

    def verify(stored, password):
        seen.append(password)
        return stored is not None and password == PASSWORD

    monkeypatch.setattr(services, "is_password", verify)
    return seen


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", email="anna@example.com", password=PASSWORD)


@pytest.fixture
def come(app):
    """A browser at an address, with the token of the sign-in form."""

    def come(address="127.0.0.1"):
        return Guest(app.test_client(), address)

    return come


class Guest:
    """Somebody at the sign-in form."""

    def __init__(self, client, address):
        self.client = client
        self.at(address)
        page = client.get("/sign-in").text
        self.csrf = page.split('name="csrf_token" value="')[1].split('"')[0]

    def at(self, address):
        self.client.environ_base["REMOTE_ADDR"] = address
        return self

    def guess(self, email="anna@example.com", password=WRONG, **more):
        form = {"email": email, "password": password, "csrf_token": self.csrf}
        return self.client.post("/sign-in", data=form, **more)

    def enter(self, email="anna@example.com"):
        answer = self.guess(email, PASSWORD)
        page = self.client.get("/me")
        if page.status_code == 200:
            token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
            self.client.post("/sign-out", data={"csrf_token": token})
            again = self.client.get("/sign-in").text
            self.csrf = again.split('name="csrf_token" value="')[1].split('"')[0]
        return answer.status_code


def rows():
    with db.read_only() as session:
        return session.scalar(sa.select(sa.func.count(FailedSignIn.id)))


def test_thousands_of_guesses_get_nowhere_and_the_owner_still_signs_in(
    hashed, anna, come
):
    laptop, thief = come("198.51.100.1"), come("203.0.113.9")
    assert laptop.enter() == 303
    hashed.clear()
    for number in range(GUESSES):
        status = thief.guess(password=f"guess {number}").status_code
        assert status == (422 if number < 10 else 429)
        if number % 100 == 0:
            assert laptop.enter() == 303
            # A browser she has never used, at an address where nobody guessed.
            assert come("198.51.100.77").enter() == 303
    assert len([one for one in hashed if one.startswith("guess")]) == 10
    assert thief.guess(password=PASSWORD).status_code == 429
    assert rows() == 10


def test_a_crowd_that_guesses_one_account_is_slowed_and_her_browser_is_not(
    hashed, anna, come
):
    laptop = come("198.51.100.1")
    assert laptop.enter() == 303
    crowd, met = come(), []
    for number in range(GUESSES):
        crowd.at(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}")
        met.append(crowd.guess().status_code)
    assert met.count(422) == GUESSES_FROM_EVERYWHERE
    assert set(met[GUESSES_FROM_EVERYWHERE:]) == {429}
    assert rows() == GUESSES_FROM_EVERYWHERE
    # From another address too: it is the browser that is known.
    assert laptop.at("192.0.2.55").enter() == 303
    other = make_user("Mika", email="mika@example.com", password=PASSWORD)
    assert come("192.0.2.56").enter(other.email) == 303


def test_a_known_browser_has_no_more_guesses_than_another(hashed, anna, come):
    laptop = come()
    assert laptop.enter() == 303
    met = [laptop.at(f"10.0.0.{n}").guess().status_code for n in range(12)]
    assert met == [422] * 10 + [429] * 2
    assert laptop.guess(password=PASSWORD).status_code == 429
    # What is counted against her browser is not held against anybody else.
    assert come("192.0.2.1").enter() == 303


def test_a_browser_is_known_for_the_account_that_signed_in_with_it(
    hashed, anna, come, make_app
):
    mika = make_user("Mika", email="mika@example.com", password=PASSWORD)
    thief = come("203.0.113.9")
    assert thief.enter(mika.email) == 303
    met = [thief.guess().status_code for _ in range(12)]
    assert met == [422] * 10 + [429] * 2
    value = thief.client.get_cookie("rapport_known", path="/sign-in").value
    for wrong in (value[:-4] + "AAAA", "", "x.y.z", "W10"):
        thief.client.set_cookie("rapport_known", wrong, path="/sign-in")
        assert thief.guess().status_code == 429
    foreign = make_app(SECRET_KEY="of another instance")
    elsewhere = Guest(foreign.test_client(), "192.0.2.9")
    assert elsewhere.enter() == 303
    minted = elsewhere.client.get_cookie("rapport_known", path="/sign-in").value
    thief.client.set_cookie("rapport_known", minted, path="/sign-in")
    assert thief.guess().status_code == 429


def test_one_address_that_tries_many_accounts_is_stopped(hashed, anna, come):
    thief = come("203.0.113.9")
    met = [thief.guess(f"user{n}@example.com").status_code for n in range(60)]
    assert met == [422] * 50 + [429] * 10
    assert come("198.51.100.1").enter() == 303


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_an_address_is_counted_as_the_network_of_one_customer(address, network):
    assert network_of(address) == network


def test_who_changes_addresses_within_a_network_is_one(hashed, anna, come):
    thief = come()
    met = [thief.at(f"2001:db8::{n:x}").guess().status_code for n in range(1, 14)]
    assert met == [422] * 10 + [429] * 3
    assert come("2001:db8:0:1::1").enter() == 303


def test_a_made_up_forwarded_address_changes_nothing(hashed, anna, come):
    thief = come("203.0.113.9")
    met = []
    for number in range(13):
        told = {"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": "for=10.1.1.1"}
        met.append(thief.guess(headers=told).status_code)
    assert met == [422] * 10 + [429] * 3


@pytest.mark.parametrize(
    "variant",
    ["ANNA@example.com", " anna@example.com ", "anna@EXAMPLE.com", "Anna@Example.Com"],
)
def test_another_spelling_is_the_same_account(hashed, anna, come, variant):
    thief = come("203.0.113.9")
    for number in range(10):
        thief.guess(variant if number % 2 else "anna@example.com")
    assert thief.guess(variant).status_code == 429
    assert thief.guess().status_code == 429


@pytest.mark.parametrize(
    "variant",
    ["ａnna@example.com", "anna@example.com\u200b", "an.na@example.com", "anna\x00@x"],
)
def test_what_only_looks_like_an_address_is_nobody_s(hashed, anna, come, variant):
    assert come().guess(variant, PASSWORD).status_code == 422


def test_an_unknown_account_costs_as_much_as_a_known_one(app, anna, come, monkeypatch):
    made = []
    verify = hashing._hasher.verify

    class Counting:
        def verify(self, stored, password):
            made.append(stored[:30])
            return verify(stored, password)

        def hash(self, password):
            return hasher.hash(password)

    hasher = hashing._hasher
    monkeypatch.setattr(hashing, "_hasher", Counting())
    closed = make_user("Gone", email="gone@example.com")
    guest = come()
    for email in ("anna@example.com", "nobody@example.com", closed.email):
        made.clear()
        assert guest.guess(email).status_code == 422
        assert len(made) == 1
    # The decoy is hashed by the same measure.
    assert made[0][:30] == hasher.hash("x")[:30]


def test_guessing_a_password_from_inside_is_slowed_too(hashed, anna, as_user):
    browser = as_user(anna)
    form = {"old_password": "wrong", "new_password": "a longer password"}
    met = [browser.post("/me/password", data=form).status_code for _ in range(12)]
    assert met == [422] * 10 + [429] * 2


def test_failures_are_forgotten_and_the_window_ends(hashed, anna, come, clock):
    thief = come()
    for _ in range(10):
        thief.guess()
    assert thief.enter() == 429
    clock.shift(timedelta(minutes=16))
    assert thief.enter() == 303
    clock.shift(timedelta(hours=2))
    with db.transaction():
        forget_old_sign_ins()
    assert rows() == 0


def test_the_database_is_free_for_others_while_a_password_is_hashed(
    anna, come, monkeypatch
):
    written = []

    def verify(stored, password):
        with db.transaction() as session:
            session.add(FailedSignIn(email_hash="x", address="x"))
        written.append(password)
        return False

    monkeypatch.setattr(services, "is_password", verify)
    assert come().guess().status_code == 422
    assert written == ["wrong"]


def test_guessed_tokens_are_slowed_down_and_right_ones_are_not(anna, app, api):
    program, thief = api(anna), app.test_client()
    thief.environ_base["REMOTE_ADDR"] = "203.0.113.200"
    met = []
    for number in range(70):
        wrong = {"Authorization": f"Bearer rap_{number}"}
        answer = thief.get("/api/v1/me", headers=wrong)
        assert answer.content_type == "application/problem+json"
        met.append(answer.status_code)
    assert met[:50] == [401] * 50
    assert met[-5:] == [429] * 5
    assert answer.headers["Retry-After"] == "60"
    assert program.get("/api/v1/me").status_code == 200
    with db.read_only() as session:
        assert session.scalar(sa.select(sa.func.count(UserSession.id))) == 0
    assert rows() == 0

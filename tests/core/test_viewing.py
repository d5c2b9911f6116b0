"""View as customer: what they see, and nothing of it can be touched."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db, make_engine
from core.events import Event
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import User
from core.users.services import ensure_role
from core.users.viewing import LASTS


@pytest.fixture
def firm():
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def outi(firm):
    return make_user("Outi Kallio", kind="customer", contact=firm)


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", roles=["sales"])


@pytest.fixture
def looking(as_user, anna, outi):
    """A browser in which Anna sees what Outi sees."""
    browser = as_user(anna)
    answer = browser.post(f"/view-as/{outi.id}")
    assert answer.status_code == 303, answer.text
    return browser


def test_a_colleague_sees_what_the_customer_sees_and_a_strip_above_it(
    as_user, anna, outi, firm
):
    shared = AudienceSpec("shared", shared_with=frozenset({firm.id}))
    entry = make_interaction(firm, author=anna, body="For you, Outi.", audience=shared)
    inside = make_interaction(firm, author=anna, body="Among us.")
    browser = as_user(anna)
    page = browser.get(f"/contacts/{firm.id}/portal-users").text
    assert "Outi Kallio" in page
    assert (
        f"/contacts/{firm.id}/portal-users" in browser.get(f"/contacts/{firm.id}").text
    )
    browser.post(f"/view-as/{outi.id}")
    assert browser.get("/").headers["Location"].startswith("/portal")
    seen = browser.get("/interactions").text
    assert "You see what Outi Kallio sees. Read only." in seen
    assert "For you, Outi." in seen
    assert "Among us." not in seen
    assert browser.get(f"/interactions/{entry.id}").status_code == 200
    assert browser.get(f"/interactions/{inside.id}").status_code == 404
    answer = browser.post("/view-as/stop")
    assert answer.headers["Location"] == f"/contacts/{firm.id}"
    page = browser.get(f"/contacts/{firm.id}").text
    assert "Among us." in page
    assert "Read only" not in page


def test_the_strip_speaks_the_language_of_who_looks(looking, anna, outi):
    with db.transaction() as session:
        session.get_one(User, anna.id).language = "fi"
        session.get_one(User, outi.id).language = "zh"
    page = looking.get("/portal").text
    assert '<html lang="zh"' in page
    assert "Näet saman kuin Outi Kallio" in page


def test_the_refusal_speaks_the_language_of_who_looks(looking, anna, outi):
    with db.transaction() as session:
        session.get_one(User, anna.id).language = "fi"
        session.get_one(User, outi.id).language = "zh"
    answer = looking.post("/portal/basket")
    assert answer.status_code == 409
    assert '<html lang="fi"' in answer.text
    assert "Katsot vain" in answer.text


def test_while_the_database_is_away_the_page_says_so(looking, app, tmp_path):
    app.extensions["rapport_engine"].dispose()
    nowhere = f"sqlite:///{tmp_path}/no/such/folder/rapport.db"
    app.extensions["rapport_engine"] = make_engine(nowhere)
    answer = looking.get("/portal")
    assert answer.status_code == 503
    assert "Try again in a moment." in answer.text
    assert 'id="main"' in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/interactions"),
        ("POST", "/me"),
        ("GET", "/me"),
        ("GET", "/notifications"),
        ("GET", "/live"),
        ("GET", "/api/v1/events"),
        ("GET", "/contacts"),
        ("POST", "/portal/basket"),
        ("POST", "/view-as/1"),
    ],
)
def test_who_only_looks_can_change_nothing_and_reads_nothing_personal(
    looking, outi, method, path
):
    answer = looking.open(path, method=method, data={"language": "fi"})
    assert answer.status_code == 409
    assert "only look" in answer.text


def test_that_somebody_looked_is_recorded(looking, anna, outi):
    with db.read_only() as session:
        facts = session.scalars(
            sa.select(Event).where(Event.type == "user.viewed_as")
        ).all()
        assert [(one.subject, one.actor_id) for one in facts] == [
            (f"user/{outi.id}", anna.id)
        ]


def test_signing_out_while_looking_ends_the_colleague_s_sign_in(looking):
    assert looking.post("/sign-out").status_code == 303
    assert looking.get("/portal").status_code == 302


def test_it_ends_by_itself(looking, clock):
    assert looking.get("/portal").status_code == 200
    clock.shift(LASTS + timedelta(seconds=1))
    over = looking.get("/portal")
    assert over.status_code == 404
    assert "You see your own pages again." in over.text
    assert looking.get("/contacts").status_code == 200
    clock.shift(timedelta(hours=1))
    assert "your own pages again" not in looking.get("/portal").text


def test_it_ends_with_the_right_to_it(looking, anna, outi):
    assert looking.get("/portal").status_code == 200
    with db.transaction() as session:
        session.get_one(User, outi.id).active = False
    assert looking.get("/contacts").status_code == 200
    with db.transaction() as session:
        session.get_one(User, outi.id).active = True
    assert looking.get("/contacts").status_code == 409
    with db.transaction() as session:
        role = session.get_one(User, anna.id).roles[0]
        role.permissions = [one for one in role.permissions if one != "users:view_as"]
    assert looking.get("/contacts").status_code == 200


def test_nobody_looks_as_a_colleague_or_past_what_they_may_see(
    app, as_user, anna, outi
):
    mika = make_user("Mika Salo")
    assert as_user(anna).post(f"/view-as/{mika.id}").status_code == 404
    assert as_user(anna).post("/view-as/999999").status_code == 404
    with db.transaction():
        ensure_role("narrow", ["contacts:read", "users:view_as"], reach="own")
        ensure_role("reader", ["contacts:read"])
    narrow = make_user("Nora Own", roles=["narrow"])
    reader = make_user("Rita Reader", roles=["reader"])
    assert as_user(narrow).post(f"/view-as/{outi.id}").status_code == 404
    assert as_user(reader).post(f"/view-as/{outi.id}").status_code == 403
    assert as_user(outi).post(f"/view-as/{outi.id}").status_code == 404
    with db.transaction() as session:
        session.get_one(Contact, outi.contact_id).owner_id = narrow.id
    assert as_user(narrow).post(f"/view-as/{outi.id}").status_code == 303


def test_another_browser_of_the_colleague_stays_their_own(looking, as_user, anna):
    assert as_user(anna).get("/contacts").status_code == 200


def test_whom_one_may_look_as_is_asked_once_for_all(as_user, anna, firm, count_queries):
    browser = as_user(anna)
    # The first page ever is asked for more.
    browser.get(f"/contacts/{firm.id}/portal-users")
    counts = []
    for number in range(2):
        for turn in range(1 + 5 * number):
            make_user(f"Buyer {number}.{turn}", kind="customer", contact=firm)
        with count_queries() as counter:
            page = browser.get(f"/contacts/{firm.id}/portal-users").text
        assert f"Buyer {number}.0" in page
        counts.append(len(counter.statements))
    assert counts[0] == counts[1]


def test_the_page_says_when_nobody_signs_in_for_a_contact(as_user, anna):
    nobody = make_contact("Nobody Oy")
    page = as_user(anna).get(f"/contacts/{nobody.id}/portal-users").text
    assert "Nobody signs in to the portal for this contact yet." in page

"""A private entry is opened once, with a reason, and its author is told."""

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.db import db
from core.event_visibility import visible_events
from core.events import Event
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import User

WHY = "Anna has left, and her customer waits for an answer."


@pytest.fixture
def anna(app):
    return make_user("Anna Laine")


@pytest.fixture
def boss(app):
    return make_user("Ad Min", roles=("admin",))


@pytest.fixture
def entry(anna):
    only = AudienceSpec("private", users=frozenset({anna.id}))
    contact = make_contact("Kallion Vesijohto Oy")
    return make_interaction(contact, author=anna, body="Wants to sell.", audience=only)


def facts():
    with db.read_only() as session:
        query = sa.select(Event).where(Event.type == "private.opened")
        return list(session.scalars(query))


def test_it_is_shown_once_with_a_reason_and_its_author_is_told(
    as_user, anna, boss, entry
):
    browser = as_user(boss)
    listed = browser.get(f"/admin/users/{anna.id}/private").text
    assert f'formaction="/admin/private/{entry.id}/open"' in listed
    assert "Wants to sell." not in listed
    opened = browser.post(f"/admin/private/{entry.id}/open", data={"reason": WHY})
    assert opened.status_code == 200
    assert "Wants to sell." in opened.text
    assert opened.headers["Cache-Control"] == "no-store"
    # Opened is not readable: no address shows it, not even this one.
    for path in (f"/admin/private/{entry.id}/open", f"/interactions/{entry.id}"):
        assert browser.get(path).status_code in {404, 405}
    assert "Wants to sell." not in browser.get("/interactions").text
    [fact] = facts()
    assert (fact.subject, fact.actor_id) == (entry.ref, boss.id)
    assert fact.data == {"reason": WHY}
    page = as_user(anna).get("/notifications").text
    assert f"Ad Min opened a private entry of yours: {WHY}" in page


def test_its_author_and_the_administrators_may_read_that_it_was_opened(
    as_user, anna, boss, entry
):
    other, mika = make_user("Second", roles=("admin",)), make_user("Mika Salo")
    as_user(boss).post(f"/admin/private/{entry.id}/open", data={"reason": WHY})
    with db.read_only() as session:
        for user, sees in ((boss, 1), (other, 1), (anna, 1), (mika, 0)):
            row = session.get_one(User, user.id)
            query = visible_events(row).where(Event.type == "private.opened")
            assert len(session.scalars(query).all()) == sees, user.name


@pytest.mark.parametrize("reason", ["", "   ", "because", "x" * 501])
def test_without_a_reason_it_stays_closed(as_user, boss, entry, reason):
    path = f"/admin/private/{entry.id}/open"
    refused = as_user(boss).post(path, data={"reason": reason})
    assert refused.status_code == 422
    assert "Say in a sentence why it must be opened." in refused.text
    assert "Wants to sell." not in refused.text
    assert facts() == []
    with db.read_only() as session:
        assert session.scalar(sa.select(Notification.id)) is None


def test_only_who_looks_after_accounts_opens_one(as_user, anna, entry):
    path = f"/admin/private/{entry.id}/open"
    for user in (anna, make_user(roles=("sales",)), make_user(roles=("support",))):
        assert as_user(user).post(path, data={"reason": WHY}).status_code == 403
        page = f"/admin/users/{anna.id}/private"
        assert as_user(user).get(page).status_code == 403
    assert facts() == []


def test_an_entry_that_is_not_private_is_not_opened_here(as_user, boss, anna):
    staff = make_interaction(make_contact(), author=anna, body="For all.")
    browser = as_user(boss)
    for number in (staff.id, 999_999, 2**40):
        path = f"/admin/private/{number}/open"
        assert browser.post(path, data={"reason": WHY}).status_code == 404
    assert "No private entries." in browser.get(f"/admin/users/{anna.id}/private").text
    assert facts() == []


def test_where_somebody_leaves_their_private_entries_are_at_hand(
    as_user, anna, boss, entry
):
    page = as_user(boss).get(f"/admin/users/{anna.id}/leave").text
    assert f'href="/admin/users/{anna.id}/private"' in page

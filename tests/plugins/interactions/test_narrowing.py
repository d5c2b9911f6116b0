"""Taking an entry back from people outside says first who could read it."""

import re

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.db import db, now
from core.interactions.models import Interaction
from core.notifications.models import Notification
from core.notifications.services import notify
from core.testing.factories import make_contact, make_interaction, make_user
from plugins.interactions.subscribers import REPLIED


@pytest.fixture
def firm(app):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales"])


@pytest.fixture
def entry(firm, anna):
    names = ("Outi Kallio", "Kari Nieminen", "Aino Salo")
    people = [make_user(name, kind="customer", contact=firm) for name in names]
    spec = AudienceSpec("shared", shared_with=frozenset({firm.id}))
    made = make_interaction(firm, author=anna, body="Comes on Friday.", audience=spec)
    with db.transaction():
        notify(people[:2], kind=REPLIED.name, text="For you.", record=made)
    return made


def sure_of(page):
    [found] = re.findall(r'name="sure" value="([^"]*)"', page.text)
    return found


def form_of(entry, **changed):
    return {
        "kind": entry.kind,
        "body": entry.body,
        "version": entry.version,
        "contacts": entry.contact_id,
        "audience": "staff",
        **changed,
    }


def kind_now(entry):
    query = sa.select(Interaction).where(Interaction.id == entry.id)
    with db.read_only() as session:
        return session.scalars(query).one().audience.kind


def test_it_is_said_who_could_read_it_and_who_opened_it(entry, anna, as_user):
    with db.transaction() as session:
        first = session.scalars(sa.select(Notification).order_by(Notification.id))
        first.first().read_at = now()
    browser, address = as_user(anna), f"/interactions/{entry.id}/edit"
    asked = browser.post(address, data=form_of(entry))
    assert asked.status_code == 422
    assert "Until now 3 people outside could read this: Outi Kallio (told of it," in (
        asked.text
    )
    assert "Aino Salo, Kari Nieminen (told of it). Save again" in asked.text
    assert kind_now(entry) == "shared"
    # The page in between keeps what was chosen, and its yes.
    assert 'name="sure" value="staff"' in asked.text
    saved = browser.post(address, data=form_of(entry, sure="staff"))
    assert saved.status_code == 303
    assert kind_now(entry) == "staff"


def test_what_takes_it_from_nobody_is_saved_at_once(entry, anna, firm, as_user):
    address = f"/interactions/{entry.id}/edit"
    same = form_of(entry, audience="shared", shared_with=firm.id, body="On Monday.")
    assert as_user(anna).post(address, data=same).status_code == 303
    assert kind_now(entry) == "shared"


def test_who_loses_it_among_several_is_named_alone(firm, anna, as_user):
    other = make_contact("Nordvalve Ab", roles=["vendor"])
    make_user("Outi Kallio", kind="customer", contact=firm)
    make_user("Lena Ek", kind="vendor", contact=other)
    both = AudienceSpec("shared", shared_with=frozenset({firm.id, other.id}))
    entry = make_interaction(firm, author=anna, body="For both.", audience=both)
    address = f"/interactions/{entry.id}/edit"
    narrower = form_of(entry, audience="shared", shared_with=firm.id)
    asked = as_user(anna).post(address, data=narrower)
    assert asked.status_code == 422
    assert "Until now Lena Ek could read this. Save again" in asked.text
    closer = form_of(entry, audience="private")
    again = as_user(anna).post(address, data=closer | {"sure": sure_of(asked)})
    assert "Until now 2 people outside could read this: Lena Ek, Outi" in again.text
    saved = as_user(anna).post(address, data=narrower | {"sure": sure_of(asked)})
    assert saved.status_code == 303

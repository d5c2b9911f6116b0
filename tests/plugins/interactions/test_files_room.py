"""So many bytes may an organisation outside send; what it wrote is never lost."""

import io

import pytest
import sqlalchemy as sa

from core import settings
from core.audiences import AudienceSpec
from core.db import db
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_interaction, make_user
from plugins.documents.models import Document, Version

pytestmark = pytest.mark.soak_on_postgresql

ROOM = 10_000


@pytest.fixture
def small(app):
    with db.transaction():
        settings.save("documents", {"portal_room": ROOM})


@pytest.fixture
def outi(firm):
    return make_user("Outi Kallio", kind="customer", contact=firm)


@pytest.fixture
def pekka(firm):
    return make_user("Pekka Virtanen", kind="customer", contact=firm)


def letter(size, body="It drips.", name="Pump.txt"):
    files = [(io.BytesIO(b"x" * size), name)] if size else []
    return {"subject": "Pump", "body": body, "files": files}


def asks(browser, size, **more):
    return browser.post("/portal/messages/new", data=letter(size, **more))


def kept():
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.coalesce(sa.func.sum(Version.size), 0)))


def test_the_files_of_all_people_of_an_organisation_are_counted_together(
    small, firm, outi, pekka, as_user
):
    assert asks(as_user(outi), 6_000).status_code == 303
    assert asks(as_user(pekka), 4_000).status_code == 303
    for one in (outi, pekka):
        refused = asks(as_user(one), 1, body="The second pump drips as well.")
        assert refused.status_code == 422
        assert "There is no room for these files: 10.0 kB of 10.0 kB" in refused.text
        assert "write without files and ask us to make room." in refused.text
        # What was written is there to be sent without the file.
        assert "The second pump drips as well.</textarea>" in refused.text
    assert kept() == ROOM
    assert asks(as_user(outi), 0).status_code == 303
    # Another organisation has its own room.
    other = make_contact("Byggnad Ab", roles=["customer"])
    bo = make_user("Bo Byggnad", kind="customer", contact=other)
    assert asks(as_user(bo), 6_000).status_code == 303


def test_several_files_at_once_are_kept_all_or_none(small, outi, as_user):
    many = [(io.BytesIO(b"x" * 4_000), f"{number}.txt") for number in range(3)]
    sent = {"subject": "Pump", "body": "Three pictures.", "files": many}
    refused = as_user(outi).post("/portal/messages/new", data=sent)
    assert refused.status_code == 422
    assert "Three pictures.</textarea>" in refused.text
    assert "Choose your files once more" in refused.text
    assert kept() == 0
    assert db.session.scalar(sa.select(sa.func.count(Interaction.id))) == 0


def test_replies_count_too_and_keep_their_words(small, firm, anna, outi, as_user):
    shared = AudienceSpec("shared", shared_with=frozenset({firm.id}))
    entry = make_interaction(firm, author=anna, audience=shared)
    reply = letter(8_000) | {"parent": entry.id}
    browser = as_user(outi)
    assert browser.post("/interactions", data=reply).status_code == 303
    more = letter(8_000, body="And this.") | {"parent": entry.id}
    refused = browser.post("/interactions", data=more)
    assert refused.status_code == 422
    assert "There is no room for these files" in refused.text
    assert "And this.</textarea>" in refused.text
    assert kept() == 8_000


def test_what_is_in_the_trash_counts_and_what_is_gone_for_good_does_not(
    small, outi, as_user
):
    assert asks(as_user(outi), 9_000).status_code == 303
    with db.transaction() as session:
        found = session.scalars(sa.select(Document)).one()
        found.trashed_at = found.created_at
    assert asks(as_user(outi), 9_000).status_code == 422
    with db.transaction() as session:
        session.delete(session.scalars(sa.select(Document)).one())
    assert asks(as_user(outi), 9_000).status_code == 303


def test_colleagues_have_no_such_limit_and_0_is_none(small, firm, anna, outi, as_user):
    told = {"contacts": firm.id, "kind": "note", "body": "x", "audience": "staff"}
    big = {"files": [(io.BytesIO(b"x" * 20_000), "Big.txt")]}
    assert as_user(anna).post("/interactions", data=told | big).status_code == 303
    assert asks(as_user(outi), 9_000).status_code == 303
    assert asks(as_user(outi), 9_000).status_code == 422
    with db.transaction():
        settings.save("documents", {"portal_room": 0})
    assert asks(as_user(outi), 90_000).status_code == 303

"""`has:document` finds what something hangs on, for whoever may read both."""

import io

import pytest

from core.db import db
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import Role
from plugins.documents.models import Document
from plugins.documents.services import trash_document, upload_document
from tests.plugins.search.test_search import refs

pytestmark = pytest.mark.soak_on_postgresql


@pytest.fixture
def house(app, deliver):
    anna = make_user("Anna Laine", roles=("sales",))
    kallio = make_contact("Kallion Vesijohto Oy")
    made = {
        "anna": anna,
        "with": make_interaction(kallio, author=anna, body="Prices are here."),
        "without": make_interaction(kallio, author=anna, body="Prices will follow."),
    }
    deliver()
    # A file that is added to what is in the index already.
    with db.transaction() as session:
        upload_document(
            io.BytesIO(b"Pump 4 EUR"),
            filename="prices.txt",
            author=session.merge(anna),
            interaction=session.merge(made["with"]),
        )
    deliver()
    return made


@pytest.mark.parametrize(
    "said", ["has:document", "sisältää:document", "包含：document"]
)
def test_entries_with_a_document_are_found(house, api, said):
    client = api(house["anna"])
    assert refs(client, f"prices {said}", type="interaction") == [house["with"].ref]
    assert refs(client, f"prices -{said}", type="interaction") == [house["without"].ref]
    assert refs(client, said) == [house["with"].ref]


def test_what_goes_to_the_trash_hangs_on_nothing(house, api, deliver):
    with db.transaction() as session:
        trash_document(session.query(Document).one())
    deliver()
    assert refs(api(house["anna"]), "has:document") == []


@pytest.mark.parametrize("said", ["has:ticket", "has:nothing"])
def test_what_nothing_hangs_on_is_looked_for_as_words(house, api, deliver, said):
    tapio = make_contact("Tapio Oy")
    note = make_interaction(tapio, author=house["anna"], body=f"They wrote {said}.")
    deliver()
    assert refs(api(house["anna"]), said)[0] == note.ref


def test_who_may_not_read_documents_does_not_narrow_by_them(house, api):
    reader = make_user("Only Entries", roles=())
    with db.transaction() as session:
        role = Role(name="entries", permissions=["search:read", "interactions:read"])
        session.merge(reader).roles.append(role)
    both = {house["with"].ref, house["without"].ref}
    assert set(refs(api(reader), "prices")) == both
    assert set(refs(api(reader), "prices has:document")) == both

import io

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.events import Delivery, Event
from core.files import file_store
from core.paper import make_docx, make_pdf
from core.records import record_types
from core.testing.factories import make_contact, make_user
from core.users.models import User
from plugins.documents import services
from plugins.documents.extraction import extract_text
from plugins.documents.models import Document, Version
from plugins.documents.reading import PART, marked, pages_of, pages_with
from plugins.documents.subscribers import read_text
from tests.plugins.documents.looking import find, look


def search_document(made):
    with db.read_only() as session:
        record = session.get_one(Document, made.id)
        make = record_types()["documents.document"].document
        return make(record) if make else None


def state_of(made):
    return look(sa.select(Version).where(Version.document_id == made.id))[0]


def test_the_worker_reads_the_text_and_says_so(app, keep, deliver):
    made = keep(make_user(), contact=make_contact())
    assert state_of(made).text_state == "pending"
    deliver()
    version = state_of(made)
    assert (version.text_state, version.page_count) == ("done", 2)
    said = db.session.scalars(
        sa.select(Event).where(Event.type == "documents.document.text_read")
    ).one()
    assert said.subject == made.ref
    assert said.data == {"number": 1, "state": "done"}


def test_search_learns_title_text_file_name_contact_and_pages(app, keep, deliver):
    kallio = make_contact()
    made = keep(make_user(), contact=kallio, title="Prices")
    deliver()
    found = search_document(made)
    assert found.title == "Prices"
    assert found.identifiers == ("Price agreement.pdf",)
    assert found.contact_id == kallio.id
    first, second = found.body.split("\f")
    assert "310 euro" in first
    assert "Notice" in second


def test_search_learns_the_words_of_the_newest_version_only(app, keep, deliver):
    anna = make_user()
    made = keep(anna, content=b"the old price", filename="1.txt")
    with db.transaction() as session:
        services.add_version(
            session.get_one(Document, made.id),
            io.BytesIO(b"the new price"),
            filename="2.txt",
            actor=session.get_one(User, anna.id),
        )
    deliver()
    assert search_document(made).body == "the new price"


def test_what_lies_in_the_trash_is_not_found(app, keep):
    made = keep(make_user())
    with db.transaction() as session:
        services.trash_document(session.get_one(Document, made.id))
    assert search_document(made) is None


def test_a_word_document_is_read_too(app, keep, deliver):
    content = make_docx(["Toimitussopimus", "Toimitus ennen kello kymmentä."])
    made = keep(make_user(), content=content, filename="Sopimus.docx")
    deliver()
    assert "ennen kello" in search_document(made).body


@pytest.mark.parametrize(
    ("content", "filename", "state"),
    [
        (b"%PDF-1.7 broken", "Contract.pdf", "failed"),
        (make_pdf([""]), "Scan.pdf", "empty"),
        (b"PK\x03\x04 not a zip", "Contract.docx", "failed"),
        (b"\x89PNG\r\n", "Photo.png", "unsupported"),
        (b"no pdf at all", "Contract.pdf", "failed"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_on_its_page(
    app, keep, deliver, as_user, content, filename, state
):
    anna = make_user()
    made = keep(anna, content=content, filename=filename)
    browser = as_user(anna)
    assert "is being read" in browser.get(f"/documents/{made.id}").text
    deliver()
    version = state_of(made)
    assert version.text_state == state
    assert version.text_detail in browser.get(f"/documents/{made.id}").text
    file = browser.get(f"/documents/{made.id}/versions/1/file", buffered=True)
    assert file.data == content
    waiting = sa.select(sa.func.count(Delivery.id))
    assert look(waiting.where(Delivery.subscriber == "documents.text")) == [0]


def test_reading_twice_changes_and_announces_nothing_twice(app, keep, deliver):
    made = keep(make_user())
    created = sa.select(Event).where(Event.subject == made.ref)
    for _ in range(3):
        with db.transaction() as session:
            for event in session.scalars(created).all():
                if event.type.endswith("created"):
                    read_text(event)
    said = sa.select(sa.func.count(Event.id)).where(Event.type.endswith("text_read"))
    assert look(said) == [1]


def test_while_a_file_is_read_others_may_write(app, keep, monkeypatch):
    made = keep(make_user())
    contact_id = make_contact("Before").id
    from plugins.documents import subscribers

    def slow(*args, **kwargs):
        with db.engine.begin() as other:
            other.execute(sa.text("UPDATE contact SET name = 'Meanwhile'"))
        return extract_text(*args, **kwargs)

    monkeypatch.setattr(subscribers, "extract_text", slow)
    with db.transaction() as session:
        event = session.scalars(sa.select(Event).where(Event.subject == made.ref)).one()
        read_text(event)
    assert find(Contact, contact_id).name == "Meanwhile"
    assert state_of(made).text_state == "done"


def test_a_missing_file_is_tried_again_and_never_called_read(app, keep, deliver):
    made = keep(make_user())
    (sha256,) = file_store().hashes()
    file_store().remove(sha256)
    deliver()
    assert state_of(made).text_state == "pending"
    waiting = sa.select(Delivery).where(Delivery.subscriber == "documents.text")
    assert look(waiting)[0].attempts == 1


def test_the_page_shows_one_page_of_the_text_and_marks_what_is_looked_for(
    app, keep, deliver, as_user
):
    anna = make_user()
    content = make_pdf([f"Page {n}\nThe porcupine clause" for n in range(1, 4)])
    made = keep(anna, content=content)
    deliver()
    browser = as_user(anna)
    second = browser.get(f"/documents/{made.id}?page=2").text
    assert "Page 2" in second
    assert "Page 1" not in second
    found = browser.get(f"/documents/{made.id}?q=PORCUPINE+clause").text
    assert '<mark id="hit">porcupine clause</mark>' in found
    assert "on 3 pages" in found
    assert "Not in this document." in browser.get(f"/documents/{made.id}?q=zebra").text
    for page in ("0", "99", "-1", "x"):
        assert browser.get(f"/documents/{made.id}?page={page}").status_code == 200


def test_text_of_strangers_is_shown_as_text(app, keep, deliver, as_user):
    anna = make_user()
    text = "<script>alert(1)</script> {{ 7 * 7 }} \u202e"
    made = keep(anna, content=text.encode(), filename="a.txt", title="<b>x</b>")
    deliver()
    for q in ("", "script"):
        page = as_user(anna).get(f"/documents/{made.id}?q={q}").text
        assert "<script>alert" not in page
        assert "<b>x</b>" not in page
        assert "{{ 7 * 7 }}" in page


def test_a_long_text_without_pages_is_shown_in_parts():
    text = "".join(f"line {n}\n" for n in range(5_000))
    version = Version(text=text, page_count=0)
    parts = pages_of(version)
    assert "".join(parts) == text
    assert max(map(len, parts)) <= PART * 1.5
    assert all(part.endswith("\n") for part in parts)
    unbroken = Version(text="x" * 20_000, page_count=0)
    assert "".join(pages_of(unbroken)) == unbroken.text
    assert pages_of(Version(text="", page_count=0)) == []


def test_words_are_found_in_any_case_and_across_line_ends():
    assert pages_with(["a b", "A\n  B", "b a"], "a b") == [1, 2]
    assert pages_with(["a b"], "  ") == []
    pieces = marked("1+1 is 2, 1+1", "1+1")
    assert [(one.text, one.hit) for one in pieces] == [
        ("1+1", True), (" is 2, ", False), ("1+1", True)
    ]  # fmt: skip


def test_labels_for_search_are_those_of_the_audience(app, keep):
    from core.visibility import labels

    kallio = make_contact(roles=["customer"])
    shared = AudienceSpec("shared", shared_with=frozenset({kallio.id}))
    anna = make_user()
    made = keep(anna, contact=kallio, audience=shared)
    said = labels(made)
    assert said == {"staff", f"shared:{kallio.id}", f"user:{anna.id}"}


def test_words_of_many_hits_are_fetched_with_few_statements(app, keep, count_queries):
    anna = make_user()
    for number in range(25):
        keep(anna, content=f"text {number}".encode(), filename=f"{number}.txt")
    make = record_types()["documents.document"].document
    assert make is not None
    with db.read_only() as session:
        found = session.scalars(sa.select(Document).order_by(Document.id.desc()))
        documents = found.unique().all()
        with count_queries() as queries:
            found_words = [make(one) for one in documents]
    names = [one.identifiers[0] for one in found_words if one]
    assert names == [f"{number}.txt" for number in reversed(range(25))]
    assert queries.count == 2

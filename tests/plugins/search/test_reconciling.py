"""Once a day the index is compared with the database, and what differs is mended."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.contacts.models import Contact
from core.contacts.services import change_contact, trash_contact
from core.db import db
from core.testing.factories import make_contact, make_user
from plugins.search import reconciling, services
from plugins.search.backend import IndexOp
from plugins.search.engine import backend
from plugins.search.indexing import index_document, operation_for, rebuild
from plugins.search.reconciling import compare, reconcile


@pytest.fixture
def house(app):
    """Three contacts in the index, one of them in the trash."""
    made = [make_contact(f"Firm {name} Oy") for name in ("One", "Two", "Three")]
    with db.transaction() as session:
        trash_contact(session.get_one(Contact, made[2].id))
    rebuild()
    return made


def says(app):
    command = app.extensions["rapport_commands"]["search"]
    return app.test_cli_runner().invoke(command, ["verify"])


def test_an_index_that_is_as_the_database_is_left_alone(app, house, caplog):
    found = compare()
    assert (found.problems, found.stale, found.orphans) == ((), [], [])
    generation = backend().stats().generation
    reconcile()
    assert backend().stats().generation == generation
    assert "differed" not in caplog.text
    assert (says(app).exit_code, says(app).output) == (
        0,
        "The index is as the database is.\n",
    )


def test_what_was_lost_changed_or_outlived_its_record_is_mended(app, house, caplog):
    one, two, _three = house
    with db.transaction() as session:
        # No event tells the index of this one.
        changed = sa.update(Contact).where(Contact.id == one.id)
        changed = changed.values(name="Firm Uno Oy", version=Contact.version + 1)
        session.execute(changed, execution_options={"unrecorded": True})
    backend().apply([IndexOp.delete(two.ref)])
    kind = app.extensions["rapport_records"]["contact"]
    document = index_document(kind, db.session.get_one(Contact, two.id))
    backend().apply([IndexOp.upsert(replace(document, key="contact/999"))])
    found = compare()
    assert sorted(found.stale) == sorted([one.ref, two.ref])
    assert found.orphans == ["contact/999"]
    answer = says(app)
    assert answer.exit_code == 1
    assert "Records that differ: 3 (" in answer.stderr
    reconcile()
    assert "records that differed in the index: 3" in caplog.text
    assert compare().stale == compare().orphans == []
    held = dict(backend().revisions())
    assert {one.ref, two.ref} <= held.keys()
    assert not {"contact/999", house[2].ref} & held.keys()


def test_what_changes_while_it_is_mended_is_not_written_over(app, house, monkeypatch):
    one = house[0]
    backend().apply([IndexOp.delete(one.ref)])
    apply, heard = backend().apply, []

    def after_another(ops):
        """Another worker hears of a newer state before this one writes the older."""
        if not heard:
            with db.transaction() as session:
                contact = session.get_one(Contact, one.id)
                change_contact(contact, {"name": "Firm Uno Oy"}, actor=None)
            heard.append(operation_for(one.ref))
            apply(heard)
        apply(ops)

    monkeypatch.setattr(backend(), "apply", after_another)
    reconcile()
    assert [op.doc.rev for op in heard] == [dict(backend().revisions())[one.ref]]
    assert compare().stale == []
    found = services.refs_for(make_user("Anna Laine"), "Uno")
    assert [ref for ref, _title in found] == [one.ref]


def test_where_much_differs_the_index_is_made_anew(app, house, caplog, monkeypatch):
    monkeypatch.setattr(reconciling, "MANY", 1)
    before = backend().stats().name
    backend().apply([IndexOp.delete(one.ref) for one in house])
    reconcile()
    assert "the index is made anew" in caplog.text
    assert backend().stats().name != before
    assert compare().stale == []


def test_an_index_with_a_rotten_file_is_made_anew(app, house, caplog):
    root = Path(app.config["SEARCH_FOLDER"]) / "index"
    largest = max(root.rglob("*.seg"), key=lambda one: one.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 0xFF
    largest.write_bytes(content)
    answer = says(app)
    assert answer.exit_code == 1
    assert "The index is damaged" in answer.stderr
    reconcile()
    assert "the index is damaged" in caplog.text
    assert says(app).exit_code == 0


def test_without_an_index_one_is_made(app, house):
    shutil.rmtree(Path(app.config["SEARCH_FOLDER"]) / "index")
    answer = says(app)
    assert answer.exit_code == 1
    assert "rapport search rebuild" in answer.stderr
    reconcile()
    assert backend().needs_build() is None

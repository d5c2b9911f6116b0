"""After an erasure no cell of the whole database names the person any more."""

from tests.core.contacts.erasing_world import (
    MARK,
    NAME,
    hold_everything,
    stuff,
    where_is,
)

REASON = "Asked for it on the phone."


def test_after_erasing_no_cell_of_the_database_names_the_person(app, api):
    held = hold_everything(api)
    found = stuff(held)
    empty = sorted(name for name, rows in found.items() if not rows)
    assert not empty, f"let tests/core/contacts/erasing_world.py make a row of {empty}"
    before = where_is(MARK)
    assert {"contact.name", "event.personal", "idempotent_answer.body"} <= before
    answer = api(held.chief).post(
        f"/api/v1/contacts/{held.person.id}/erase",
        json={"reason": REASON, "confirm": NAME},
    )
    assert answer.status_code == 201, answer.text
    assert where_is(MARK) == set()
    assert where_is("ngstr") == set()

"""Many records at once leave the same traces as each alone."""

import dataclasses
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from core.app import CRM
from core.bulk import record_many, touch_many
from core.contacts.models import Affiliation, Contact, ContactKey
from core.db import db, only_reading
from core.events import Delivery, Event, Subscriber, acting
from core.importing import running
from core.importing.models import ImportKey
from core.rows import MANY
from core.testing.factories import make_contact, make_user
from core.testing.plugins import make_plugin


def _heard(_event: Event) -> None:
    raise AssertionError("no delivery is made in these tests")


@pytest.fixture
def app_plugins() -> Any:
    wanted = [Subscriber("probe", ("contact.*",), _heard)]
    return (("probe", make_plugin(register_subscribers=lambda: wanted)),)


ROWS: list[dict[str, Any]] = [
    {"kind": "person", "name": "Outi Kallio", "sort_name": "outi kallio"},
    {"kind": "organisation", "name": "李伟", "sort_name": "李伟", "tags": ["retail"]},
    {"kind": "person", "name": "Tom", "sort_name": "tom", "language": "en"},
]


# A few rows are written in another way than many: see `core.rows`.
@pytest.mark.parametrize("times", [1, MANY])
def test_many_records_get_their_ids_events_and_deliveries_in_order(
    app: CRM, times: int
) -> None:
    anna = make_user("Anna Laine")
    with db.transaction(), acting(anna.id):
        ids = record_many(Contact, ROWS * times)
    found = [db.session.get_one(Contact, one) for one in ids]
    assert [one.name for one in found] == ["Outi Kallio", "李伟", "Tom"] * times
    assert [one.tags for one in found] == [[], ["retail"], []] * times
    assert [one.language for one in found] == ["", "", "en"] * times
    assert {one.version for one in found} == {1}
    assert all(one.created_at is not None for one in found)
    events = db.session.scalars(
        sa.select(Event)
        .where(Event.subject.in_([one.ref for one in found]))
        .order_by(Event.id)
    ).all()
    assert [one.subject for one in events] == [one.ref for one in found]
    assert {one.type for one in events} == {"contact.created"}
    assert [one.contact_id for one in events] == ids
    assert {one.actor_id for one in events} == {anna.id}
    for_probe = sa.select(sa.func.count()).where(
        Delivery.subscriber == "probe",
        Delivery.event_id.in_([one.id for one in events]),
    )
    assert db.session.scalar(for_probe) == 3 * times
    assert record_many(Contact, []) == []


def test_many_rows_keep_what_each_alone_keeps(app: CRM) -> None:
    owner = make_user("Anna Laine")
    odd = {
        "kind": "person",
        "name": 'O\'Neil "\\n\\u0041\\" {} %s :x 👩‍👩‍👧 \u2028',
        "sort_name": "o'neil",
        "emails": [{"address": "a\\b@x.example", "label": None}],
        "custom": {"deep": {"list": [1, 2.5, None, True]}},
        "do_not_contact": True,
        "next_step_on": date(2026, 2, 28),
        "last_interaction_at": datetime(
            2026, 3, 1, tzinfo=timezone(timedelta(hours=3))
        ),
        "owner_id": owner.id,
    }
    with db.transaction():
        [alone] = record_many(Contact, [odd])
        together = record_many(Contact, [odd] * MANY)
    told = [
        {name: getattr(db.session.get_one(Contact, one), name) for name in odd}
        for one in (alone, *together)
    ]
    assert told == [odd] * (1 + MANY)


@pytest.mark.parametrize("times", [1, MANY])
def test_a_time_without_a_zone_is_refused_alone_and_among_many(
    app: CRM, times: int
) -> None:
    naive = {**ROWS[0], "last_interaction_at": datetime(2026, 3, 1)}  # noqa: DTZ001 - what is refused
    refused = pytest.raises((ValueError, sa.exc.StatementError), match="without a zone")
    with refused, db.transaction():
        record_many(Contact, [naive] * times)


def test_touching_many_gives_each_a_new_version_and_an_event(app: CRM) -> None:
    first, second, other = (make_contact(f"Firm {one}") for one in "ABC")
    with db.transaction() as session:
        loaded = session.get_one(Contact, first.id)
        versions = touch_many(Contact, [first.id, second.id, second.id])
        loaded.tags = ["seen"]
    assert versions == {first.id: first.version + 1, second.id: second.version + 1}
    assert db.session.get_one(Contact, first.id).version == first.version + 2
    assert db.session.get_one(Contact, first.id).tags == ["seen"]
    assert db.session.get_one(Contact, other.id).version == other.version
    updated = sa.select(Event.subject).where(Event.type == "contact.updated")
    refs = db.session.scalars(updated.order_by(Event.id)).all()
    assert sorted(refs) == sorted([first.ref, second.ref, first.ref])


def test_where_one_only_reads_nothing_is_written(app: CRM) -> None:
    with pytest.raises(RuntimeError, match="only reads"), only_reading():
        record_many(Contact, ROWS)
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Contact)) == 0


FILE = """Key,Kind,Name,Given name,Family-Name,Email,Phone,Organisation,Owner,Tag
,organisation,Kallio Oy,,,info@kallio.example,,,,a
,person,,Outi,Kallio,outi@kallio.example,040 123 4567,Kallio Oy,anna@example.com,b
,person,,Tapio,Rakennus,tapio@tapio.example,,Tapio Rakennus Oy,,
,organisation,Tapio Rakennus Oy,,,tapio@tapio.example,,,,
,person,,Pekka,Virtanen,pekka@,,Kallio Oy,,
,person,,Outi,Kallio,OUTI@kallio.example,050 1,,,c
7,person,,Maija,Meri,maija@kallio.example,,Meri Oy,nobody@example.com,
8,person,,Maija,Meri,maija@kallio.example,,Meri Oy,,
8,person,,Maija,Meri-Oja,maija@kallio.example,,MERI  oy,,
9,organisation,Meri Oy,,,,,,,
,person,李,伟,,li@hua.example,,Kallio Oy,,
,person,,,,,,Nameless Oy,,
,organisation,Kallio Oy,,,,,Meri Oy,,
"""


def _traces(app: CRM, tmp_path: Any, actor: int) -> Any:
    """Bring `FILE` in and tell all it left, without ids and times."""
    path = tmp_path / "many.csv"
    path.write_text(FILE)
    report = running.run_import(app, "contacts", path, actor_id=actor, rest=False)
    people = {one.id: one.name for one in db.session.scalars(sa.select(Contact))}
    skipped = {"id", "created_at", "updated_at", "owner_id", "version"}
    contacts = [
        {
            key: value
            for key, value in vars(one).items()
            if key[0] != "_" and key not in skipped
        }
        for one in db.session.scalars(sa.select(Contact).order_by(Contact.id))
    ]
    keys = sa.select(ContactKey.contact_id, ContactKey.kind, ContactKey.value)
    joined = sa.select(Affiliation.person_id, Affiliation.organisation_id)
    return {
        "report": (report.created, report.updated, report.same, report.refused),
        "refused": [(one.line, one.reason) for one in report.refusals],
        "contacts": sorted(map(str, contacts)),
        "owned": db.session.scalar(
            sa.select(sa.func.count()).where(Contact.owner_id.is_not(None))
        ),
        "keys": sorted((people[one[0]], *one[1:]) for one in db.session.execute(keys)),
        "joined": sorted(
            (people[one[0]], people[one[1]]) for one in db.session.execute(joined)
        ),
    }


def test_rows_brought_in_together_come_in_as_each_alone(
    app: CRM, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = make_user("Helena", roles=["admin"]).id
    make_user("Anna", email="anna@example.com")
    together = _traces(app, tmp_path, actor)
    with db.transaction() as session:
        for model in (Affiliation, ContactKey, ImportKey, Contact):
            everything = sa.delete(model).execution_options(unrecorded=True)
            session.execute(everything)
    kinds = app.extensions["rapport_imports"]
    singly = dataclasses.replace(kinds["contacts"], bring_many=None)
    monkeypatch.setitem(kinds, "contacts", singly)
    assert _traces(app, tmp_path, actor) == together
    assert together["report"] == (6, 3, 0, 4)
    assert [line for line, _why in together["refused"]] == [6, 8, 13, 14]
    assert together["owned"] == 1
    assert together["joined"] == [
        ("Maija Meri-Oja", "Meri Oy"),
        ("Outi Kallio", "Kallio Oy"),
        ("Tapio Rakennus", "Tapio Rakennus Oy"),
        ("李", "Kallio Oy"),
    ]

"""What goes in and out of the API: fields, pages, versions."""

import base64
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import marshmallow as ma
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import fields

from core.columns import Amount, UTCDateTime
from core.contacts.models import Contact
from core.db import db
from core.errors import BadRequest
from core.schemas import (
    Moment,
    Money,
    Schema,
    Text,
    decode_cursor,
    encode_cursor,
    keyset_page,
    money_text,
)
from core.testing.factories import make_contact, make_user
from core.testing.plugins import INSTALLED


class ProbeSchema(Schema):
    name = Text(most=10, least=2)
    at = Moment()
    price = Money()
    number = fields.Integer()


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED}


# -- Fields ------------------------------------------------------------------------


def refused(sent):
    with pytest.raises(ma.ValidationError) as error:
        ProbeSchema().load(sent)
    return error.value.messages


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_text_is_trimmed_and_kept_as_written(app):
    loaded = ProbeSchema().load({"name": "  Äijö 联系 \n"})
    assert loaded == {"name": "Äijö 联系"}


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    "text", ["", "a", "x" * 11, "a\x00b", "ab\ud800", 12, None, ["ab"], {"a": 1}]
)
def test_what_is_no_text_of_this_length_is_refused(app, text):
    assert set(refused({"name": text})) == {"name"}


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_misspelt_field_is_named(app):
    assert set(refused({"nmae": "Anna"})) == {"nmae"}


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_moments_are_utc_on_the_way_out_whatever_came_in(app):
    helsinki = timezone(timedelta(hours=2))
    moment = datetime(2026, 3, 1, 14, 30, tzinfo=helsinki)
    assert ProbeSchema().dump({"at": moment}) == {"at": "2026-03-01T12:30:00Z"}
    assert ProbeSchema().dump({"at": None}) == {"at": None}
    for text in ("2026-03-01T14:30:00+02:00", "2026-03-01T12:30:00Z"):
        assert ProbeSchema().load({"at": text}) == {"at": moment}
    # Without a zone it is taken as UTC.
    loaded = ProbeSchema().load({"at": "2026-03-01T12:30:00"})
    assert loaded["at"] == moment


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z", 12, None, []])
def test_what_is_no_moment_is_refused(app, text):
    assert set(refused({"at": text})) == {"at"}


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0.00"),
        ("12.5", "12.50"),
        ("12.50", "12.50"),
        ("0.0125", "0.0125"),
        ("-3", "-3.00"),
        ("1E+3", "1000.00"),
        ("9999999999999.9999", "9999999999999.9999"),
    ],
)
def test_money_is_a_decimal_text_with_its_currency(app, amount, text):
    value = Decimal(amount)
    assert money_text(value) == text
    dumped = ProbeSchema().dump({"price": value})
    assert dumped == {"price": {"amount": text, "currency": "EUR"}}
    loaded = ProbeSchema().load({"price": {"amount": text, "currency": "EUR"}})
    assert loaded == {"price": value}


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    "sent", [12.5, {"amount": 12.5}, "NaN", "Infinity", "1e40", "much", {}, [], None]
)
def test_what_is_no_money_is_refused(app, sent):
    assert set(refused({"price": sent})) == {"price"}


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_money_in_another_currency_is_refused(app):
    sent = {"price": {"amount": "12.50", "currency": "SEK"}}
    assert set(refused(sent)) == {"price"}


# -- Columns -----------------------------------------------------------------------


def test_amounts_and_moments_come_back_as_they_went(app):
    table = sa.Table(
        "probe",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("amount", Amount()),
        sa.Column("at", UTCDateTime()),
    )
    amounts = [Decimal(one) for one in ("0.1", "0.2", "-0.0001", "99999999999999.9999")]
    moment = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=-7)))
    with db.engine.begin() as connection:
        table.create(connection)
        for amount in amounts:
            row = {"amount": amount, "at": elsewhere}
            connection.execute(sa.insert(table), row)
        found = connection.execute(sa.select(table).order_by(table.c.id)).all()
        total = connection.scalar(sa.select(sa.func.sum(table.c.amount)))
        later = connection.scalar(
            sa.select(sa.func.count()).where(table.c.at > moment - timedelta(hours=1))
        )
    assert [row.amount for row in found] == amounts
    assert {row.at for row in found} == {moment}
    assert all(row.at.tzinfo == UTC for row in found)
    assert total == sum(amounts)
    assert later == len(amounts)


def test_a_moment_without_a_zone_is_refused():
    dialect = sa.create_engine("sqlite://").dialect
    with pytest.raises(ValueError, match="without a zone"):
        UTCDateTime().process_bind_param(datetime(2026, 3, 1), dialect)  # noqa: DTZ001


# -- Pages -------------------------------------------------------------------------


def test_a_list_read_page_by_page_is_whole_and_in_order(app, api):
    names = ["Äijö", "aho", "Aho", "aho", "Zorro", "Öhman", "123", "ä", "a b", "a-b"]
    for name in names:
        make_contact(name)
    program = api(make_user("Anna Laine"))
    for limit in (1, 2, 3, 9, 10, 11):
        ids, address = [], f"/api/v1/contacts?limit={limit}"
        while address:
            answer = program.get(address)
            assert len(answer.json["items"]) <= limit
            ids += [one["id"] for one in answer.json["items"]]
            link = answer.headers.get("Link", "")
            assert bool(link) == bool(answer.json["next"])
            assert not link or link.endswith('>; rel="next"')
            address = link.partition("<")[2].partition(">")[0] if link else None
        assert len(ids) == len(set(ids)) == len(names)
        whole = program.get("/api/v1/contacts").json["items"]
        assert ids == [one["id"] for one in whole]


def test_pages_go_on_where_they_were_while_rows_come_and_go(app):
    for name in ("b", "d", "f"):
        make_contact(name)
    query, order = sa.select(Contact), [Contact.sort_name, Contact.id]
    with db.read_only():
        first = keyset_page(query, order, limit=2)
    make_contact("a")
    make_contact("e")
    with db.transaction() as session:
        session.delete(session.get_one(Contact, first.items[1].id))
    with db.read_only():
        second = keyset_page(query, order, cursor=first.next, limit=2)
        assert [one.name for one in second.items] == ["e", "f"]
        assert second.next is None
        back = keyset_page(query, order, limit=2, descending=True)
        assert [one.name for one in back.items] == ["f", "e"]


@pytest.mark.parametrize("limit", ["0", "-1", "201", "many", "1.5", ""])
def test_a_page_has_its_bounds(app, api, limit):
    answer = api(make_user("Anna Laine")).get(f"/api/v1/contacts?limit={limit}")
    assert answer.status_code == 422
    assert set(answer.json["errors"]) == {"limit"}


def made_of(values):
    text = json.dumps(values).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!",
        "é",
        made_of([]),
        made_of({}),
        made_of(["a"]),
        made_of(["a", 1, 2]),
        made_of([1, 1]),
        made_of(["a", "1"]),
        made_of(["a", True]),
        made_of(["a", 1.5]),
        made_of(["a", 2**63]),
        made_of(["a\x00", 1]),
        made_of(["\ud800", 1]),
        made_of([["a"], 1]),
        made_of([{"t": "2026-01-01"}, 1]),
        "WyJhIiwxXQ" + "A" * 20_000,
        base64.b64encode(b"[" * 50_000).decode(),
    ],
)
def test_a_cursor_of_another_list_is_refused(app, api, cursor):
    program = api(make_user("Anna Laine"))
    answer = program.get("/api/v1/contacts", query_string={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


KINDS = {
    "text": sa.column("text", sa.String()),
    "number": sa.column("number", sa.Integer()),
    "yes": sa.column("yes", sa.Boolean()),
    "at": sa.column("at", UTCDateTime()),
    "amount": sa.column("amount", Amount()),
    "day": sa.column("day", sa.Date()),
}
ROWS = st.fixed_dictionaries(
    {
        "text": st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
        "number": st.integers(-(2**63) + 1, 2**63 - 1),
        "yes": st.booleans(),
        "at": st.datetimes(timezones=st.just(UTC)),
        "amount": st.decimals(-(10**12), 10**12, places=4),
        "day": st.dates(),
    }
)


@given(ROWS)
def test_a_cursor_brings_back_the_values_it_was_made_of(row):
    values = [row[name] for name in KINDS]
    assert decode_cursor(encode_cursor(values), [*KINDS.values()]) == values


@given(st.text() | st.binary().map(lambda one: base64.urlsafe_b64encode(one).decode()))
def test_any_other_text_is_no_cursor(text):
    columns = [KINDS["text"], KINDS["day"]]
    try:
        found = decode_cursor(text, columns)
    except BadRequest:
        return
    assert isinstance(found[1], date | None)


# -- Versions ----------------------------------------------------------------------


def test_a_change_names_the_version_it_changes(app, api):
    contact, program = make_contact(), api(make_user("Anna Laine"))
    address = f"/api/v1/contacts/{contact.id}"
    etag = program.get(address).headers["ETag"]
    sent = {"language": "fi"}
    assert program.patch(address, json=sent).status_code == 428
    for wrong in ('"999"', 'W/"1"', '"x"', '""', etag.strip('"') + "x"):
        answer = program.patch(address, json=sent, headers={"If-Match": wrong})
        assert answer.status_code == 412, wrong
        assert answer.content_type == "application/problem+json"
    changed = program.patch(address, json=sent, headers={"If-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag
    stale = program.patch(address, json=sent, headers={"If-Match": etag})
    assert stale.status_code == 412
    assert program.delete(address).status_code == 428
    anyway = program.delete(address, headers={"If-Match": "*"})
    assert anyway.status_code == 204


def test_one_of_two_who_change_the_same_version_wins(app, api):
    from tests.core.test_worker import at_once

    contact, anna, ben = make_contact(), make_user("Anna Laine"), make_user("Ben Koski")
    address = f"/api/v1/contacts/{contact.id}"
    programs = [api(anna), api(ben)]
    etag = programs[0].get(address).headers["ETag"]
    answers = []

    def change(program, language):
        headers = {"If-Match": etag}
        sent = {"language": language}
        answers.append(program.patch(address, json=sent, headers=headers).status_code)

    at_once(lambda: change(programs[0], "fi"), lambda: change(programs[1], "sv"))
    assert sorted(answers) == [200, 412]

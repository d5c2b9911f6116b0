"""The ticked contacts go out as a file, and nobody else's with them."""

import csv
import io
import re

import pytest
from python_calamine import CalamineWorkbook

from core.db import db
from core.testing.factories import make_contact, make_user
from core.users.services import ensure_role
from tests.core.contacts.reading import words_of

EXPORT = "/contacts/export"


def post(browser, **data):
    page = browser.get("/me").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    return browser.post(EXPORT, data={"csrf_token": token, **data})


def names(answer):
    rows = csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")))
    return sorted(row["name"] for row in rows)


def role(name, *permissions, reach="all"):
    with db.transaction():
        ensure_role(name, permissions, reach=reach)
    return name


@pytest.fixture
def firms(app):
    return [make_contact(f"Firm {n}", phones=[{"number": "+358 9 1"}]) for n in "ABC"]


def test_only_the_ticked_contacts_are_in_the_file(as_user, firms):
    anna = as_user(make_user("Anna Laine"))
    ids = [one.id for one in firms[:2]]
    answer = post(anna, form="csv", contact=ids)
    assert names(answer) == ["Firm A", "Firm B"]
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    sheet = post(anna, form="xlsx", contact=ids)
    book = CalamineWorkbook.from_filelike(io.BytesIO(sheet.data))
    rows = book.get_sheet_by_index(0).to_python()
    assert {"Firm A", "Firm B"} == {row[rows[0].index("name")] for row in rows[1:]}


def test_who_may_only_read_is_offered_the_file_and_no_changes(as_user, firms):
    mika = as_user(make_user("Mika", roles=(role("reader", "contacts:read"),)))
    page = mika.get("/contacts").text
    assert "Export as CSV" in page
    assert "Put in the trash" not in page
    assert names(post(mika, form="csv", contact=firms[0].id)) == ["Firm A"]


def test_who_may_not_read_contacts_gets_no_file(as_user, firms):
    outi = as_user(make_user("Outi", roles=(role("nothing"),)))
    assert post(outi, form="csv", contact=firms[0].id).status_code in {403, 404}
    portal = as_user(make_user("Petri", kind="customer", contact=firms[0]))
    assert post(portal, form="csv", contact=firms[0].id).status_code in {403, 404}


def test_hidden_and_unknown_contacts_are_left_out_unnamed(as_user, app):
    narrow = role("narrow", "contacts:read", "contacts:write", reach="own")
    sara = make_user("Sara", roles=(narrow,))
    mine = make_contact("Mine", owner=str(sara.id))
    hidden = make_contact("Hidden Oy")
    answer = post(as_user(sara), form="csv", contact=[mine.id, hidden.id, 99999])
    assert names(answer) == ["Mine"]
    assert b"Hidden" not in answer.data
    nothing = post(as_user(sara), form="csv", contact=hidden.id)
    assert nothing.status_code == 303


def test_none_chosen_too_many_and_another_format_give_no_file(as_user, firms):
    anna = as_user(make_user("Anna Laine"))
    for ids in ([], ["x"], [-1], [2**40]):
        assert post(anna, form="csv", contact=ids).status_code == 303
        assert "Nothing was selected." in words_of(anna.get("/contacts").text)
    assert post(anna, form="csv", contact=list(range(1, 202))).status_code == 422
    assert post(anna, form="json", contact=firms[0].id).status_code == 422

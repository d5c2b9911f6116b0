"""The pages under /import: a file is looked at, checked, brought in, and undone."""

import csv
import io
import re
import zipfile

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from core import settings
from core.contacts.models import Contact
from core.db import db, now
from core.importing import keeping, tasks
from core.importing.guessing import guess, guess_dates, guess_decimal
from core.importing.keeping import import_store
from core.importing.models import ImportRun
from core.importing.running import STEPS, import_kinds
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_user

PEOPLE = (
    "Etunimi;Sukunimi;Yritys;Sähköposti;Puh.;Luokka;Muu\n"
    "Outi;Kallio;Kallio Oy;outi@kallio.example;040 123 4567;A, B;x\n"
    "Pekka;Tapio;Tapio Oy;pekka@;040 555 1212;;y\n"
    "Maija;Saimaa;;maija@saimaa.example;;;\n"
)


@pytest.fixture
def anna():
    return make_user("Anna Laine", roles=["sales"])


@pytest.fixture
def page(as_user, anna):
    return as_user(anna)


def upload(page, text=PEOPLE, *, name="asiakkaat.csv", kind="contacts", **more):
    content = text if isinstance(text, bytes) else text.encode()
    return page.post(
        "/import", data={"file": (io.BytesIO(content), name), "kind": kind}, **more
    )


def newest():
    db.session.rollback()
    return db.session.scalars(
        sa.select(ImportRun).order_by(ImportRun.id.desc())
    ).first()


def columns_of(run):
    chosen = run.choices["columns"]
    places = {one: n for n, one in enumerate(run.table["headings"])}
    form = {f"column.{places[heading]}": name for heading, name in chosen.items()}
    form |= {f"about.{name}": one for name, one in run.choices["about"].items()}
    return form | {name: run.choices[name] for name in ("dates", "decimal", "split")}


def checked(page, text=PEOPLE, **more):
    """Upload a file, take the columns as guessed, and have it checked."""
    assert upload(page, text, **more).status_code == 303
    run = newest()
    answer = page.post(f"/import/{run.id}/columns", data=columns_of(run))
    assert answer.location.endswith(f"/import/{run.id}/check")
    assert tasks.do_waiting(page.application) == 1
    return newest()


def names():
    db.session.rollback()
    return set(db.session.scalars(sa.select(Contact.name)))


def text_of(answer):
    body = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return " ".join(body.split())


def test_a_file_is_mapped_checked_brought_in_and_undone(page, anna):
    assert "Nothing was brought in yet" in text_of(page.get("/import"))
    run = checked(page)
    assert run.choices["columns"] == {
        "Etunimi": "given_name",
        "Sukunimi": "family_name",
        "Yritys": "organisation",
        "Sähköposti": "email",
        "Puh.": "phone",
        "Luokka": "tags",
    }
    assert (run.state, names()) == ("draft", set())
    said = text_of(page.get(f"/import/{run.id}/check"))
    assert "Bring in 2 rows" in said
    assert "row 3 E-mail: This e-mail has no domain: pekka@" in said
    assert "Left out: Muu" in said
    path = import_store().path(run.file_hash)

    answer = page.post(f"/import/{run.id}/bring")
    assert answer.location.endswith(f"/import/{run.id}")
    assert "You may leave this page" in text_of(page.get(f"/import/{run.id}"))
    assert tasks.do_waiting(page.application) == 1
    assert names() == {"Outi Kallio", "Kallio Oy", "Maija Saimaa"}
    outi = db.session.scalars(
        sa.select(Contact).where(Contact.name == "Outi Kallio")
    ).one()
    assert (outi.kind, outi.tags) == ("person", ["A", "B"])
    # It is people's data: what is in needs no file any more.
    assert not path.exists()
    assert "samples" not in newest().found
    told = db.session.scalars(sa.select(Notification)).one()
    assert (told.user_id, told.url) == (anna.id, f"/import/{run.id}")
    said = text_of(page.get(f"/import/{run.id}"))
    assert "1 row was refused" in said
    assert "3 new" not in said

    said = text_of(page.get(f"/import/{run.id}/undo"))
    assert "3 records that this import made are deleted." in said
    page.post(f"/import/{run.id}/undo")
    assert tasks.do_waiting(page.application) == 1
    assert names() == set()
    assert "3 records were taken back" in text_of(page.get(f"/import/{run.id}"))
    assert page.post(f"/import/{run.id}/undo").status_code == 422


def test_the_refused_rows_come_as_a_file_that_comes_in_once_mended(page):
    run = checked(page)
    page.post(f"/import/{run.id}/bring")
    tasks.do_waiting(page.application)
    answer = page.get(f"/import/{run.id}/refused.csv")
    text = answer.data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[0][2:] == PEOPLE.splitlines()[0].split(";")
    assert rows[1][:4] == ["3", rows[1][1], "Pekka", "Tapio"]
    again = checked(page, text.replace("pekka@", "pekka@tapio.example"))
    assert again.choices["columns"]["Etunimi"] == "given_name"
    assert again.found["counts"]["refused"] == 0
    page.post(f"/import/{again.id}/bring")
    tasks.do_waiting(page.application)
    assert "Pekka Tapio" in names()


def test_a_cell_is_mended_on_the_page_and_checked_again(page):
    run = checked(page)
    assert 'name="cell.3.3"' in page.get(f"/import/{run.id}/check").text
    page.post(f"/import/{run.id}/check", data={"cell.3.3": "pekka@tapio.example"})
    tasks.do_waiting(page.application)
    run = newest()
    assert run.found["counts"] == {
        "created": 3, "updated": 0, "same": 0, "refused": 0, "left_out": 0
    }  # fmt: skip
    page.post(f"/import/{run.id}/bring")
    tasks.do_waiting(page.application)
    assert "Pekka Tapio" in names()
    # What was mended is people's data too.
    assert "cells" not in newest().choices


@pytest.mark.parametrize(
    ("choice", "phones", "count"),
    [("update", 1, 2), ("skip", 0, 2), ("new", 0, 3)],
)
def test_rows_that_are_here_already_are_shown_and_chosen_for(
    page, anna, choice, phones, count
):
    outi = make_contact(
        "Outi Kallio", kind="person", given_name="Outi", family_name="Kallio",
        emails=[{"address": "outi@kallio.example", "label": ""}],
    )  # fmt: skip
    run = checked(
        page,
        "First name,Last name,E-mail,Phone\n"
        "Outi,Kallio,outi@kallio.example,040 123 4567\n"
        "Maija,Saimaa,maija@saimaa.example,\n",
    )
    said = text_of(page.get(f"/import/{run.id}/check"))
    assert "row 2 same as Outi Kallio Phone → 040 123 4567" in said
    assert f"/contacts/{outi.id}" in page.get(f"/import/{run.id}/check").text
    # The choice for the row counts before the one for all.
    page.post(f"/import/{run.id}/bring", data={"same": "update", "row.2": choice})
    tasks.do_waiting(page.application)
    db.session.rollback()
    assert len(db.session.get_one(Contact, outi.id).phones) == phones
    every = db.session.scalars(sa.select(Contact.name).where(Contact.kind == "person"))
    assert len(every.all()) == count


def test_the_second_file_of_a_form_is_known(page):
    run = checked(page)
    form = columns_of(run)
    del form["column.5"]
    assert upload(page).status_code == 303
    assert "A file with these headings came in before" not in text_of(
        page.get("/import")
    )
    second = newest()
    assert "came in before" in text_of(page.get(f"/import/{second.id}/columns"))
    page.post(f"/import/{second.id}/columns", data=form)
    upload(page)
    assert "Luokka" not in newest().choices["columns"]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "empty.csv", "empty.csv is empty."),
        (b"Name,Phone\n", "heads.csv", "heads.csv has headings and no rows."),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 200, "photo.csv", "is not a table"),
        (b"PK\x03\x04 not a zip", "broken.xlsx", "is not a table"),
        (b"%PDF-1.7 words", "offer.csv", "is not a table"),
        ((",".join(f"c{n}" for n in range(301)) + "\n1\n").encode(), "wide.csv",
         "This file has 301 columns"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_words_and_not_kept(page, content, name, said):
    answer = upload(page, content, name=name)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert newest() is None
    assert list(import_store().hashes()) == []


def test_a_file_that_is_too_large_is_refused(page):
    with db.transaction():
        settings.save("importing", {"max_upload": 1000})
    assert upload(page, PEOPLE + "Kallio;;;\n" * 200).status_code == 413
    assert list(import_store().hashes()) == []


def test_a_workbook_that_unpacks_to_a_mountain_is_refused(page, monkeypatch):
    monkeypatch.setattr("core.importing.sniffing.MOST_UNPACKED", 1000)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", "0" * 2000)
    answer = upload(page, packed.getvalue(), name="bomb.xlsx")
    assert answer.status_code == 422
    assert "unpacks to more than we can read" in text_of(answer)


def test_a_hostile_file_name_is_shown_harmless(page):
    upload(page, name="../../etc/<b>pass\u202egpj.csv")
    run = newest()
    assert run.file_name == "<b>passgpj.csv"
    answer = page.get(f"/import/{run.id}/columns")
    assert "&lt;b&gt;passgpj.csv" in answer.text
    assert "<b>pass" not in answer.text
    assert keeping.shown_name("C:\\up\\list.csv") == "list.csv"
    assert keeping.shown_name("\x00/") == "file"
    upload(page, name="n" * 400 + ".csv")
    assert len(newest().file_name) <= 200


def test_a_formula_stays_text_and_goes_out_harmless(page):
    run = checked(page, "Name,Email\n=1+1,pekka@\n=2+2,a@b.example\n")
    page.post(f"/import/{run.id}/bring")
    tasks.do_waiting(page.application)
    assert names() == {"=2+2"}
    assert "'=1+1" in page.get(f"/import/{run.id}/refused.csv").text


def test_another_charset_can_be_chosen(page):
    text = "Имя;Телефон\nОльга;+7 495 1234567\n".encode("cp1251")
    upload(page, text)
    run = newest()
    answer = page.post(
        f"/import/{run.id}/read", data={"charset": "cp1251", "delimiter": ";"}
    )
    assert answer.status_code == 303
    assert newest().table["samples"]["Имя"] == ["Ольга"]
    answer = page.post(
        f"/import/{run.id}/read", data={"charset": "../x", "delimiter": ";"}
    )
    assert answer.status_code == 422


def test_columns_that_say_nothing_are_refused_beside_what_was_chosen(page):
    upload(page)
    run = newest()
    answer = page.post(f"/import/{run.id}/columns", data={"column.0": ""})
    assert answer.status_code == 422
    assert "Say what at least one column becomes." in text_of(answer)
    assert newest().task == ""
    two = {"column.0": "key", "column.1": "key", "column.2": "name"}
    answer = page.post(f"/import/{run.id}/columns", data=two)
    assert "Only one column is the key." in text_of(answer)


def test_columns_are_joined_and_taken_apart(page):
    upload(page, "Nimi,Titteli,Katu 1,Katu 2\nVirtanen Pekka,Ostaja,Katu 1,B 2\n")
    run = newest()
    page.post(
        f"/import/{run.id}/columns",
        data={
            "column.0": "family_first", "column.1": "job_title",
            "column.2": "work_street", "column.3": "work_street",
            "about.kind": "person",
        },
    )  # fmt: skip
    tasks.do_waiting(page.application)
    page.post(f"/import/{run.id}/bring")
    tasks.do_waiting(page.application)
    db.session.rollback()
    pekka = db.session.scalars(sa.select(Contact)).one()
    assert (pekka.given_name, pekka.family_name) == ("Pekka", "Virtanen")
    assert pekka.addresses[0]["street"] == "Katu 1 B 2"


def test_strangers_find_no_import_and_a_draft_is_its_owners(as_user, page, anna):
    run = checked(page)
    colleague = as_user(make_user("Mika Koski", roles=["sales"]))
    outsider = as_user(make_user("Sanna Niemi", roles=["support"]))
    kallio = make_contact("Kallio Oy")
    customer = as_user(make_user("Outi", kind="customer", contact=kallio))
    for path in ("", "/columns", "/check", "/progress", "/refused.csv"):
        for reader in (colleague, outsider, customer):
            assert reader.get(f"/import/{run.id}{path}").status_code == 404
    assert "asiakkaat.csv" not in colleague.get("/import").text
    assert "You may not bring in files here." in text_of(outsider.get("/import"))
    assert customer.get("/import").status_code == 404
    assert upload(outsider).status_code == 422
    assert newest().id == run.id
    page.post(f"/import/{run.id}/bring")
    tasks.do_waiting(page.application)
    assert "asiakkaat.csv" in colleague.get("/import").text
    assert colleague.get(f"/import/{run.id}/refused.csv").status_code == 403
    assert "pekka@" not in colleague.get(f"/import/{run.id}").text
    assert colleague.get(f"/import/{run.id}/undo").status_code == 200


def test_two_people_bring_in_the_same_file_at_once(as_user, page):
    mine = checked(page)
    other = as_user(make_user("Mika Koski", roles=["sales"]))
    theirs = checked(other)
    assert mine.file_hash == theirs.file_hash
    page.post(f"/import/{mine.id}/bring")
    other.post(f"/import/{theirs.id}/bring")
    while tasks.do_waiting(page.application):
        continue
    db.session.rollback()
    runs = db.session.scalars(sa.select(ImportRun).order_by(ImportRun.id)).all()
    assert [one.state for one in runs] == ["done", "done"]
    assert [one.created for one in runs] == [2, 0]
    assert list(import_store().hashes()) == []


def test_what_runs_already_is_not_begun_twice(page):
    run = checked(page)
    page.post(f"/import/{run.id}/bring")
    assert page.post(f"/import/{run.id}/bring").status_code == 404
    assert page.post(f"/import/{run.id}/undo").status_code == 422
    assert page.post(f"/import/{run.id}/discard").status_code == 404


def test_an_import_that_fails_stops_and_goes_on(page, monkeypatch):
    run = checked(page)
    page.post(f"/import/{run.id}/bring")

    def fails(*_args, **_more):
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(tasks, "resume_import", fails)
        tasks.do_waiting(page.application)
    said = text_of(page.get(f"/import/{run.id}"))
    assert "Stopped at row 0" in said
    assert "Something here failed" in said
    assert "disk" not in said
    page.post(f"/import/{run.id}/continue")
    tasks.do_waiting(page.application)
    assert (newest().state, newest().created) == ("done", 2)
    assert page.post(f"/import/{run.id}/continue").status_code == 422


def test_an_import_waits_for_a_busy_database_and_goes_on(page, monkeypatch):
    run = checked(page)
    page.post(f"/import/{run.id}/bring")

    def busy(*_args, **_more):
        raise OperationalError("", {}, Exception("database is locked"))

    with monkeypatch.context() as broken:
        broken.setattr(tasks, "resume_import", busy)
        assert tasks.do_waiting(page.application) == 0
    assert (newest().state, newest().task) == ("running", "bring")
    assert tasks.do_waiting(page.application) == 1
    assert (newest().state, newest().created) == ("done", 2)


def test_whoever_may_no_longer_bring_in_files_does_not_by_the_worker(page, anna):
    run = checked(page)
    page.post(f"/import/{run.id}/bring")
    with db.transaction() as session:
        session.get_one(type(anna), anna.id).roles = []
    tasks.do_waiting(page.application)
    assert (newest().state, newest().created) == ("stopped", 0)


def test_a_worker_puts_an_import_down_and_the_next_goes_on(page, monkeypatch):
    monkeypatch.setitem(STEPS, "postgresql", 100)
    rows = "".join(f"Firma {n},f{n}@firma.example\n" for n in range(250))
    run = checked(page, "Name,Email\n" + rows)
    page.post(f"/import/{run.id}/bring")
    asked = iter([False, True])
    assert tasks.do_waiting(page.application, stop=lambda: next(asked)) == 1
    half = newest()
    assert (half.state, half.task, half.resume_row) == ("running", "bring", 100)
    assert len(names()) == 100
    tasks.do_waiting(page.application)
    assert (newest().state, newest().created) == ("done", 250)
    assert len(names()) == 250


def test_a_worker_that_lost_its_lease_takes_its_step_back(page, monkeypatch):
    monkeypatch.setitem(STEPS, "postgresql", 100)
    run = checked(page, "Name\n" + "".join(f"Firma {n}\n" for n in range(150)))
    page.post(f"/import/{run.id}/bring")

    def loses():
        # Another worker takes the task between two steps of this one.
        statement = sa.update(ImportRun).values(token="another", leased_until=now())
        db.session.execute(statement)
        return False

    assert tasks.do_waiting(page.application, stop=loses) == 1
    half = newest()
    assert (half.token, half.state) == ("another", "running")
    assert half.resume_row == 100
    assert len(names()) == 100


def test_a_forgotten_draft_goes_with_its_file(page, clock):
    content = checked(page).file_hash
    with db.transaction():
        keeping.forget_old()
    assert import_store().exists(content)
    clock.shift(15 * 86400)
    with db.transaction():
        keeping.forget_old()
    assert newest() is None
    assert not import_store().exists(content)


def test_the_pages_stay_cheap(page, count_queries):
    run = checked(page)
    for path in ("", f"/{run.id}/columns", f"/{run.id}/check", f"/{run.id}/progress"):
        with count_queries() as counter:
            assert page.get(f"/import{path}").status_code == 200
        assert counter.count <= 12, (path, counter.statements)


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        # Outlook
        ("Title,First Name,Middle Name,Last Name,Company,Job Title,Business Street,"
         "Business Street 2,Business City,Home City,Business Fax,Business Phone,"
         "Mobile Phone,E-mail Address,E-mail Display Name,Notes,Web Page,Spouse",
         {"First Name": "given_name", "Last Name": "family_name",
          "Company": "organisation", "Job Title": "job_title",
          "Business Street": "work_street", "Business Street 2": "work_street",
          "Business City": "work_city", "Home City": "home_city",
          "Business Phone": "phone_work", "Mobile Phone": "phone_mobile",
          "E-mail Address": "email", "Notes": "know_first", "Web Page": "website"}),
        # Google
        ("Name,Given Name,Family Name,Group Membership,E-mail 1 - Type,"
         "E-mail 1 - Value,Phone 1 - Value,Address 1 - Formatted,Address 1 - City,"
         "Organization 1 - Name,Organization 1 - Title",
         {"Given Name": "given_name", "Family Name": "family_name",
          "Group Membership": "tags", "E-mail 1 - Value": "email",
          "Phone 1 - Value": "phone", "Address 1 - City": "address_city",
          "Organization 1 - Name": "organisation",
          "Organization 1 - Title": "job_title"}),
        # Salesforce
        ("Id,FirstName,LastName,AccountName,Title,MailingStreet,MailingPostalCode,"
         "Phone,MobilePhone,Email",
         {"FirstName": "given_name", "LastName": "family_name",
          "AccountName": "organisation", "Title": "job_title",
          "MailingStreet": "address_street", "MailingPostalCode": "address_postcode",
          "Phone": "phone", "MobilePhone": "phone_mobile", "Email": "email"}),
        # HubSpot
        ("Record ID,First Name,Last Name,Email,Phone Number,Lead Status,"
         "Associated Company,State/Region,Website URL",
         {"First Name": "given_name", "Last Name": "family_name", "Email": "email",
          "Phone Number": "phone", "Associated Company": "organisation",
          "State/Region": "address_region", "Website URL": "website"}),
        ("Vorname,Nachname,Firma,PLZ,Ort,Straße,Telefon,Handy",
         {"Vorname": "given_name", "Nachname": "family_name",
          "Firma": "organisation", "PLZ": "address_postcode", "Ort": "address_city",
          "Straße": "address_street", "Telefon": "phone", "Handy": "phone_mobile"}),
        ("Förnamn,Efternamn,Företag,E-post,Postnummer",
         {"Förnamn": "given_name", "Efternamn": "family_name",
          "Företag": "organisation", "E-post": "email",
          "Postnummer": "address_postcode"}),
        ("姓名,公司,手机,邮箱",
         {"姓名": "name", "公司": "organisation", "手机": "phone_mobile",
          "邮箱": "email"}),
        # Without anybody's name, the firm is whom the row is about.
        ("Company,Telephone", {"Company": "name", "Telephone": "phone"}),
    ],
)  # fmt: skip
def test_the_files_of_other_systems_are_known_by_their_headings(
    app, headings, expected
):
    kind = import_kinds(app)["contacts"]
    columns = headings.split(",")
    assert guess(kind, columns, {}) == expected


def test_columns_without_a_telling_heading_are_known_by_their_values(app):
    kind = import_kinds(app)["contacts"]
    samples = {
        "A": ["anna@example.com", "mika@example.com", ""],
        "B": ["+358 40 123 4567", "040-555 1212"],
        "C": ["www.kallio.example", "https://tapio.example/a"],
        "D": ["12", "7", "x"],
    }
    found = guess(kind, list(samples), samples)
    assert found == {"A": "email", "B": "phone", "C": "website"}
    assert guess_dates(["1.3.2026", "31.12.2026"]) == "%d.%m.%Y"
    assert guess_dates(["1/3/2026", "12/31/2026"]) == "%m/%d/%Y"
    assert guess_dates(["31/12/2026", "1/3/2026"]) == "%d/%m/%Y"
    assert guess_dates(["2026-12-31", "words"]) == "%Y-%m-%d"
    assert guess_decimal(["12,50", "1.300,00"]) == ","


def test_every_kind_can_be_mapped_by_looking(as_user):
    boss = as_user(make_user("Helena Lehto", roles=["admin"]))
    for kind in sorted(import_kinds(boss.application)):
        assert upload(boss, "Name,SKU\nA,B\n", kind=kind).status_code == 303
        run = newest()
        assert boss.get(f"/import/{run.id}/columns").status_code == 200
    assert upload(boss, kind="cakes").status_code == 422


def test_products_come_in_with_commas_for_decimals(as_user):
    boss = as_user(make_user("Helena Lehto", roles=["admin"]))
    run = checked(
        boss, "SKU;Name;Price\nKV-1;Elbow;1.204,50\nKV-2;Tee;x\n", kind="products"
    )
    said = text_of(boss.get(f"/import/{run.id}/check"))
    assert "1.204" not in said
    assert run.found["counts"]["created"] == 1
    assert "row 3 Price:" in said

"""Journey 7: a spreadsheet from elsewhere is mapped, checked, brought in, undone."""

import pytest
import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.testing.factories import PASSWORD, make_contact, make_user
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]

ROWS = 150
HEAD = "Etunimi;Sukunimi;Firma;Sähköposti;Puh.;Syntynyt;Oma koodi\n"
FILE = HEAD + "".join(
    f"Asiakas{n};Laine;Firma {n % 7};a{n}@firma.example;040 123 {n:04};31.12.1970;{n}\n"
    for n in range(ROWS)
)
FILE += "Pekka;Tapio;Tapio Oy;pekka@;040 555 1212;;\n"
FILE += "Outi;Kallio;Kallio Oy;outi@kallio.example;040 777 7777;;\n"


def people():
    with db.read_only() as session:
        return session.scalars(
            sa.select(Contact.name).where(Contact.kind == "person")
        ).all()


def phones_of(contact_id):
    with db.read_only() as session:
        found = session.get_one(Contact, contact_id).phones
    return [one["number"] for one in found]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_file_from_elsewhere_is_looked_at_checked_brought_in_and_undone(
    server, browser, scripts
):
    outi = make_contact(
        "Outi Kallio", kind="person", given_name="Outi", family_name="Kallio",
        emails=[{"address": "outi@kallio.example", "label": ""}],
        phones=[{"number": "040 123 4567", "label": ""}],
    )  # fmt: skip
    boss = make_user("Anna Laine", roles=("sales",), password=PASSWORD)
    anna = Person(
        browser, server, boss, scripts=scripts, width=1280 if scripts else 390
    )
    page = anna.page

    def waits_for(words):
        """Without scripts the page comes again by itself, every few seconds."""
        page.locator("main").get_by_text(words).first.wait_for(timeout=60_000)

    anna.opens("/import")
    assert "Nothing was brought in yet" in anna.reads()
    for name, said in (("photo.csv", "is not a table"), ("asiakkaat.csv", "")):
        content = b"%PDF-1.7" if said else FILE.encode("cp1252")
        file = {"name": name, "mimeType": "text/csv", "buffer": content}
        page.set_input_files("input[type=file]", [file])
        anna.presses("Go on to the columns")
        if said:
            waits_for(said)

    # Each column with its first rows, and a guess; one of them is put right.
    page.wait_for_url("**/columns")
    assert "Asiakas0 · Asiakas1 · Asiakas2" in anna.reads()
    mail = page.get_by_label("Sähköposti", exact=True)
    assert mail.input_value() == "email"
    page.get_by_label("Oma koodi", exact=True).select_option(label="Tags")
    anna.presses("Check the file")

    # New, known and refused rows; what is simple is mended on the spot.
    waits_for("This e-mail has no domain: pekka@")
    assert f"row {ROWS + 3} same as Outi Kallio" in anna.reads()
    page.locator("summary", has_text="Fix here").click()
    page.locator(f"input[name='cell.{ROWS + 2}.3']").fill("pekka@tapio.example")
    page.locator("details[open]").get_by_role("button", name="Check again").click()
    bring = page.get_by_role("button", name=f"Bring in {ROWS + 2} rows")
    bring.wait_for(timeout=60_000)
    assert people() == ["Outi Kallio"]

    # She leaves while it runs, and is told when it is in.
    bring.click()
    page.locator("progress").wait_for()
    anna.opens("/notifications")
    for _try in range(60):
        if "asiakkaat.csv is brought in" in anna.reads():
            break
        page.wait_for_timeout(500)
        page.reload()
    page.get_by_text("asiakkaat.csv is brought in").click()
    page.get_by_role("link", name="Undo import").wait_for()
    assert len(people()) == ROWS + 2
    assert phones_of(outi.id) == ["040 123 4567", "040 777 7777"]

    # And all of it goes again, but for what was here before.
    page.get_by_role("link", name="Undo import").click()
    assert "1 record was here before" in anna.reads()
    anna.presses("Undo import")
    waits_for("records were taken back")
    assert people() == ["Outi Kallio"]
    anna.opens("/import")
    assert "taken back" in anna.reads()
    assert not [one for one in anna.complaints if "HX-" not in one]

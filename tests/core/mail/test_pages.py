"""Taking a mail back, and the outbox of administrators."""

from datetime import timedelta

import pytest

from core.db import db
from core.mail.models import OutgoingMail
from core.testing.factories import make_contact, make_user
from tests.core.mail.writing import PEKKA, look, write


@pytest.fixture
def admin(as_user):
    return as_user(make_user("Helena Lehto", roles=["admin"]))


def test_its_author_takes_a_mail_back_in_time(mailbox, as_user, deliver, clock):
    anna = make_user("Anna Laine")
    mail_id = write(author_id=anna.id)
    answer = as_user(anna).post(f"/mail/{mail_id}/undo", data={"next": "/contacts"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/contacts")
    clock.shift(timedelta(minutes=1))
    deliver()
    assert mailbox.messages == []


def test_too_late_is_said_and_why(mailbox, as_user, deliver):
    anna = make_user("Anna Laine")
    mail_id = write(author_id=anna.id, hold=0)
    deliver()
    answer = as_user(anna).post(f"/mail/{mail_id}/undo")
    assert answer.status_code == 409
    assert "This mail has been sent." in answer.text


def test_nobody_else_takes_it_back_or_learns_that_it_exists(app, as_user):
    anna, mikko = make_user("Anna Laine"), make_user("Mikko Salo")
    firm = make_contact()
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    mail_id = write(author_id=anna.id)
    for other in (mikko, outi):
        assert as_user(other).post(f"/mail/{mail_id}/undo").status_code == 404
        assert as_user(other).post(f"/mail/{mail_id + 9}/undo").status_code == 404
    assert look(mail_id).state == "held"


def test_administrators_see_what_became_of_each_mail_and_never_its_words(
    mailbox, admin, deliver
):
    anna = make_user("Anna Laine")
    mailbox.refuse[PEKKA] = "550 5.1.1 no such mailbox"
    write(author_id=anna.id, text="Between you and me", hold=0)
    deliver()
    page = admin.get("/admin/mail").text
    for words in ("Your offer", PEKKA, "Anna Laine", "550 5.1.1 no such mailbox"):
        assert words in page
    assert "Between you and me" not in page
    assert "Your offer" not in admin.get("/admin/mail?state=waiting").text


def test_what_a_mail_server_says_is_text_and_nothing_else(mailbox, admin, deliver):
    mailbox.refuse[PEKKA] = "550 <script>alert(1)</script> 100%(x)s"
    write(hold=0)
    deliver()
    page = admin.get("/admin/mail").text
    assert "550 &lt;script&gt;alert(1)&lt;/script&gt; 100%(x)s" in page


def test_administrators_try_again_and_cancel(mailbox, admin, deliver):
    mailbox.refuse[PEKKA] = "550 5.1.1 no such mailbox"
    mail_id = write(hold=0)
    deliver()
    mailbox.refuse.clear()
    assert admin.post(f"/admin/mail/{mail_id}/try-again").status_code == 303
    deliver()
    assert len(mailbox.messages) == 1
    assert admin.post(f"/admin/mail/{mail_id}/try-again").status_code == 409
    assert admin.post(f"/admin/mail/{mail_id}/cancel").status_code == 409
    held = write()
    assert admin.post(f"/admin/mail/{held}/cancel").status_code == 303
    assert look(held).state == "cancelled"
    assert admin.post("/admin/mail/999/cancel").status_code == 404


def test_a_house_without_a_mail_server_reads_so_above_its_outbox(admin):
    page = admin.get("/admin/mail").text
    assert "No mail server is set. Set SMTP_HOST" in page
    assert "No mail here." in page


def test_the_outbox_is_read_page_by_page(app, admin, count_queries):
    for number in range(51):
        write(subject=f"Number {number}.")
    with count_queries() as counted:
        first = admin.get("/admin/mail").text
    assert counted.count <= 12
    assert "Number 50." in first
    assert "Number 0." not in first
    address = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    assert "Number 0." in admin.get(address.replace("&amp;", "&")).text


def test_the_outbox_is_for_administrators(as_user):
    assert as_user(make_user("Anna Laine")).get("/admin/mail").status_code == 403
    with db.read_only() as session:
        assert session.get(OutgoingMail, 1) is None

"""Where outgoing mail meets the rest: its author is told, and can take it back."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Blueprint, redirect

from core import settings
from core.db import db
from core.mail.offers import send_from_page
from core.mail.words import from_text
from core.notifications.models import Notification
from core.permissions import signed_in
from core.testing.factories import make_contact, make_user
from core.testing.plugins import make_plugin
from tests.core.mail.writing import PEKKA, all_mails, look, write

bp = Blueprint("probe", __name__)
OTHERS = ["outi@customer.example", "mika@customer.example"]


@bp.post("/probe/send")
@signed_in
def send():
    send_from_page([PEKKA], words=from_text("Your offer", "Here.", language="en"))
    return redirect("/contacts", 303)


@bp.post("/probe/send-all")
@signed_in
def send_all():
    words = from_text("Your offer", "Here.", language="en")
    send_from_page([PEKKA, *OTHERS], words=words)
    return redirect("/contacts", 303)


@pytest.fixture
def app_plugins():
    return (("probe", make_plugin(register_blueprints=lambda: [bp])),)


@pytest.fixture
def anna(app):
    return make_user("Anna Laine")


def lines_of(user):
    with db.read_only() as session:
        query = sa.select(Notification).where(Notification.user_id == user.id)
        return [(one.kind, one.text, one.url) for one in session.scalars(query)]


def test_a_mail_written_on_a_page_offers_undo_and_is_then_never_sent(
    mailbox, as_user, anna, deliver, clock
):
    browser = as_user(anna)
    browser.post("/probe/send")
    [mail] = all_mails()
    assert mail.author_id == anna.id
    page = browser.get("/contacts").text
    assert f"Sending to {PEKKA} in " in page
    assert f'action="/mail/{mail.id}/undo"' in page
    assert browser.post(f"/mail/{mail.id}/undo").status_code == 303
    clock.shift(timedelta(minutes=1))
    deliver()
    assert mailbox.messages == []


def test_where_nothing_waits_there_is_nothing_to_undo(app, as_user, anna):
    with db.transaction():
        settings.save("mail", {"hold_seconds": 0})
    browser = as_user(anna)
    browser.post("/probe/send-all")
    page = browser.get("/contacts").text
    assert f"Sending to {PEKKA} and 2 others" in page
    assert "/undo" not in page


def test_the_author_of_a_mail_that_is_refused_is_told_and_tries_again(
    mailbox, as_user, anna, deliver
):
    mailbox.refuse[PEKKA] = "550 5.1.1 no such mailbox"
    mail_id = write(author_id=anna.id, hold=0)
    deliver()
    place = f"/mail/{mail_id}"
    assert lines_of(anna) == [("mail.refused", "Not delivered: Your offer", place)]
    browser = as_user(anna)
    assert "Not delivered: Your offer" in browser.get("/notifications").text
    page = browser.get(place).text
    assert "550 5.1.1 no such mailbox" in page
    assert f'action="{place}/try-again"' in page
    # Refused again is news again; taken is none.
    assert browser.post(f"{place}/try-again").status_code == 303
    deliver()
    assert len(lines_of(anna)) == 2
    mailbox.refuse.clear()
    browser.post(f"{place}/try-again")
    deliver()
    assert len(lines_of(anna)) == 2
    assert [one["Subject"] for one in mailbox.messages] == ["Your offer"]
    assert f"{place}/try-again" not in browser.get(place).text
    assert browser.post(f"{place}/try-again").status_code == 409


def test_a_mail_without_an_author_tells_nobody(mailbox, anna, deliver):
    mailbox.refuse[PEKKA] = "550 no"
    mail_id = write(hold=0)
    deliver()
    assert look(mail_id).state == "parked"
    assert lines_of(anna) == []


def test_nobody_else_learns_that_a_mail_of_mine_exists(app, as_user, anna):
    firm = make_contact()
    mail_id = write(author_id=anna.id)
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    for other in (make_user("Mikko Salo"), make_user(roles=("admin",)), outi):
        browser = as_user(other)
        for answer in (
            browser.get(f"/mail/{mail_id}"),
            browser.post(f"/mail/{mail_id}/try-again"),
            browser.get(f"/mail/{mail_id + 99}"),
        ):
            assert answer.status_code == 404
    assert look(mail_id).state == "held"

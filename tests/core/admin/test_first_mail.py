"""The first hour's mailbox: a test mail now, and colleagues invited by mail."""

import pytest
import sqlalchemy as sa

from core.db import db
from core.testing.factories import PASSWORD, make_user
from core.users.models import User

STEP, TEST = "/admin/first-hour/mailbox", "/admin/first-hour/mailbox/test"
PEOPLE = "/admin/first-hour/colleagues"


@pytest.fixture
def browser(app, as_user):
    return as_user(make_user("Ad Min", roles=("admin",), email="boss@house.example"))


def colleagues():
    with db.read_only() as session:
        query = sa.select(User).where(User.email.like("%@new.example"))
        return list(session.scalars(query.order_by(User.email)))


def test_a_test_mail_arrives_or_the_mail_server_s_own_words_are_shown(mailbox, browser):
    assert "Send a test mail to me" in browser.get(STEP).text
    assert browser.post(TEST).status_code == 303
    assert mailbox.messages[0]["To"] == "boss@house.example"
    assert "The mail server has taken it" in browser.get(STEP).text
    mailbox.refuse["boss@house.example"] = "550 5.7.1 relaying denied"
    refused = browser.post(TEST)
    assert refused.status_code == 422
    assert "The mail server answered: 550 5.7.1 relaying denied" in refused.text
    assert len(mailbox.messages) == 1


def test_a_mail_server_that_is_back_is_asked_again_at_once(mailbox, browser):
    mailbox.stop()
    assert "does not answer" in browser.post(TEST).text
    mailbox.start()
    assert browser.post(TEST).status_code == 303


def test_without_a_mail_server_there_is_no_test_and_a_program_is_told_why(browser):
    assert "Send a test mail to me" not in browser.get(STEP).text
    refused = browser.post(TEST)
    assert refused.status_code == 422
    assert "No mail server is set" in refused.text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"MAIL_FROM": "crm at house"}, "MAIL_FROM is not an e-mail address."),
        ({"MAIL_FROM": None}, "Mails have no sender."),
        ({"SMTP_SECURITY": "some"}, "SMTP_SECURITY must be starttls, tls or none."),
    ],
)
def test_a_mailbox_set_up_wrongly_says_what_to_mend(app, mailbox, browser, wrong, said):
    app.config.update(wrong)
    page = browser.get(STEP).text
    assert said in page
    assert "then restart Rapport" in page
    assert "No mail server is named" not in page
    assert "Send a test mail to me" not in page


def test_without_an_address_for_links_a_mail_is_tried_but_nobody_invited(
    app, mailbox, browser
):
    app.config["PUBLIC_URL"] = None
    page = browser.get(STEP).text
    assert "Links in mails need the address of this server" in page
    assert "Send a test mail to me" in page
    assert "Each gets an invitation" not in browser.get(PEOPLE).text


def test_a_test_mail_is_for_who_may_change_the_settings(app, as_user):
    assert as_user(make_user("Anna Laine")).post(TEST).status_code == 403


def test_colleagues_are_invited_by_mail_where_mail_goes_out(mailbox, browser, deliver):
    form = {
        "people": "Anna Laine anna@new.example\nMika Salo mika@new.example",
        "role": "sales",
    }
    assert "Each gets an invitation by e-mail" in browser.get(PEOPLE).text
    assert browser.post(PEOPLE, data=form).status_code == 303
    assert "2 invitations are on their way" in browser.get(STEP).text
    deliver()
    assert {one["To"] for one in mailbox.messages} == {
        "Anna Laine <anna@new.example>",
        "Mika Salo <mika@new.example>",
    }
    assert [one.password_hash for one in colleagues()] == [None, None]


def test_with_one_password_for_all_nobody_is_invited(mailbox, browser, deliver):
    form = {"people": "Anna anna@new.example", "role": "sales", "password": PASSWORD}
    assert browser.post(PEOPLE, data=form).status_code == 303
    deliver()
    assert mailbox.messages == []
    assert colleagues()[0].password_hash


def test_where_no_mail_goes_out_a_password_is_needed(browser):
    form = {"people": "Anna anna@new.example", "role": "sales"}
    assert "Each gets an invitation" not in browser.get(PEOPLE).text
    refused = browser.post(PEOPLE, data=form)
    assert refused.status_code == 422
    assert "choose a password here" in refused.text
    assert colleagues() == []

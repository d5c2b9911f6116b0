"""A new password by mail, from "forgot" to signed in, and what a link cannot do."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.db import db
from core.events import Event
from core.i18n import LANGUAGES
from core.mail.models import OutgoingMail
from core.testing.factories import PASSWORD, make_contact, make_user
from core.testing.mail import html_of, text_of
from core.users.password_models import PasswordLink, PasswordRequest
from core.users.passwords import forget_old_requests
from core.users.services import disable_user, find_user

NEW = "a better horse battery"


def token(page):
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def forgot(client, email, **more):
    sent = {"email": email, "csrf_token": token(client.get("/sign-in/forgot").text)}
    return client.post("/sign-in/forgot", data=sent, **more)


def shown(answer):
    """Give what a page says, without the tokens around it."""
    return answer.text.split("</main>")[0].split("<main")[1]


def link_in(message):
    [found] = re.findall(r"http://localhost(/sign-in/reset/\S+)", text_of(message))
    return found


def choose(client, link, password=NEW):
    page = client.get(link)
    sent = {"password": password, "csrf_token": token(page.text)}
    return client.post(link, data=sent)


def sign_in(client, email, password):
    sent = {"email": email, "password": password}
    sent["csrf_token"] = token(client.get("/sign-in").text)
    return client.post("/sign-in", data=sent).status_code


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", email="anna@example.com", password=PASSWORD)


@pytest.fixture
def link(client, mailbox, deliver, anna):
    """A fresh link in Anna's mailbox."""
    forgot(client, anna.email)
    deliver()
    return link_in(mailbox.messages[-1])


def test_who_forgot_chooses_a_new_password_and_is_signed_in(
    app, client, mailbox, deliver, anna, as_user
):
    elsewhere = as_user(anna)
    page = client.get("/sign-in").text
    assert 'href="/sign-in/forgot"' in page
    answer = forgot(client, " Anna@Example.com ")
    assert answer.status_code == 200
    deliver()
    [message] = mailbox.messages
    assert message["To"].addresses[0].addr_spec == anna.email
    assert message["Auto-Submitted"] == "auto-generated"
    answer = choose(client, link_in(message))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert client.get("/me").status_code == 200
    assert elsewhere.get("/me").status_code == 302
    deliver()
    assert mailbox.messages[1]["Subject"] == "Your password for Rapport was changed"
    assert sign_in(app.test_client(), anna.email, NEW) == 303
    assert sign_in(app.test_client(), anna.email, PASSWORD) == 422
    with db.read_only() as session:
        types = set(session.scalars(sa.select(Event.type)))
    assert {"user.password_asked", "user.password_changed"} <= types


def test_the_answer_is_the_same_for_an_address_without_account(
    app, mailbox, deliver, anna, count_queries
):
    def ask(email):
        client = app.test_client()
        page = token(client.get("/sign-in/forgot").text)
        with count_queries() as counted:
            answer = client.post(
                "/sign-in/forgot", data={"email": email, "csrf_token": page}
            )
        text = shown(answer).replace(email, "…")
        return answer.status_code, text, counted.statements

    assert ask("anna@example.com") == ask("nobody@example.com")
    deliver()
    assert len(mailbox.messages) == 1
    with db.read_only() as session:
        assert set(session.scalars(sa.select(PasswordRequest.email))) == {None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_is_in_the_language_of_its_reader(
    app, client, mailbox, deliver, language
):
    user = make_user("Väinö Äijälä", password=PASSWORD, language=language)
    forgot(client, user.email, headers={"Accept-Language": "en"})
    deliver()
    from core.i18n import _, in_language

    with app.app_context(), in_language(language):
        subject = _("A new password for %(house)s", house="Rapport")
    assert mailbox.messages[0]["Subject"] == subject


def test_a_name_is_written_as_it_is_in_both_kinds_of_words(client, mailbox, deliver):
    user = make_user("Mary O'Brien <b> & Sons", email="mary@example.com")
    forgot(client, user.email)
    deliver()
    [message] = mailbox.messages
    assert "Hello Mary O'Brien <b> & Sons," in text_of(message)
    assert "Hello Mary O&#39;Brien &lt;b&gt; &amp; Sons," in html_of(message)


@pytest.mark.parametrize("kind", ["customer", "vendor"])
def test_people_of_customers_and_vendors_do_the_same(
    app, client, mailbox, deliver, kind
):
    user = make_user("Outi Kallio", kind=kind, contact=make_contact())
    forgot(client, user.email)
    deliver()
    assert choose(client, link_in(mailbox.messages[0])).status_code == 303
    assert client.get("/", follow_redirects=True).status_code == 200
    assert client.get("/me").status_code == 200


def test_a_link_works_once(app, client, link):
    assert choose(client, link).status_code == 303
    again = app.test_client().get(link)
    assert again.status_code == 410
    assert "This link is no longer good" in again.text
    assert 'href="/sign-in/forgot"' in again.text


def test_a_form_sent_twice_sets_one_password(app, client, link, anna):
    other = app.test_client()
    second = token(other.get(link).text)
    assert choose(client, link).status_code == 303
    late = {"password": "somebody else entirely", "csrf_token": second}
    assert other.post(link, data=late).status_code == 410
    assert sign_in(app.test_client(), anna.email, NEW) == 303


def test_a_link_is_good_for_an_hour(client, link, clock):
    clock.shift(timedelta(minutes=59))
    assert client.get(link).status_code == 200
    clock.shift(timedelta(minutes=2))
    assert client.get(link).status_code == 410


def test_a_new_password_makes_earlier_links_void(
    app, client, mailbox, deliver, link, anna
):
    forgot(client, anna.email)
    deliver()
    newer = link_in(mailbox.messages[-1])
    assert newer != link
    assert choose(client, newer).status_code == 303
    assert app.test_client().get(link).status_code == 410


def test_a_short_password_is_refused_and_the_link_stays_good(client, link, anna):
    refused = choose(client, link, "short")
    assert refused.status_code == 422
    assert "at least 10 characters" in refused.text
    assert anna.email in refused.text
    assert choose(client, link).status_code == 303


def test_a_link_opens_its_own_account_and_no_other(app, link, as_user, anna):
    mikko = make_user("Mikko Salo", email="mikko@example.com", password=PASSWORD)
    browser = as_user(mikko)
    assert anna.email in browser.get(link).text
    assert browser.post(link, data={"password": NEW}).status_code == 303
    assert anna.email in browser.get("/api/v1/me").text
    assert sign_in(app.test_client(), mikko.email, PASSWORD) == 303
    assert sign_in(app.test_client(), mikko.email, NEW) == 422


@pytest.mark.parametrize("guess", ["x", "0" * 43, "sealed-" + "0" * 32, "é%00"])
def test_a_guessed_link_opens_nothing(client, link, guess):
    assert client.get(f"/sign-in/reset/{guess}").status_code == 410


def test_a_closed_account_gets_nothing_and_its_link_opens_nothing(
    app, client, mailbox, deliver, link, anna
):
    with db.transaction():
        disable_user(find_user(anna.email))
    assert client.get(link).status_code == 410
    forgot(client, anna.email)
    deliver()
    assert len(mailbox.messages) == 1


def test_the_secret_is_in_the_mail_and_nowhere_else(app, client, link, caplog):
    secret = link.rsplit("/", 1)[1]
    with db.read_only() as session:
        [mail] = session.scalars(sa.select(OutgoingMail))
        kept = [mail.text, mail.html, str(mail.seal)]
        kept += session.scalars(sa.select(PasswordLink.secret_hash))
        kept += [str(one) for one in session.scalars(sa.select(Event.data))]
    assert not [one for one in kept if secret in one]
    assert secret not in caplog.text
    page = client.get(link)
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert page.headers["Cache-Control"] == "no-store"
    assert 'src="http' not in page.text


def test_on_tls_the_form_is_taken_with_the_origin_alone(app, mailbox, link):
    client = app.test_client()
    options = {"base_url": "https://localhost"}
    sent = {"password": NEW, "csrf_token": token(client.get(link, **options).text)}
    origin = {"Referer": "https://localhost/"}
    answer = client.post(link, data=sent, headers=origin, **options)
    assert answer.status_code == 303


def test_a_forged_host_does_not_reach_the_mail(client, mailbox, deliver, anna):
    page = token(client.get("/sign-in/forgot", base_url="http://evil.example").text)
    client.post(
        "/sign-in/forgot",
        data={"email": anna.email, "csrf_token": page},
        base_url="http://evil.example",
    )
    deliver()
    assert "http://localhost/sign-in/reset/" in text_of(mailbox.messages[0])
    assert "evil.example" not in text_of(mailbox.messages[0])


def test_an_account_gets_three_mails_an_hour_and_no_word_of_it_is_said(
    client, mailbox, deliver, anna, clock
):
    assert len({shown(forgot(client, anna.email)) for _ in range(5)}) == 1
    deliver()
    assert len(mailbox.messages) == 3
    clock.shift(timedelta(hours=1, minutes=1))
    forgot(client, anna.email)
    deliver()
    assert len(mailbox.messages) == 4


def test_an_address_that_asks_too_often_is_told_to_wait(app, client, clock, anna):
    app.config.update(SMTP_HOST="127.0.0.1", MAIL_FROM="a@b.fi", PUBLIC_URL="http://x")
    for number in range(20):
        assert forgot(client, f"nobody{number}@example.com").status_code == 200
    refused = forgot(client, anna.email)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    elsewhere = app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert forgot(elsewhere, anna.email).status_code == 200
    clock.shift(timedelta(hours=1, minutes=1))
    assert forgot(client, anna.email).status_code == 200


def test_a_house_that_sends_no_mail_says_so_before_anybody_types(app, client):
    assert "This server sends no mail." in client.get("/sign-in/forgot").text


def test_old_links_and_questions_are_forgotten(link, clock):
    clock.shift(timedelta(days=3))
    with db.transaction() as session:
        forget_old_requests()
        assert session.scalar(sa.select(sa.func.count(PasswordLink.id))) == 0
        assert session.scalar(sa.select(sa.func.count(PasswordRequest.id))) == 0


@pytest.fixture
def admin(as_user):
    return as_user(make_user("Helena Lehto", roles=["admin"]))


def new_user(admin, **more):
    sent = {"name": "Sami Korhonen", "email": "sami@example.com", "roles": ["sales"]}
    return admin.post("/admin/users", data=sent | more)


def test_a_new_colleague_is_invited_and_chooses_a_password(
    app, client, admin, mailbox, deliver, clock
):
    page = new_user(admin, password="")
    assert page.status_code == 303
    deliver()
    [message] = mailbox.messages
    assert message["To"].addresses[0].addr_spec == "sami@example.com"
    assert "Helena Lehto has made an account for you." in text_of(message)
    link = link_in(message)
    clock.shift(timedelta(days=6, hours=23))
    assert client.get(link).status_code == 200
    assert choose(client, link).status_code == 303
    assert client.get("/me").status_code == 200


def test_an_invitation_ends_after_seven_days_and_another_can_be_had(
    app, client, admin, mailbox, deliver, clock
):
    new_user(admin, password="")
    deliver()
    clock.shift(timedelta(days=7, minutes=1))
    assert client.get(link_in(mailbox.messages[0])).status_code == 410
    forgot(client, "sami@example.com")
    deliver()
    assert choose(client, link_in(mailbox.messages[1])).status_code == 303


def test_without_mail_a_new_colleague_needs_a_password_and_nothing_is_kept(admin, app):
    refused = new_user(admin, password="")
    assert refused.status_code == 422
    assert "No invitation can be mailed" in refused.text
    assert new_user(admin, password=PASSWORD).status_code == 303
    assert sign_in(app.test_client(), "sami@example.com", PASSWORD) == 303


def test_whoever_changes_their_password_gets_a_notice(mailbox, deliver, as_user, anna):
    sent = {"old_password": PASSWORD, "new_password": NEW}
    assert as_user(anna).post("/me/password", data=sent).status_code == 303
    deliver()
    [message] = mailbox.messages
    assert "tell your administrator at once" in text_of(message)

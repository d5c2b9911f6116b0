"""News by mail: at once or once a day, each once, only what may still be read."""

import re
import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec, intern_audience
from core.db import db
from core.interactions.models import Interaction
from core.notifications.models import NotificationChoice, NotificationMute
from core.notifications.services import notify
from core.pages import NotificationKind
from core.testing.factories import make_contact, make_interaction, make_user
from core.testing.mail import html_of, text_of
from core.testing.plugins import make_plugin
from core.users.models import User
from core.worker import run_due_jobs
from tests.core.mail.writing import all_mails

KIND, OTHER = "news.told", "news.other"
WAIT = 5 * 60 + 1


@pytest.fixture
def app_plugins():
    names = {KIND: "Told", OTHER: "Other"}
    kinds = [
        NotificationKind(name, title, "bell", ("staff", "customer"))
        for name, title in names.items()
    ]
    return (("news", make_plugin(register_notifications=lambda: kinds)),)


@pytest.fixture
def app_config():
    # What the limits count is kept in the process; a wide limit spares the tests.
    return {}


@pytest.fixture
def firm(app):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", email="anna@house.example", teams=["Sales"])


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", teams=["Sales"])


def choose(browser, way="now", **more):
    form = {"kinds": [KIND, OTHER], "mail.": way, **more}
    answer = browser.post("/me/notifications", data=form)
    assert answer.status_code == 303, answer.text


def tell(user, record=None, text="Mika Koski wrote", kind=KIND, **more):
    with db.transaction() as session:
        about = session.get_one(type(record), record.id) if record else None
        return notify(
            [session.get_one(User, user.id)],
            kind=kind,
            record=about,
            text=text,
            **more,
        )


def pages(url):
    """Give the path of an address in a mail."""
    return url.removeprefix("http://localhost")


def link_of(message):
    found = re.fullmatch(r"<(\S+)>", message["List-Unsubscribe"])
    assert found, message["List-Unsubscribe"]
    return pages(found.group(1))


def read_all(browser):
    assert browser.post("/notifications/read").status_code == 303


def narrow(entry, *users):
    with db.transaction() as session:
        ids = frozenset(one.id for one in users)
        found = intern_audience(AudienceSpec("private", users=ids))
        session.get_one(Interaction, entry.id).audience_id = found.id


def test_nobody_is_mailed_who_did_not_ask(firm, anna, mailbox, deliver, clock):
    tell(anna, firm)
    deliver()
    clock.shift(WAIT)
    deliver()
    assert mailbox.messages == []


def test_news_at_once_say_what_who_sees_it_and_where(
    app, firm, anna, mika, mailbox, as_user, deliver, clock
):
    browser = as_user(anna)
    choose(browser)
    only_us = AudienceSpec("teams", teams=frozenset(mika.team_ids))
    words = "**Four** windows <b>& a door</b>"
    entry = make_interaction(firm, author=mika, body=words, audience=only_us)
    tell(anna, entry)
    deliver()
    assert mailbox.messages == []
    clock.shift(WAIT)
    deliver()
    deliver()
    [mail] = mailbox.messages
    assert mail["To"] == "Anna Laine <anna@house.example>"
    assert mail["Subject"] == "Mika Koski wrote"
    assert mail["List-Id"] == "<news.house.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = text_of(mail)
    assert "Four windows" in text
    assert "Who sees it: Sales" in text
    assert "<b>" not in html_of(mail)
    [link] = re.findall(r"http://localhost(/notifications/\d+)", text)
    assert browser.get(link).location == f"/interactions/{entry.id}"
    assert browser.get("/api/v1/notifications?unread=true").json["items"] == []


def test_the_outbox_does_not_keep_what_the_news_say(
    firm, anna, mika, mailbox, as_user, deliver, clock
):
    choose(as_user(anna))
    entry = make_interaction(firm, author=mika, body="A word xqzbbb")
    tell(anna, entry)
    clock.shift(WAIT)
    deliver()
    [mail] = all_mails()
    assert mail.state == "sent"
    assert "xqzbbb" in text_of(mailbox.messages[0])
    assert "xqzbbb" not in mail.subject + mail.text + mail.html


def test_who_read_it_in_the_app_gets_no_mail(
    firm, anna, mailbox, as_user, deliver, clock
):
    browser = as_user(anna)
    choose(browser)
    tell(anna, firm)
    read_all(browser)
    clock.shift(WAIT)
    deliver()
    assert all_mails() == []


def test_a_busy_minute_is_one_mail(firm, anna, mailbox, as_user, deliver, clock):
    choose(as_user(anna))
    for number in range(3):
        tell(anna, firm, f"Number {number}", key=f"k{number}")
        clock.shift(20)
    clock.shift(WAIT)
    deliver()
    deliver()
    [mail] = mailbox.messages
    assert mail["Subject"] == "Number 0 and 2 more"
    assert text_of(mail).index("Number 1") < text_of(mail).index("Number 2")


@pytest.mark.parametrize("what", ["narrowed", "trashed", "read", "switched off"])
def test_what_may_not_be_read_any_more_is_not_sent(
    what, firm, anna, mika, mailbox, as_user, deliver, clock
):
    browser = as_user(anna)
    choose(browser)
    entry = make_interaction(firm, author=mika, body="A word xqzbbb")
    tell(anna, entry)
    mailbox.stop()
    clock.shift(WAIT)
    deliver()
    [mail] = all_mails()
    assert mail.state == "waiting"
    if what == "narrowed":
        narrow(entry, mika)
    elif what == "trashed":
        with db.transaction() as session:
            session.get_one(Interaction, entry.id).trashed_at = datetime.now(UTC)
    elif what == "read":
        read_all(browser)
    else:
        choose(browser, "app")
    mailbox.start()
    clock.shift(3600)
    deliver()
    assert mailbox.messages == []
    assert all_mails()[0].state == "cancelled"


def test_news_that_were_hidden_when_their_mail_was_due_come_with_a_later_one(
    firm, anna, mika, mailbox, as_user, deliver, clock
):
    choose(as_user(anna))
    entry = make_interaction(firm, author=mika)
    tell(anna, entry)
    mailbox.stop()
    clock.shift(WAIT)
    deliver()
    narrow(entry, mika)
    mailbox.start()
    clock.shift(3600)
    deliver()
    assert mailbox.messages == []
    narrow(entry, mika, anna)
    tell(anna, firm, "Something else", key="else")
    clock.shift(WAIT)
    deliver()
    deliver()
    found = " ".join(text_of(one) for one in mailbox.messages)
    assert found.count("Mika Koski wrote") == found.count("Something else") == 1


def test_a_mail_server_that_is_down_for_an_hour_loses_nothing(
    firm, anna, mailbox, as_user, deliver, clock
):
    choose(as_user(anna))
    mailbox.stop()
    tell(anna, firm, "The first", key="1")
    clock.shift(WAIT)
    deliver()
    tell(anna, firm, "The second", key="2")
    clock.shift(1800)
    deliver()
    mailbox.start()
    clock.shift(1800)
    deliver()
    found = [one["Subject"] for one in mailbox.messages]
    assert sorted(found) == ["The first", "The second"]
    clock.shift(3600)
    deliver()
    assert len(mailbox.messages) == 2


def test_one_press_of_a_mail_program_stops_such_mails_without_signing_in(
    app, firm, anna, mailbox, as_user, deliver, clock
):
    browser = as_user(anna)
    choose(browser)
    tell(anna, firm)
    clock.shift(WAIT)
    deliver()
    address = link_of(mailbox.messages[0])
    stranger = app.test_client()
    page = stranger.get(address)
    assert "Told" in page.text
    assert "Stop these mails" in page.text
    assert "Anna" not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    tell(anna, firm, key="meanwhile")
    for _press in range(2):
        sent = stranger.post(address, data={"List-Unsubscribe": "One-Click"})
        assert sent.status_code == 200
    clock.shift(WAIT)
    deliver()
    assert len(mailbox.messages) == 1
    tell(anna, firm, kind=OTHER)
    clock.shift(WAIT)
    deliver()
    assert len(mailbox.messages) == 2
    assert len(browser.get("/api/v1/notifications").json["items"]) == 3


def test_a_link_that_was_not_signed_stops_nothing(
    app, firm, anna, mailbox, as_user, deliver, clock
):
    choose(as_user(anna))
    tell(anna, firm)
    clock.shift(WAIT)
    deliver()
    address = link_of(mailbox.messages[0])
    guessed = [address[:-2] + "xx", "/unsubscribe/x", f"/unsubscribe/{anna.id}"]
    for one in guessed:
        assert app.test_client().get(one).status_code == 410
        assert app.test_client().post(one).status_code == 410
    tell(anna, firm, key="still")
    clock.shift(WAIT)
    deliver()
    assert len(mailbox.messages) == 2


def test_the_long_address_of_the_button_stays_in_one_piece(
    app, firm, anna, mailbox, as_user, deliver, clock
):
    app.config["PUBLIC_URL"] = "https://" + "a-long-name." * 8 + "example/crm"
    choose(as_user(anna))
    tell(anna, firm)
    tell(anna, firm, kind=OTHER)
    clock.shift(WAIT)
    deliver()
    raw = mailbox.envelopes[0].content.decode("ascii")
    [line] = re.findall(r"^List-Unsubscribe: (.*)\r$", raw, re.MULTILINE)
    assert re.fullmatch(r"<https://[!-;=?-~]+/crm/unsubscribe/[\w.-]+>", line)


# -- Once a day --------------------------------------------------------------------


def helsinki(clock, day, hour, minute=0):
    """Set the clock to a time in Helsinki in winter, two hours before UTC's."""
    clock.move_to(datetime(2026, 1, day, hour - 2, minute, tzinfo=UTC))


def run(app, deliver):
    run_due_jobs(app)
    deliver()


def live_in(user, language, zone):
    with db.transaction() as session:
        found = session.get_one(User, user.id)
        found.language, found.timezone = language, zone


def test_the_daily_mail_comes_at_its_hour_grouped_by_customer(
    app, firm, anna, mika, mailbox, as_user, deliver, clock
):
    helsinki(clock, 5, 12)
    live_in(anna, "en", "Europe/Helsinki")
    tapio = make_contact("Tapio Rakennus Oy")
    choose(as_user(anna), "summary", hour=7)
    for number, about in enumerate([tapio, firm, tapio]):
        entry = make_interaction(about, author=mika, body=f"Body {number}")
        tell(anna, entry, f"News {number}")
    tell(anna, None, "Of no customer")
    run(app, deliver)
    helsinki(clock, 6, 6, 50)
    run(app, deliver)
    assert mailbox.messages == []
    helsinki(clock, 6, 7, 5)
    run(app, deliver)
    helsinki(clock, 6, 7, 30)
    run(app, deliver)
    [mail] = mailbox.messages
    assert mail["Subject"] == "Rapport, January 6, 2026: what is new"
    assert mail["List-Id"] == "<summary.house.example>"
    text = text_of(mail)
    order = ["Kallion", "News 1", "Body 1", "Tapio", "News 0", "News 2", "Of no"]
    places = [text.index(one) for one in order]
    assert places == sorted(places)
    assert text.count("Tapio Rakennus Oy") == 1
    helsinki(clock, 7, 8)
    run(app, deliver)
    assert len(mailbox.messages) == 1


def test_no_daily_mail_comes_when_there_is_nothing(
    app, firm, anna, mailbox, as_user, deliver, clock
):
    helsinki(clock, 5, 12)
    browser = as_user(anna)
    choose(browser, "summary", hour=8)
    tell(anna, firm)
    read_all(browser)
    helsinki(clock, 6, 12)
    run(app, deliver)
    assert all_mails() == []


def test_the_daily_mail_is_in_the_language_of_its_reader(
    app, firm, anna, mailbox, as_user, deliver, clock
):
    helsinki(clock, 5, 12)
    choose(as_user(anna), "summary", hour=8)
    live_in(anna, "fi", "Europe/Helsinki")
    tell(anna, firm)
    helsinki(clock, 6, 9)
    run(app, deliver)
    [mail] = mailbox.messages
    assert "6. tammikuuta 2026" in mail["Subject"]


def test_the_link_of_the_daily_mail_stops_the_daily_mail_alone(
    app, firm, anna, mailbox, as_user, deliver, clock
):
    helsinki(clock, 5, 12)
    choose(as_user(anna), "summary", hour=8, **{f"mail.{OTHER}": "now"})
    tell(anna, firm)
    helsinki(clock, 6, 12)
    run(app, deliver)
    [mail] = mailbox.messages
    assert app.test_client().post(link_of(mail)).status_code == 200
    tell(anna, firm, key="later")
    helsinki(clock, 7, 12)
    run(app, deliver)
    assert len(mailbox.messages) == 1
    tell(anna, firm, kind=OTHER, key="other")
    clock.shift(WAIT)
    deliver()
    assert len(mailbox.messages) == 2


def test_what_nobody_offers_cannot_be_chosen(anna, as_user):
    browser = as_user(anna)
    form = {"mail.": "by pigeon", "hour": "8"}
    assert browser.post("/me/notifications", data=form).status_code == 422
    form = {"mail.": "now", "hour": "24"}
    assert browser.post("/me/notifications", data=form).status_code == 422
    page = browser.get("/me/notifications").text
    assert re.search(r'value="app" selected', page)


def test_pressed_several_times_at_once_it_is_saved_once(anna, as_user):
    browsers = [as_user(anna) for _ in range(4)]
    for way, kinds in (("now", [KIND]), ("summary", [OTHER]), ("app", [])):
        form = {"kinds": kinds, "mail.": way, f"mail.{KIND}": "now", "hour": "9"}
        together, said = threading.Barrier(len(browsers)), []

        def press(browser, form=form, together=together, said=said):
            together.wait()
            said.append(browser.post("/me/notifications", data=form).status_code)

        hands = [threading.Thread(target=press, args=(one,)) for one in browsers]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        assert said == [303] * len(browsers)
        db.session.rollback()
        chosen = db.session.scalars(sa.select(NotificationChoice)).all()
        assert {one.kind: one.way for one in chosen} == {"": way, KIND: "now"}
        assert len(chosen) == 2
        muted = db.session.scalars(sa.select(NotificationMute.kind)).all()
        assert len(muted) == len(set(muted))
        assert not set(muted) & set(kinds)


def test_the_waiting_time_is_a_setting(
    app, firm, anna, mailbox, as_user, deliver, clock
):
    app.config["NOTIFICATIONS_MAIL_AFTER_MINUTES"] = 0
    choose(as_user(anna))
    tell(anna, firm)
    deliver()
    deliver()
    assert len(mailbox.messages) == 1
    app.config.pop("NOTIFICATIONS_MAIL_AFTER_MINUTES")

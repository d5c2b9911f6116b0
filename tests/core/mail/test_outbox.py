"""Every mail that is written down goes out once, or its author learns why not."""

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
from jinja2 import ChoiceLoader, DictLoader

from core import settings
from core.db import db
from core.errors import Conflict, Invalid
from core.events import Delivery, Event
from core.files import file_store
from core.i18n import LANGUAGES
from core.mail import words
from core.mail.services import Attachment, Recipient, cancel_mail, try_mail_again
from core.testing.factories import make_user
from core.testing.mail import html_of, text_of
from tests.core.mail.writing import PEKKA, look, write


def hold(seconds):
    with db.transaction():
        settings.save("mail", {"hold_seconds": seconds})


def event_types():
    with db.read_only() as session:
        query = sa.select(Event.type).where(Event.subject.startswith("mail/"))
        return list(session.scalars(query.order_by(Event.id)))


def test_a_mail_waits_for_the_time_to_undo_it_and_then_goes_out(
    mailbox, deliver, clock
):
    mail_id = write()
    deliver()
    assert mailbox.messages == []
    assert look(mail_id).state == "held"
    clock.shift(timedelta(seconds=11))
    deliver()
    [message] = mailbox.messages
    assert message["To"] == PEKKA
    assert message["Subject"] == "Your offer"
    assert message["Message-ID"] == look(mail_id).message_id
    assert message["From"].addresses[0].addr_spec == "crm@house.example"
    assert look(mail_id).state == "sent"
    assert event_types() == ["mail.queued", "mail.sent"]


def test_without_a_time_to_undo_it_goes_out_at_once(mailbox, deliver):
    hold(0)
    write()
    deliver()
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize("seconds", [-1, 61])
def test_the_time_to_undo_is_at_most_a_minute(app, seconds):
    with pytest.raises(Invalid), db.transaction():
        settings.save("mail", {"hold_seconds": seconds})


def test_what_is_undone_in_time_is_never_sent(mailbox, deliver, clock):
    mail_id = write()
    with db.transaction():
        cancel_mail(look(mail_id), by=None)
    clock.shift(timedelta(seconds=60))
    deliver()
    assert mailbox.messages == []
    assert look(mail_id).state == "cancelled"
    assert event_types() == ["mail.queued", "mail.cancelled"]


def test_what_is_sent_cannot_be_undone(mailbox, deliver):
    mail_id = write(hold=0)
    deliver()
    with pytest.raises(Conflict, match="has been sent"), db.transaction():
        cancel_mail(look(mail_id), by=None)


def test_what_is_rolled_back_is_not_sent(mailbox, deliver):
    with pytest.raises(ZeroDivisionError), db.transaction():
        words_of_a_mail_that_never_was()
    deliver()
    assert mailbox.messages == []


def words_of_a_mail_that_never_was():
    from core.mail.services import queue_mail
    from core.mail.words import from_text

    queue_mail([PEKKA], words=from_text("x", "y", language="en"), hold=0)
    return 1 / 0


@pytest.mark.parametrize(
    ("subject", "text", "language"),
    [
        (
            "Tarjous: pölyimuri äänenvaimentimella",
            "Hyvää päivää!\n\nÄläpä hötkyile.",
            "fi",
        ),
        ("报价单:静音吸尘器", "您好!\n\n请查收附件。", "zh"),
        ("Naïve 🧹 offer " + "long " * 60, "Line one\nline two", "en"),
    ],
)
def test_words_of_every_language_arrive_as_they_were_written(
    mailbox, deliver, subject, text, language
):
    write(
        to=[Recipient(PEKKA, "Väinö Äijälä, 吴")],
        subject=subject.strip(),
        text=text,
        language=language,
        hold=0,
    )
    deliver()
    [message] = mailbox.messages
    assert message["Subject"] == subject.strip()
    assert message["To"].addresses[0].display_name == "Väinö Äijälä, 吴"
    assert text_of(message).strip() == text
    assert f'<html lang="{language}">' in html_of(message)
    assert text.splitlines()[0] in html_of(message)
    assert mailbox.envelopes[0].content.isascii()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_is_signed_in_the_language_of_its_reader(mailbox, deliver, language):
    with db.transaction():
        settings.save("mail", {f"signature_{language}": f"Kallio ({language})"})
        settings.save("mail", {"sender_name": "Kallio Oy, myynti"})
    write(language=language, hold=0)
    deliver()
    [message] = mailbox.messages
    assert text_of(message).rstrip().endswith(f"-- \nKallio ({language})")
    assert message["From"].addresses[0].display_name == "Kallio Oy, myynti"


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Sign in"), ("fi", "Kirjaudu sisään"), ("zh", "登录")]
)
def test_one_template_speaks_the_language_of_the_reader(app, language, said):
    source = "{% block subject %} {{ _('Sign in') }}\n{% endblock %}"
    source += "{% block body %}{{ _('Sign in') }}, {{ name }}{% endblock %}"
    loader = DictLoader({"probe.txt": source})
    overlay = app.jinja_env.overlay(loader=ChoiceLoader([loader, app.jinja_env.loader]))
    made = words.draw(overlay, "probe.txt", language, {"name": "Väinö & <b>"})
    assert (made.subject, made.text) == (said, f"{said}, Väinö & <b>\n")
    assert f"{said}, Väinö &amp; &lt;b&gt;" in made.html


def test_nothing_that_was_typed_becomes_markup(mailbox, deliver):
    write(text="<b>1 < 2</b> & https://shop.example/?a=1&b=2.", hold=0)
    deliver()
    page = html_of(mailbox.messages[0])
    assert "&lt;b&gt;1 &lt; 2&lt;/b&gt;" in page
    link = "https://shop.example/?a=1&amp;b=2"
    assert f'<a href="{link}">{link}</a>.' in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "Hello\nBcc: all@customer.example"},
        {"subject": "Hello\r\nBcc: all@customer.example"},
        {"to": [Recipient(PEKKA, "Pekka\nBcc: all@customer.example")]},
        {"to": [f"{PEKKA}\nBcc: all@customer.example"]},
        {"to": [f"{PEKKA}\n"]},
        {"to": [f"{PEKKA}>,<all@customer.example"]},
        {"cc": ["nobody"]},
        {"to": []},
        {"reply_to": "x\r\n@customer.example"},
        {"in_reply_to": "<a@b>\r\nBcc: all@customer.example"},
        {"references": ["<a@b> <c@d>"]},
        {"headers": {"List-Id": "x\nBcc: all@customer.example"}},
        {"attachments": [Attachment("0" * 64, "a.pdf\nBcc: x")]},
    ],
)
def test_no_second_header_hides_in_a_line(mailbox, deliver, wrong):
    with pytest.raises(Invalid):
        write(**wrong, hold=0)
    deliver()
    assert mailbox.messages == []


def test_a_mail_carries_its_thread_its_list_and_its_files(mailbox, deliver):
    stored = file_store().put(io.BytesIO(b"%PDF-1.7 contract"), limit=None)
    long = f"<{'x' * 120}@eurprd04.prod.outlook.example>"
    write(
        cc=["outi@customer.example"],
        reply_to=Recipient("support+17@house.example", "Tuki"),
        in_reply_to=long,
        references=["<first@customer.example>"],
        headers={"List-Id": "<news.house.example>"},
        attachments=[Attachment(stored.sha256, "sopimus ä.pdf", "application/pdf")],
        hold=0,
    )
    deliver()
    [message] = mailbox.messages
    assert message["In-Reply-To"] == long
    assert message["References"].split() == ["<first@customer.example>", long]
    assert message["List-Id"] == "<news.house.example>"
    assert message["Reply-To"].addresses[0].addr_spec == "support+17@house.example"
    [file] = message.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == (
        "sopimus ä.pdf",
        "application/pdf",
    )
    assert file.get_content() == b"%PDF-1.7 contract"
    assert mailbox.envelopes[0].rcpt_tos == [PEKKA, "outi@customer.example"]


def test_an_attachment_that_is_gone_parks_the_mail(mailbox, deliver):
    mail_id = write(attachments=[Attachment("0" * 64, "gone.pdf")], hold=0)
    deliver()
    assert look(mail_id).state == "parked"
    assert "attachment" in look(mail_id).error


def test_a_domain_of_another_script_is_written_as_servers_know_it(mailbox, deliver):
    write(to=["pekka@tehdas-ä.example"], hold=0)
    deliver()
    [envelope] = mailbox.envelopes
    assert envelope.rcpt_tos == ["pekka@" + "tehdas-ä.example".encode("idna").decode()]


def test_an_address_in_other_letters_goes_to_a_server_that_takes_them(mailbox, deliver):
    write(to=["väinö@customer.example"], hold=0)
    deliver()
    assert mailbox.envelopes[0].rcpt_tos == ["väinö@customer.example"]


def test_a_mail_refused_for_good_is_parked_at_once_with_the_servers_words(
    mailbox, deliver, caplog
):
    author = make_user("Anna Laine")
    mailbox.refuse[PEKKA] = f"550 5.1.1 <{PEKKA}>: no such mailbox"
    mail_id = write(author_id=author.id, about="contact/1", hold=0)
    deliver()
    mail = look(mail_id)
    assert (mail.state, mail.attempts) == ("parked", 1)
    assert mail.error == f"550 5.1.1 <{PEKKA}>: no such mailbox"
    assert event_types() == ["mail.queued", "mail.refused"]
    assert PEKKA not in caplog.text


def test_its_author_and_no_other_colleague_learns_of_a_refusal(mailbox, deliver, api):
    anna, mikko = make_user("Anna Laine"), make_user("Mikko Salo")
    mailbox.refuse[PEKKA] = "550 no such mailbox"
    write(author_id=anna.id, hold=0)
    start = api(anna).get("/api/v1/events").json["cursor"]
    deliver()

    def heard(user):
        answer = api(user).get("/api/v1/events", query_string={"cursor": start})
        return [one["type"] for one in answer.json["items"]]

    # The bell is told besides.
    assert heard(anna) == ["mail.refused", "notification.changed"]
    assert heard(mikko) == []


def test_a_mail_refused_for_now_is_tried_again(mailbox, deliver, clock, caplog):
    mailbox.refuse[PEKKA] = f"450 4.2.1 <{PEKKA}> is busy"
    mail_id = write(hold=0)
    deliver()
    assert look(mail_id).state == "waiting"
    assert "is busy" in look(mail_id).error
    assert PEKKA not in caplog.text
    mailbox.refuse.clear()
    clock.shift(timedelta(seconds=5))
    deliver()
    assert len(mailbox.messages) == 1
    assert look(mail_id).error is None


def test_who_has_it_does_not_get_it_again_because_another_has_not(
    mailbox, deliver, clock
):
    mailbox.refuse["outi@customer.example"] = "451 try later"
    mail_id = write(to=[PEKKA, "outi@customer.example"], hold=0)
    deliver()
    assert look(mail_id).state == "waiting"
    mailbox.refuse.clear()
    clock.shift(timedelta(minutes=1))
    deliver()
    assert [one.rcpt_tos for one in mailbox.envelopes] == [
        [PEKKA],
        ["outi@customer.example"],
    ]
    assert look(mail_id).state == "sent"


def test_content_that_is_refused_for_good_is_parked(mailbox, deliver):
    mailbox.refuse["DATA"] = "554 5.7.1 looks like spam"
    mail_id = write(hold=0)
    deliver()
    assert (look(mail_id).state, look(mail_id).error) == (
        "parked",
        "554 5.7.1 looks like spam",
    )


def test_a_parked_mail_goes_out_when_somebody_says_try_again(mailbox, deliver):
    mailbox.refuse[PEKKA] = "550 no such mailbox"
    mail_id = write(hold=0)
    deliver()
    before = look(mail_id).message_id
    mailbox.refuse.clear()
    with db.transaction():
        try_mail_again(look(mail_id), by=None)
    deliver()
    [message] = mailbox.messages
    assert message["Message-ID"] == before
    with pytest.raises(Conflict), db.transaction():
        try_mail_again(look(mail_id), by=None)


def test_a_mail_server_that_is_down_for_an_hour_loses_nothing(mailbox, deliver, clock):
    mailbox.stop()
    ids = [write(subject=f"Number {number}", hold=0) for number in range(3)]
    for _minute in range(60):
        deliver()
        clock.shift(timedelta(minutes=1))
    assert {look(one).state for one in ids} == {"waiting"}
    assert "does not answer" in look(ids[0]).error
    mailbox.start()
    for _minute in range(16):
        deliver()
        clock.shift(timedelta(minutes=1))
    assert sorted(one["Subject"] for one in mailbox.messages) == [
        "Number 0",
        "Number 1",
        "Number 2",
    ]
    assert {look(one).state for one in ids} == {"sent"}


def test_after_three_days_a_mail_is_given_up_and_its_author_told(
    mailbox, deliver, clock
):
    mailbox.stop()
    mail_id = write(hold=0)
    for _hour in range(2 * 24 + 23):
        deliver()
        clock.shift(timedelta(hours=1))
    assert look(mail_id).state == "waiting"
    clock.shift(timedelta(hours=2))
    deliver()
    assert look(mail_id).state == "parked"
    assert event_types()[-1] == "mail.refused"
    with db.read_only() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 0


def test_without_a_mail_server_mail_waits_in_sight_and_goes_out_once_there_is_one(
    app, mailbox, deliver, clock
):
    app.config["SMTP_HOST"] = None
    mail_id = write(hold=0)
    deliver()
    assert look(mail_id).error.startswith("No mail server is set.")
    app.config["SMTP_HOST"] = "127.0.0.1"
    clock.shift(timedelta(minutes=1))
    deliver()
    assert len(mailbox.messages) == 1


def test_what_was_sent_is_forgotten_after_its_time(mailbox, deliver, clock):
    from core.mail.jobs import forget_old_mail
    from tests.core.mail.writing import all_mails

    sent = write(hold=0)
    deliver()
    clock.shift(timedelta(days=181))
    kept = write(hold=60)
    with db.transaction():
        forget_old_mail()
    assert [one.id for one in all_mails()] == [kept] != [sent]

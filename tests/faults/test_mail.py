"""Mail and power cuts: sent once; after a cut at the worst moment, once more."""

import subprocess
import sys
import threading
from datetime import timedelta
from time import monotonic, sleep

import pytest
import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db, now
from core.errors import Conflict
from core.events import Delivery
from core.mail.models import OutgoingMail
from core.mail.services import cancel_mail
from core.notifications.choosing import NOW, REST, choose_ways
from core.notifications.services import notify
from core.testing.factories import make_contact, make_user
from core.testing.server import environment
from core.users.models import User
from core.worker import deliver_due
from tests.core.mail.writing import all_mails, look, write


def worker(app, mailbox, tmp_path, database_url, word_lists):
    """Start a real worker that sends to the mailbox."""
    env = environment(tmp_path, database_url) | {"RAPPORT_SEARCH_LEMMAS": word_lists}
    env |= {f"RAPPORT_{key}": str(value) for key, value in mailbox.settings.items()}
    command = [sys.executable, "-m", "core", "worker"]
    return subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)


def let_the_dead_be_found():
    """Do as if the time had passed after which a silent worker counts as dead."""
    with db.transaction() as session:
        session.execute(sa.update(Delivery).values(leased_until=None, due=now()))
        session.execute(
            sa.update(OutgoingMail).values(taken_at=now() - timedelta(hours=1))
        )


def kill_while_the_server_has_it(app, mailbox, *more):
    mailbox.arrived.clear()
    mailbox.go_on.clear()
    child = worker(app, mailbox, *more)
    try:
        assert mailbox.arrived.wait(30), "the worker sent nothing"
    finally:
        child.kill()
        child.wait(10)
        mailbox.go_on.set()


def test_a_worker_killed_between_sending_and_noting_repeats_once_and_no_more(
    app, mailbox, tmp_path, database_url, word_lists, deliver
):
    more = (tmp_path, database_url, word_lists)
    mail_id = write(hold=0)
    kill_while_the_server_has_it(app, mailbox, *more)
    assert look(mail_id).state == "waiting"
    # Nobody takes it while the one who has it may be alive.
    with db.transaction() as session:
        session.execute(sa.update(Delivery).values(leased_until=None))
    deliver()
    assert len(mailbox.messages) == 1
    let_the_dead_be_found()
    deliver()
    assert look(mail_id).state == "sent"
    assert [one["Message-ID"] for one in mailbox.messages] == (
        [look(mail_id).message_id] * 2
    )


def test_a_mail_that_kills_its_worker_twice_is_given_up(
    app, mailbox, tmp_path, database_url, word_lists, deliver
):
    more = (tmp_path, database_url, word_lists)
    mail_id = write(hold=0)
    kill_while_the_server_has_it(app, mailbox, *more)
    let_the_dead_be_found()
    kill_while_the_server_has_it(app, mailbox, *more)
    let_the_dead_be_found()
    deliver()
    assert len(mailbox.messages) == 2
    assert look(mail_id).state == "parked"
    assert "broke off twice" in look(mail_id).error


def test_two_workers_send_each_mail_once(
    app, mailbox, tmp_path, database_url, word_lists
):
    more = (tmp_path, database_url, word_lists)
    children = [worker(app, mailbox, *more) for _one in range(2)]
    try:
        ids = [write(subject=f"Number {number}", hold=0) for number in range(30)]
        end = monotonic() + 60
        while {look(one).state for one in ids} != {"sent"}:
            assert monotonic() < end
            sleep(0.1)
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(20)
    subjects = [one["Subject"] for one in mailbox.messages]
    assert sorted(subjects) == sorted(f"Number {number}" for number in range(30))


def test_nobody_waits_for_the_database_while_the_mail_server_thinks(app, mailbox):
    mail_id = write(hold=0)
    mailbox.go_on.clear()
    sender = threading.Thread(target=deliver_due, args=[app])
    sender.start()
    try:
        assert mailbox.arrived.wait(20)
        started = monotonic()
        other = write(subject="Meanwhile", hold=60)
        assert monotonic() - started < 2
        assert look(other).state == "held"
        with pytest.raises(Conflict, match="being sent"), db.transaction():
            cancel_mail(look(mail_id), by=None)
    finally:
        mailbox.go_on.set()
        sender.join(20)
    assert look(mail_id).state == "sent"


def test_news_are_repeated_once_with_the_same_name_after_a_cut_and_no_more(
    app, mailbox, tmp_path, database_url, word_lists, deliver
):
    more = (tmp_path, database_url, word_lists)
    app.config["NOTIFICATIONS_MAIL_AFTER_MINUTES"] = 0
    firm, anna = make_contact("Kallion Vesijohto Oy"), make_user("Anna Laine")
    try:
        with db.transaction() as session:
            user = session.get_one(User, anna.id)
            choose_ways(user, {REST: NOW}, hour=None)
            about = session.get_one(Contact, firm.id)
            notify([user], kind="contacts.owner", record=about, text="It is yours")
    finally:
        del app.config["NOTIFICATIONS_MAIL_AFTER_MINUTES"]
    kill_while_the_server_has_it(app, mailbox, *more)
    let_the_dead_be_found()
    deliver()
    deliver()
    [mail] = all_mails()
    assert mail.state == "sent"
    assert [one["Message-ID"] for one in mailbox.messages] == [mail.message_id] * 2
    with db.transaction() as session:
        session.execute(sa.update(Delivery).values(leased_until=None, due=now()))
    deliver()
    assert len(mailbox.messages) == 2

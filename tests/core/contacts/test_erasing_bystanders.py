"""Erasing somebody takes what is theirs, and nothing of those beside them."""

import threading

import pytest
import sqlalchemy as sa

from core.contacts.erasing.again import erase_waiting
from core.contacts.erasing.models import Erasure
from core.contacts.merging.models import Merge
from core.contacts.merging.parting import part
from core.contacts.merging.services import merge
from core.contacts.models import Contact
from core.db import db
from core.errors import Conflict
from core.events import Event
from core.mail.models import CANCELLED, OutgoingMail
from core.mail.services import queue_mail
from core.mail.words import from_text
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_user
from core.users.services import ensure_role
from tests.core.contacts.erasing_world import where_is

REASON = "Asked for it on the phone."


@pytest.fixture
def chief(app):
    return make_user("Ada Admin", roles=["admin"])


def erase(client, person, **more):
    sent = {"reason": REASON, "confirm": person.name, **more}
    answer = client.post(f"/api/v1/contacts/{person.id}/erase", json=sent)
    assert answer.status_code == 201, answer.text


def tell(user, text, to="firm@example.com"):
    """Write the words into a mail that waits and into a notification; give both ids."""
    with db.transaction() as session:
        mail = queue_mail([to], words=from_text("News", text, language="en"))
        news = Notification(user_id=user.id, key=text, kind="x", text=text)
        session.add(news)
        session.flush()
        return mail.id, news.id


def stands(told, text):
    mail_id, news_id = told
    with db.read_only() as session:
        mail = session.get_one(OutgoingMail, mail_id)
        news = session.get(Notification, news_id)
        whole = text in mail.text and mail.state != CANCELLED
        assert whole == (news is not None)
        return whole


def joined(kept, gone):
    with db.transaction() as session:
        both = [session.get_one(Contact, one.id) for one in (kept, gone)]
        return merge(*both, actor=None).id


def parted(number):
    with db.transaction() as session:
        part(session.get_one(Merge, number))


def seen(contact):
    with db.read_only() as session:
        found = session.get_one(Contact, contact.id)
        session.expunge_all()
    return found


MEANT = [
    "Mika Salo called.",
    "Call MIKA SALO, today",
    "Write to li@x.example.",
    "Ring +358 40 123 4567.",
    "Ring +358401234567",
    "请联系王小明。",
]
OTHERS = [
    "Mika Salonen called.",
    "Anna-Mika Salo called.",
    "Mika Salo-Virtanen called.",
    "Write to alli@x.example or li@x.example.com.",
    "Pay 24 euros to Mika.",
    "Ring +358 40 123 45678.",
    "Office: 09 555 1234, info@firm.example.",
]


@pytest.fixture
def mika(app):
    office = {"phones": [{"number": "09 555 1234"}]}
    office["emails"] = [{"address": "info@firm.example"}]
    make_contact("Kallion Vesijohto Oy", **office)
    numbers = ["+358 40 123 4567", "24", "09 555 1234"]
    double = make_contact("王小明", kind="person")
    person = make_contact(
        "Mika Salo",
        kind="person",
        emails=[{"address": one} for one in ("li@x.example", "info@firm.example")],
        phones=[{"number": one} for one in numbers],
    )
    joined(person, double)
    return person


def test_what_names_the_person_goes_and_what_names_others_stays(mika, chief, api):
    meant = {text: tell(chief, text) for text in MEANT}
    others = {text: tell(chief, text) for text in OTHERS}
    erase(api(chief), mika)
    assert [text for text in MEANT if stands(meant[text], text)] == []
    assert [text for text in OTHERS if not stands(others[text], text)] == []


def test_whoever_has_the_same_name_keeps_their_mail(mika, chief, api):
    make_contact("Mika Salo", kind="person", emails=[{"address": "other@x.example"}])
    told = tell(chief, "Dear Mika Salo, your parcel is here.", "other@x.example")
    own = tell(chief, "Dear Mika Salo, write to li@x.example.", "li@x.example")
    erase(api(chief), mika)
    assert stands(told, "Dear Mika Salo")
    assert not stands(own, "Dear Mika Salo")


@pytest.mark.parametrize("name", ["Yö", "Salo", "%", "_"])
def test_a_name_of_one_word_is_looked_for_nowhere_else(app, chief, api, name):
    person = make_contact(name, kind="person")
    text = f"In Yövesi and Salonen, Salo too, 100 % of {name}."
    told = tell(chief, text)
    erase(api(chief), person)
    assert stands(told, text)


def test_nothing_of_who_was_parted_again_stays_in_the_history_of_the_other(
    chief, api, as_user
):
    kept = make_contact("Kallio Zyxqv", kind="person")
    gone = make_contact(
        "Outi Zyxqv",
        kind="person",
        tags=["zyxqv"],
        emails=[{"address": "zyxqv@x.example"}],
    )
    parted(joined(kept, gone))
    client = api(chief)
    erase(client, gone)
    with db.transaction() as session:
        session.get_one(Contact, kept.id).name = "Kallio"
        session.get_one(Contact, kept.id).sort_name = "kallio"
    told = sa.select(Event).where(
        Event.subject == f"contact/{kept.id}", Event.personal.is_not(None)
    )
    with db.read_only() as session:
        words = [one.personal for one in session.scalars(told)]
    assert "zyxqv@x.example" not in str(words)
    assert "event.data" not in where_is("zyxqv@x.example")
    changed = sa.select(Event.id).where(
        Event.subject == f"contact/{kept.id}", Event.type == "contact.updated"
    )
    with db.read_only() as session:
        ids = list(session.scalars(changed))
    for one in ids:
        as_user(chief).post(f"/me/undo/{one}")
    assert seen(kept).emails == []


def test_a_double_that_went_into_the_person_is_erased_wherever_a_backup_has_it(
    chief, api
):
    person = make_contact("Mika Salo", kind="person")
    double = make_contact("M. Salo", kind="person")
    joined(person, double)
    erase(api(chief), person)
    with db.read_only() as session:
        found = set(session.scalars(sa.select(Erasure.contact_id)))
    assert found == {person.id, double.id}


def test_who_was_parted_and_erased_since_a_backup_leaves_the_other_whole(app):
    kept = make_contact("Kallio Oy", emails=[{"address": "a@x.example"}])
    gone = make_contact("Outi Oy", emails=[{"address": "zyxqv@x.example"}])
    joined(kept, gone)
    with db.transaction() as session:
        session.add(Erasure(contact_id=gone.id, reason=REASON))
    with db.transaction():
        assert erase_waiting() == 1
    assert seen(gone).name == "Erased organisation"
    left = seen(kept)
    assert (left.name, left.erased_at) == ("Kallio Oy", None)
    assert [one["address"] for one in left.emails] == ["a@x.example"]
    assert where_is("zyxqv") == set()


def test_so_is_who_went_into_another_that_went_into_a_third(app):
    top, middle = make_contact("Kallio Oy"), make_contact("Aho Oy")
    gone = make_contact("Outi Oy", emails=[{"address": "zyxqv@x.example"}])
    joined(middle, gone)
    joined(top, middle)
    with db.transaction() as session:
        session.add(Erasure(contact_id=gone.id, reason=REASON))
    with db.transaction():
        assert erase_waiting() == 1
    assert [seen(one).name for one in (top, middle)] == ["Kallio Oy", "Aho Oy"]
    assert where_is("zyxqv") == set()


@pytest.mark.parametrize("number", ["24", "ext. 24"])
def test_a_short_number_is_looked_for_nowhere_else(app, chief, api, number):
    person = make_contact("Mika Salo", kind="person", phones=[{"number": number}])
    told = tell(chief, "Pay 24 euros - on request.")
    firm = make_contact("Kallio Oy")
    client = api(chief)
    note = {"contacts": [firm.id, person.id], "body": "We met, 24 of us."}
    made = client.post("/api/v1/interactions", json=note).json
    match = {"If-Match": f'"{made["version"]}"'}
    place = f"/api/v1/interactions/{made['id']}"
    changed = {"body": "We met, 24 of us, on request - all."}
    assert client.patch(place, json=changed, headers=match).status_code == 200
    erase(client, person)
    assert stands(told, "Pay 24")
    kept = sa.select(Event.personal).where(
        Event.subject == f"interaction/{made['id']}",
        Event.type == "interaction.updated",
    )
    with db.read_only() as session:
        assert "24 of us" in str(session.scalars(kept).all())


def test_who_is_erased_comes_out_of_no_merge_any_more(app):
    kept, gone = make_contact("Kallio Oy"), make_contact("Outi Oy")
    number = joined(kept, gone)
    with db.transaction() as session:
        session.get_one(Contact, gone.id).erased_at = session.get_one(
            Contact, gone.id
        ).created_at
    with pytest.raises(Conflict, match="erased for good"):
        parted(number)


def test_who_may_erase_learns_no_number_of_what_they_may_not_read(app, api, as_user):
    with db.transaction():
        ensure_role("eraser", ["contacts:read", "contacts:erase"])
    eraser = make_user("Essi Erasing", roles=["eraser"])
    anna = make_user("Anna Laine", teams=["Sales"])
    person = make_contact("Mika Salo", kind="person")
    firm = make_contact("Kallio Oy")
    client = api(anna)
    for contacts in ([person.id], [person.id, firm.id]):
        note = {"contacts": contacts, "body": "We met.", "audience": "staff"}
        assert client.post("/api/v1/interactions", json=note).status_code == 201
    ask = {"contact": person.id, "subject": "Pump", "body": "Loud."}
    assert client.post("/api/v1/tickets", json=ask).status_code == 201
    place = f"/contacts/{person.id}/erase"
    page = as_user(eraser).get(place).text
    assert "What goes" in page
    for words in ("Entries with others", "lose their words;", "concerns others too"):
        assert words not in page
    whole = as_user(make_user("Ada Admin", roles=["admin"])).get(place).text
    for words in ("Entries with others", "lose their words;", "concerns others too"):
        assert words in whole


def test_erasing_waits_for_a_merge_and_takes_who_came_with_it(app, api, chief):
    """On PostgreSQL the second waits for the first; on SQLite one writes at a time."""
    person = make_contact("Mika Salo", kind="person")
    double = make_contact("Zyxqv Salo", kind="person")
    client, answers = api(chief), []
    sent = {"reason": REASON, "confirm": "Mika Salo"}
    place = f"/api/v1/contacts/{person.id}/erase"

    def ask():
        answers.append(client.post(place, json=sent).status_code)

    other = threading.Thread(target=ask)
    with db.transaction() as session:
        both = [session.get_one(Contact, one.id) for one in (person, double)]
        merge(*both, actor=None)
        session.flush()
        other.start()
        other.join(1)
        assert answers == []
    other.join(30)
    assert answers == [201]
    assert where_is("zyxqv") == set()

"""Notifications: each is told once, to those who may see, and goes with their sight."""

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec, intern_audience
from core.contacts.models import Contact
from core.contacts.services import change_contact, trash_contact
from core.db import db, now
from core.events import acting
from core.importing.running import run_import
from core.interactions.models import Interaction
from core.notifications.models import Notification
from core.notifications.services import forget_old, notify
from core.pages import NotificationKind
from core.testing.factories import make_contact, make_interaction, make_user
from core.testing.plugins import make_plugin
from core.users.models import User

KIND = "news.told"


@pytest.fixture
def app_plugins():
    kind = NotificationKind(KIND, "News", "bell", ("staff", "customer"))
    return (("news", make_plugin(register_notifications=lambda: [kind])),)


@pytest.fixture
def firm(app):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales"])


def tell(*users, record=None, text="Something happened", **more):
    with db.transaction() as session:
        found = [session.get_one(User, one.id) for one in users]
        about = session.get_one(type(record), record.id) if record else None
        return notify(found, kind=KIND, record=about, text=text, **more)


def bell(page):
    return page.partition('id="bell-count"')[2].partition("</a>")[0]


def items(client, **query):
    answer = client.get("/api/v1/notifications", query_string=query)
    assert answer.status_code == 200
    return answer.json["items"]


def test_the_same_thing_is_told_once_to_each(app, firm, anna):
    mika = make_user("Mika Koski")
    assert tell(anna, anna, record=firm) == [anna.id]
    assert tell(anna, mika, record=firm) == [mika.id]
    assert tell(anna, record=firm, key="another fact") == [anna.id]


def test_nobody_is_told_who_may_not_see_it_or_did_it_or_left(app, firm, anna):
    entry = make_interaction(
        firm,
        author=anna,
        audience=AudienceSpec("private", users=frozenset({anna.id})),
    )
    mika = make_user("Mika Koski")
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    assert tell(anna, mika, outi, record=entry) == [anna.id]
    assert tell(anna, record=firm, by=anna.id) == []
    gone = make_user("Gone Away")
    with db.transaction() as session:
        session.get_one(User, gone.id).active = False
    assert tell(gone, record=firm) == []


def test_a_kind_nobody_declared_is_refused(app, anna):
    with pytest.raises(LookupError, match="no plugin declares"), db.transaction():
        notify([anna], kind="news.unknown", text="x")


def test_the_page_shows_new_ones_first_and_opening_marks_read(
    app, firm, anna, as_user, clock
):
    tell(anna, record=firm, text="The old one", key="1")
    clock.shift(3 * 24 * 3600)
    tell(anna, record=firm, text="The new one", key="2")
    browser = as_user(anna)
    page = browser.get("/notifications").text
    assert page.index("The new one") < page.index("The old one")
    assert ">2<" in bell(page)
    with db.read_only() as session:
        old = session.scalar(sa.select(Notification).where(Notification.key == "1"))
    went = browser.get(f"/notifications/{old.id}")
    assert (went.status_code, went.location) == (303, f"/contacts/{firm.id}")
    page = browser.get("/notifications").text
    assert ">1<" in bell(page)
    assert page.index('id="new"') < page.index("The new one")
    assert page.index('id="read"') < page.index("The old one")
    done = browser.post("/notifications/read", follow_redirects=True).text
    assert "1 notification marked as read." in done
    assert 'class="end"' not in bell(done)
    assert "Mark all as read" not in done


def test_an_empty_page_says_what_comes_here(app, anna, as_user):
    page = as_user(anna).get("/notifications").text
    assert "No notifications. You are told here when something needs you." in page


def test_who_loses_sight_of_a_record_loses_its_notification_everywhere(
    app, firm, anna, as_user, api
):
    mika = make_user("Mika Koski", teams=["Support"])
    entry = make_interaction(firm, author=anna)
    tell(mika, record=entry, text="Secret words")
    browser, program = as_user(mika), api(mika)
    row = items(program)[0]
    assert ">1<" in bell(browser.get("/notifications").text)
    with db.transaction() as session:
        kept = session.get_one(Interaction, entry.id)
        only = AudienceSpec("private", users=frozenset({anna.id}))
        kept.audience = intern_audience(only)
    page = browser.get("/notifications").text
    assert "Secret words" not in page
    assert 'class="end"' not in bell(page)
    assert items(program) == []
    assert browser.get(f"/notifications/{row['id']}").status_code == 404
    patch = f"/api/v1/notifications/{row['id']}"
    assert program.patch(patch, json={"read": True}).status_code == 404


def test_what_lies_in_the_trash_is_told_of_again_when_it_is_back(app, firm, anna, api):
    tell(anna, record=firm)
    with db.transaction() as session:
        trash_contact(session.get_one(Contact, firm.id))
    assert items(api(anna)) == []
    with db.transaction() as session:
        session.get_one(Contact, firm.id).trashed_at = None
    assert len(items(api(anna))) == 1


def test_nobody_reads_or_marks_what_was_told_to_another(app, firm, anna, as_user, api):
    mika = make_user("Mika Koski")
    tell(anna, record=firm, text="For Anna")
    row = items(api(anna))[0]
    assert items(api(mika)) == []
    assert as_user(mika).get(f"/notifications/{row['id']}").status_code == 404
    as_user(mika).post("/notifications/read")
    assert items(api(anna), unread="true")


def test_programs_list_and_mark_them(app, firm, anna, api):
    for n in range(3):
        tell(anna, record=firm, text=f"News {n}", key=str(n))
    program = api(anna)
    first = program.get("/api/v1/notifications?limit=2").json
    rest = program.get(f"/api/v1/notifications?cursor={first['next']}").json
    assert [one["text"] for one in first["items"]] == ["News 2", "News 1"]
    assert [one["text"] for one in rest["items"]] == ["News 0"]
    row = first["items"][0]
    assert row["ref"] == f"contact/{firm.id}"
    assert row["url"] == f"/contacts/{firm.id}"
    address = f"/api/v1/notifications/{row['id']}"
    assert program.patch(address, json={"read": True}).json["read_at"]
    assert len(items(program, unread="true")) == 2
    assert program.patch(address, json={"read": False}).json["read_at"] is None
    assert program.patch(address, json={"text": "x"}).status_code == 422


def test_a_token_sees_only_what_its_scopes_open(app, firm, anna, api):
    tell(anna, record=firm)
    tell(anna, text="Your own work", key="own")
    narrow = items(api(anna, "documents:read"))
    assert [one["text"] for one in narrow] == ["Your own work"]


def test_a_kind_that_is_switched_off_is_not_told(app, firm, anna, as_user):
    browser = as_user(anna)
    assert "News" in browser.get("/me/notifications").text
    others = ["contacts.owner", "imports.ended"]
    assert browser.post("/me/notifications", data={"kinds": others}).status_code == 303
    assert tell(anna, record=firm) == []
    browser.post("/me/notifications", data={"kinds": [KIND, *others]})
    assert tell(anna, record=firm) == [anna.id]


def test_it_is_written_in_the_readers_language(app, firm):
    from core.i18n import lazy_gettext as _l

    seppo = make_user("Seppo", language="fi")
    tell(seppo, record=firm, text=_l("Contacts"))
    with db.read_only() as session:
        assert session.scalar(sa.select(Notification.text)) != "Contacts"


def test_customers_have_their_own_in_their_own_look(app, firm, anna, as_user, api):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    entry = make_interaction(
        firm,
        author=anna,
        audience=AudienceSpec("shared", shared_with=frozenset({firm.id})),
    )
    tell(anna, outi, record=entry, text="Told to both")
    page = as_user(outi).get("/notifications").text
    assert 'data-shell="portal"' in page
    assert "Told to both" in page
    assert ">1<" in bell(page)
    assert len(items(api(outi))) == 1
    kinds = as_user(outi).get("/me/notifications").text
    assert "News" in kinds
    assert "A contact became yours" not in kinds


def test_the_bell_of_one_reader_rings_for_nobody_else(app, firm, anna, api):
    mika = make_user("Mika Koski")
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    tom = make_user("Tom", kind="customer", contact=firm)
    start = api(anna).get("/api/v1/events").json["cursor"]
    tell(anna, outi, key="x")

    def heard(user):
        found = api(user).get(f"/api/v1/events?cursor={start}").json["items"]
        return [one["ref"] for one in found if one["type"].startswith("notification")]

    assert heard(anna) == [f"user/{anna.id}"]
    assert heard(outi) == [f"user/{outi.id}"]
    assert heard(mika) == []
    assert heard(tom) == []


def test_a_new_owner_is_told_by_whom_once(app, firm, anna, deliver, as_user):
    mika = make_user("Mika Koski")
    with db.transaction() as session, acting(mika.id):
        boss, contact = (
            session.get_one(User, mika.id),
            session.get_one(Contact, firm.id),
        )
        change_contact(contact, {"owner": anna.id}, actor=boss)
    deliver()
    page = as_user(anna).get("/notifications").text
    assert "Mika Koski made you the owner of Kallion Vesijohto Oy." in page
    # What one does oneself is no news.
    browser = as_user(mika)
    form = {"name": "Own Oy", "owner": str(mika.id), "base": "{}"}
    browser.post(
        "/contacts/new?kind=organisation", data=form | {"kind": "organisation"}
    )
    deliver()
    assert "made you the owner" not in browser.get("/notifications").text


def test_an_import_ends_with_one_notification_and_no_flood(
    app, anna, deliver, as_user, tmp_path
):
    boss = make_user("Bea Boss", roles=("admin",))
    file = tmp_path / "firms.csv"
    file.write_text(f"kind,name,owner\norganisation,A Oy,{anna.email}\n", "utf-8")
    run_import(app, "contacts", file, actor_id=boss.id)
    deliver()
    page = as_user(boss).get("/notifications").text
    assert "firms.csv is brought in: 1 new, 0 known, 0 refused." in page
    assert "made you the owner" not in as_user(anna).get("/notifications").text


def test_old_ones_are_forgotten(app, firm, anna, clock):
    tell(anna, record=firm)
    clock.shift(200 * 24 * 3600)
    tell(anna, record=firm, key="newer")
    with db.transaction():
        forget_old()
    with db.read_only() as session:
        assert session.scalars(sa.select(Notification.key)).all() == ["newer"]
        assert session.scalar(sa.select(Notification.created_at)) < now()


def test_the_bell_costs_a_page_no_statement(app, firm, anna, as_user, count_queries):
    browser = as_user(anna)
    browser.get("/contacts")
    with count_queries() as before:
        browser.get("/contacts")
    for n in range(5):
        tell(anna, record=firm, key=str(n))
    with count_queries() as after:
        assert ">5<" in bell(browser.get("/contacts").text)
    assert after.count == before.count

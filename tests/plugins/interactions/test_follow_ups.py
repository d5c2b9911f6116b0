"""Follow-ups: planned, due, put off, handed over, done, and done again next week."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db, now
from core.interactions.models import Interaction
from core.interactions.services import change_interaction
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.deputies import today_of
from core.users.models import User, UserDeputy
from core.worker import run_due_jobs
from plugins.interactions.follow_ups.models import FollowUp
from tests.core.contacts.reading import words_of

HTMX = {"HX-Request": "true"}


@pytest.fixture
def firm(app):
    return make_contact("Tapio Rakennus Oy", roles=["customer"])


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales"], timezone="Europe/Helsinki")


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", roles=("support",), teams=["Support"])


def rows():
    db.session.rollback()
    return db.session.scalars(sa.select(FollowUp).order_by(FollowUp.id)).all()


def told(user):
    db.session.rollback()
    query = sa.select(Notification.text).where(Notification.user_id == user.id)
    return list(db.session.scalars(query.order_by(Notification.id)))


def plan(client, **given):
    given.setdefault("text", "Promised prices by today")
    if "after_minutes" not in given:
        given.setdefault("due_at", (now() - timedelta(minutes=5)).isoformat())
    answer = client.post("/api/v1/follow-ups", json=given)
    assert answer.status_code == 201, answer.text
    return answer.json


def change(client, follow_up, **given):
    match = {"If-Match": f'"{follow_up["version"]}"'}
    address = f"/api/v1/follow-ups/{follow_up['id']}"
    return client.patch(address, json=given, headers=match)


def work(app, clock, deliver):
    """Let two minutes go by with a worker at work."""
    run_due_jobs(app)
    clock.shift(61)
    run_due_jobs(app)
    deliver()


def secret_of(anna, firm, *readers):
    spec = AudienceSpec("private", users=frozenset(one.id for one in (anna, *readers)))
    return make_interaction(firm, author=anna, audience=spec, body="Between us.")


# -- Planning --------------------------------------------------------------------------


def test_a_reminder_is_planned_from_the_contact_and_shown_there(firm, anna, as_user):
    browser = as_user(anna)
    page = browser.get(f"/contacts/{firm.id}").text
    assert f'href="/follow-ups/new?contact={firm.id}"' in page
    form = browser.get(f"/follow-ups/new?contact={firm.id}").text
    assert "Remind me: Tapio Rakennus Oy" in form
    given = {"contact": firm.id, "text": "Send prices", "due_at": "2026-12-24T09:00"}
    answer = browser.post("/follow-ups", data=given)
    assert answer.location == f"/contacts/{firm.id}"
    [row] = rows()
    assert (row.text, row.owner_id, row.author_id) == ("Send prices", anna.id, anna.id)
    assert "Send prices" in words_of(browser.get(f"/contacts/{firm.id}").text)
    assert "Send prices" in browser.get(f"/follow-ups/of/{firm.id}").text


def test_what_has_no_words_or_no_moment_is_said_beside_the_field(firm, anna, as_user):
    browser = as_user(anna)
    given = {"contact": firm.id, "text": " ", "due_at": "", "repeat": "1 week"}
    answer = browser.post("/follow-ups", data=given)
    assert answer.status_code == 422
    assert "Say what is to be done." in answer.text
    assert "Say when you want to be reminded." in answer.text
    assert '<option value="1 week" selected>' in answer.text
    assert rows() == []


def test_three_days_after_the_meeting_moves_with_the_meeting(
    firm, anna, api, as_user, deliver
):
    at = datetime(2027, 3, 25, 12, tzinfo=UTC)
    meeting = make_interaction(firm, author=anna, kind="meeting", occurred_at=at)
    menu = as_user(anna).get(f"/interactions/{meeting.id}/acts", headers=HTMX).text
    assert f'href="/follow-ups/new?entry={meeting.id}"' in menu
    made = plan(api(anna), interaction=meeting.id, after_minutes=3 * 24 * 60)
    # Helsinki's summer begins on the 28th: by the clock on the wall it is three days.
    assert made["due_at"] == "2027-03-28T11:00:00Z"
    fixed = plan(api(anna), interaction=meeting.id, due_at="2027-04-01T08:00:00Z")
    with db.transaction() as session:
        change_interaction(
            session.get_one(Interaction, meeting.id),
            actor=session.get_one(User, anna.id),
            occurred_at=at + timedelta(days=7),
        )
    deliver()
    moved, stayed = rows()
    assert moved.remind_at == datetime(2027, 4, 4, 12, tzinfo=UTC)
    assert stayed.remind_at.isoformat() == "2027-04-01T08:00:00+00:00"
    assert fixed["after_minutes"] is None


def test_the_form_of_an_entry_offers_moments_that_hang_on_it(firm, anna, as_user):
    at = now() + timedelta(days=2)
    meeting = make_interaction(firm, author=anna, kind="meeting", occurred_at=at)
    browser = as_user(anna)
    assert "3 days after" in browser.get(f"/follow-ups/new?entry={meeting.id}").text
    given = {"entry": meeting.id, "text": "Thank them", "when": "1440"}
    assert browser.post("/follow-ups", data=given).status_code == 303
    [row] = rows()
    assert row.interaction_id == meeting.id
    assert row.after_minutes == 1440
    page = browser.get(f"/follow-ups/{row.id}").text
    assert '<option value="1440" selected>' in page
    kept = {"text": "Thank them", "when": "", "version": "1"}
    browser.post(f"/follow-ups/{row.id}", data={**kept, "due_at": "2027-01-05T10:00"})
    [row] = rows()
    assert row.after_minutes is None
    assert row.due_at == datetime(2027, 1, 5, 8, tzinfo=UTC)


# -- Who sees it -----------------------------------------------------------------------


def test_what_hangs_on_an_entry_is_for_its_readers_alone(
    firm, anna, mika, api, as_user
):
    entry = secret_of(anna, firm)
    made = plan(api(anna), interaction=entry.id, text="Whisper")
    other = api(mika)
    assert other.get(f"/api/v1/follow-ups/{made['id']}").status_code == 404
    assert other.get("/api/v1/follow-ups").json["items"] == []
    assert as_user(mika).get(f"/follow-ups/{made['id']}").status_code == 404
    assert "Whisper" not in as_user(mika).get(f"/contacts/{firm.id}").text
    assert "Whisper" in as_user(anna).get(f"/contacts/{firm.id}").text
    open_one = plan(api(anna), contact=firm.id, text="Everybody may help")
    assert other.get(f"/api/v1/follow-ups/{open_one['id']}").status_code == 200
    assert "Everybody may help" in as_user(mika).get(f"/contacts/{firm.id}").text


def test_what_hangs_on_a_shared_entry_stays_in_the_house(firm, anna, api, deliver):
    spec = AudienceSpec("shared", shared_with=frozenset({firm.id}))
    entry = make_interaction(firm, author=anna, audience=spec)
    made = plan(api(anna), interaction=entry.id)
    outi = api(make_user("Outi Kallio", kind="customer", contact=firm))
    deliver()
    assert outi.get(f"/api/v1/follow-ups/{made['id']}").status_code == 404
    told_of = outi.get("/api/v1/events?cursor=0.0&limit=200").text
    assert "follow_up" not in told_of


def test_one_whose_entry_is_in_the_trash_is_gone_with_it(firm, anna, api):
    entry = make_interaction(firm, author=anna)
    made = plan(api(anna), interaction=entry.id)
    client = api(anna)
    match = {"If-Match": f'"{entry.version}"'}
    client.delete(f"/api/v1/interactions/{entry.id}", headers=match)
    assert client.get(f"/api/v1/follow-ups/{made['id']}").status_code == 404


def test_it_is_not_handed_to_somebody_who_may_not_see_it(firm, anna, mika, api):
    entry = secret_of(anna, firm)
    client = api(anna)
    made = plan(client, interaction=entry.id)
    answer = change(client, made, owner=mika.id)
    assert answer.status_code == 422
    assert answer.json["errors"]["owner"] == ["Mika Koski may not read the entry."]
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    answer = change(client, made, owner=outi.id)
    assert answer.json["errors"]["owner"] == ["Choose a colleague."]


# -- Due -------------------------------------------------------------------------------


def test_its_owner_is_told_once_when_it_is_due(app, firm, anna, api, clock, deliver):
    due = now() + timedelta(hours=2)
    plan(api(anna), contact=firm.id, due_at=due.isoformat())
    work(app, clock, deliver)
    assert told(anna) == []
    clock.shift(timedelta(hours=2))
    work(app, clock, deliver)
    work(app, clock, deliver)
    assert told(anna) == ["Tapio Rakennus Oy: Promised prices by today"]


def test_what_came_up_while_everything_was_off_is_told_once_later(
    app, firm, anna, api, clock, deliver
):
    plan(api(anna), contact=firm.id, due_at=(now() + timedelta(hours=1)).isoformat())
    work(app, clock, deliver)
    clock.shift(timedelta(days=9))
    work(app, clock, deliver)
    work(app, clock, deliver)
    assert len(told(anna)) == 1


def test_a_clock_that_is_set_back_tells_nothing_twice(
    app, firm, anna, api, clock, deliver
):
    plan(api(anna), contact=firm.id)
    work(app, clock, deliver)
    assert len(told(anna)) == 1
    clock.shift(timedelta(days=-2))
    work(app, clock, deliver)
    clock.shift(timedelta(days=3))
    work(app, clock, deliver)
    assert len(told(anna)) == 1


def test_who_lost_the_right_to_see_it_is_told_nothing(
    app, firm, anna, mika, api, clock, deliver
):
    entry = secret_of(anna, firm, mika)
    due = (now() + timedelta(hours=1)).isoformat()
    plan(api(mika), interaction=entry.id, due_at=due)
    with db.transaction() as session:
        change_interaction(
            session.get_one(Interaction, entry.id),
            actor=session.get_one(User, anna.id),
            audience=AudienceSpec("private", users=frozenset({anna.id})),
        )
    clock.shift(timedelta(hours=2))
    work(app, clock, deliver)
    assert told(mika) == []


def test_whoever_stands_in_is_told_too(app, firm, anna, mika, api, clock, deliver):
    today = today_of(anna)
    with db.transaction() as session:
        line = {"user_id": anna.id, "deputy_id": mika.id}
        days = {"from_on": today, "until_on": today + timedelta(days=3)}
        session.add(UserDeputy(**line, **days))
    plan(api(anna), contact=firm.id)
    work(app, clock, deliver)
    said = "Tapio Rakennus Oy: Promised prices by today"
    assert told(anna) == [said]
    assert told(mika) == [f"For Anna Laine: {said}"]


def test_a_snoozed_one_is_told_again_on_its_day(app, firm, anna, api, clock, deliver):
    client = api(anna)
    made = plan(client, contact=firm.id)
    work(app, clock, deliver)
    until = (now() + timedelta(days=1)).isoformat()
    answer = change(client, made, snoozed_until=until)
    assert answer.json["due_at"] == made["due_at"]
    work(app, clock, deliver)
    assert len(told(anna)) == 1
    clock.shift(timedelta(days=1))
    work(app, clock, deliver)
    assert len(told(anna)) == 2


# -- Doing -----------------------------------------------------------------------------


def test_a_colleague_is_told_of_what_is_handed_to_them(firm, anna, mika, api, deliver):
    client = api(anna)
    made = plan(client, contact=firm.id)
    assert change(client, made, owner=mika.id).json["owner"] == mika.id
    deliver()
    said = "Yours now: Tapio Rakennus Oy, Promised prices by today"
    assert told(mika) == [said]
    assert told(anna) == []


def test_done_makes_the_next_of_what_repeats_and_undo_takes_it_back(
    firm, anna, as_user, api, clock
):
    monday = datetime(2026, 11, 30, 7, tzinfo=UTC)
    clock.move_to(monday + timedelta(hours=1))
    repeat = {"every": 1, "unit": "month"}
    made = plan(api(anna), contact=firm.id, due_at=monday.isoformat(), repeat=repeat)
    browser = as_user(anna)
    answer = browser.post(f"/follow-ups/{made['id']}/done", headers=HTMX)
    assert answer.status_code == 200
    assert answer.text == ""
    assert "Again" in answer.headers["HX-Trigger"]
    first, second = rows()
    assert first.done_at is not None
    assert second.due_at == datetime(2026, 12, 30, 7, tzinfo=UTC)
    assert second.repeat_every == 1
    undo = answer.headers["HX-Trigger"].split('"undo": "')[1].split('"')[0]
    assert browser.post(undo).status_code == 303
    first, second = rows()
    assert first.done_at is None
    assert second.trashed_at is not None
    browser.post(f"/follow-ups/{made['id']}/done")
    assert [one.trashed_at for one in rows()] == [None, None]


def test_the_next_of_ones_own_is_no_news_whoever_did_it(
    firm, anna, mika, as_user, api, deliver
):
    repeat = {"every": 1, "unit": "week"}
    due = (now() + timedelta(days=1)).isoformat()
    made = plan(api(mika), contact=firm.id, due_at=due, repeat=repeat)
    answer = as_user(anna).post(f"/follow-ups/{made['id']}/done", headers=HTMX)
    assert answer.status_code == 200
    deliver()
    assert [one.owner_id for one in rows()] == [mika.id, mika.id]
    assert told(mika) == []


def test_what_repeats_skips_the_days_that_went_by(firm, anna, api, clock):
    due = now() - timedelta(days=30)
    client = api(anna)
    repeat = {"every": 1, "unit": "week"}
    made = plan(client, contact=firm.id, due_at=due.isoformat(), repeat=repeat)
    assert change(client, made, done=True).status_code == 200
    assert change(client, made, done=True).status_code == 412
    _done, following = rows()
    assert now() < following.due_at < now() + timedelta(days=7)


def test_what_is_due_on_the_last_day_stays_there_through_shorter_months(
    firm, anna, api, clock
):
    client, due = api(anna), datetime(2027, 1, 31, 9, tzinfo=UTC)
    clock.move_to(due)
    repeat = {"every": 1, "unit": "month"}
    plan(client, contact=firm.id, due_at=due.isoformat(), repeat=repeat)
    days = []
    for _month in range(4):
        item = client.get("/api/v1/follow-ups").json["items"][0]
        days.append(item["due_at"][5:10])
        assert change(client, item, done=True).status_code == 200
        clock.move_to(datetime.fromisoformat(item["due_at"]) + timedelta(hours=1))
    assert days == ["01-31", "02-28", "03-31", "04-30"]
    # A day that somebody chose is the day from then on.
    item = client.get("/api/v1/follow-ups").json["items"][0]
    moved = change(client, item, due_at="2027-05-28T09:00:00Z")
    assert change(client, moved.json, done=True).status_code == 200
    item = client.get("/api/v1/follow-ups").json["items"][0]
    assert item["due_at"][5:10] == "06-28"


def test_done_and_later_and_the_trash_each_have_a_way_back(firm, anna, as_user, api):
    made = plan(api(anna), contact=firm.id)
    browser = as_user(anna)
    address = f"/follow-ups/{made['id']}"
    for act in ("done", "snooze", "trash"):
        before = rows()[0].version
        assert browser.post(f"{address}/{act}", data={"days": "1"}).location == "/"
        assert rows()[0].version > before
        undo = browser.get("/").text.split('action="/me/undo/')[1].split('"')[0]
        assert browser.post(f"/me/undo/{undo}").status_code == 303
        [row] = rows()
        assert (row.done_at, row.snoozed_until, row.trashed_at) == (None, None, None)
        assert row.remind_at == row.due_at
    changes = words_of(browser.get("/me/changes").text)
    assert "Promised prices by today" in changes


def test_somebody_who_saved_meanwhile_is_not_overwritten(
    firm, anna, mika, as_user, api
):
    made = plan(api(anna), contact=firm.id)
    given = {"text": "Mine", "due_at": "2027-01-05T10:00", "version": made["version"]}
    address = f"/follow-ups/{made['id']}"
    assert as_user(mika).post(address, data=given).status_code == 303
    answer = as_user(anna).post(address, data={**given, "text": "My own words"})
    assert answer.status_code == 409
    assert "Somebody saved this meanwhile. Yours is kept below." in answer.text
    assert "My own words" in answer.text
    assert rows()[0].text == "Mine"


def test_the_past_and_nonsense_are_refused(firm, anna, as_user, api):
    client = api(anna)
    made = plan(client, contact=firm.id)
    assert change(client, made, snoozed_until="2020-01-01T00:00:00Z").status_code == 422
    far = {"text": "x", "contact": firm.id, "due_at": "2999-01-01T00:00:00Z"}
    assert client.post("/api/v1/follow-ups", json=far).status_code == 422
    for given in (
        {"text": "x", "due_at": "2027-01-01T00:00:00Z"},
        {"text": "x", "contact": firm.id, "after_minutes": 60},
        {"text": "x", "contact": firm.id},
    ):
        assert client.post("/api/v1/follow-ups", json=given).status_code == 422
    browser = as_user(anna)
    answer = browser.post(f"/follow-ups/{made['id']}/snooze", data={"on": "2020-01-01"})
    assert answer.status_code == 422
    assert browser.get("/follow-ups/new").status_code == 422


def test_one_key_plans_once_and_a_version_is_asked_for(firm, anna, api):
    client = api(anna)
    given = {"text": "x", "contact": firm.id, "due_at": "2027-01-01T00:00:00Z"}
    key = {"Idempotency-Key": "one"}
    first = client.post("/api/v1/follow-ups", json=given, headers=key)
    second = client.post("/api/v1/follow-ups", json=given, headers=key)
    assert first.json == second.json
    assert len(rows()) == 1
    address = f"/api/v1/follow-ups/{first.json['id']}"
    assert client.patch(address, json={"text": "y"}).status_code == 428
    assert client.delete(address, headers={"If-Match": '"9"'}).status_code == 412
    etag = {"If-Match": client.get(address).headers["ETag"]}
    assert client.delete(address, headers=etag).status_code == 204
    assert client.get(address).status_code == 404


def test_lists_are_narrowed_and_paged(firm, anna, mika, api):
    client = api(anna)
    for n in range(3):
        due = (now() + timedelta(days=n)).isoformat()
        plan(client, contact=firm.id, text=f"No. {n}", due_at=due)
    last = plan(client, contact=firm.id, text="Mika's", owner=mika.id)

    def texts(query):
        answer = client.get(f"/api/v1/follow-ups?{query}")
        return [one["text"] for one in answer.json["items"]]

    assert texts("owner=me") == ["No. 0", "No. 1", "No. 2"]
    assert texts(f"owner={mika.id}") == ["Mika's"]
    page = client.get("/api/v1/follow-ups?owner=me&limit=2").json
    assert texts(f"owner=me&limit=2&cursor={page['next']}") == ["No. 2"]
    change(client, last, done=True)
    assert texts("state=done") == ["Mika's"]
    assert texts(f"contact={firm.id + 99}") == []


def test_a_leaver_hands_their_follow_ups_on(firm, anna, mika, api, as_user):
    plan(api(anna), contact=firm.id)
    chief = as_user(make_user("Ad Min", roles=("admin",)))
    page = chief.get(f"/admin/users/{anna.id}/leave").text
    assert "interactions_follow_up.owner_id" in page
    assert "Follow-ups" in page


# -- My day ----------------------------------------------------------------------------


def test_my_day_is_one_list_in_order_with_what_to_know_first(
    app, anna, as_user, api, clock
):
    clock.move_to(now().replace(hour=12, minute=0, second=0))
    today, day = now().date(), timedelta(days=1)
    step = {"next_step": "Call back", "next_step_on": today.isoformat()}
    make_contact("Step Oy", owner=anna.id, **step)
    firm = make_contact("Prices Oy", know_first="**Deliver** before ten")
    client = api(anna)
    plan(client, contact=firm.id, due_at=(now() - 2 * day).isoformat(), text="Oldest")
    plan(client, contact=firm.id, due_at=now().isoformat(), text="Today")
    plan(client, contact=firm.id, due_at=(now() + 2 * day).isoformat(), text="Later")
    page = as_user(anna).get("/").text
    words = words_of(page)
    assert (
        words.index("Oldest") < words.index("Step Oy") < words.index("Prices Oy Today")
    )
    assert "2 days late" in words
    assert "Deliver before ten" in words
    assert "Prices Oy Later" not in words
    assert page.count("Follow up</h2>") == 1
    call = f"/interactions/new?contact={firm.id}&amp;kind=call"
    assert f'href="{call}"' in page
    # The number beside "my day" is of both.
    assert "My day 3" in words


def test_a_step_is_done_in_place_and_offers_undo(app, anna, as_user):
    step = {"next_step": "Call back", "next_step_on": now().date().isoformat()}
    firm = make_contact("Step Oy", owner=anna.id, **step)
    browser = as_user(anna)
    answer = browser.post(f"/contacts/{firm.id}/step/done", headers=HTMX)
    assert answer.text == ""
    assert "/me/undo/" in answer.headers["HX-Trigger"]
    with db.read_only() as session:
        assert session.get_one(Contact, firm.id).next_step == ""


def test_a_deputy_finds_what_is_due_for_whom(firm, anna, mika, api, as_user):
    today = today_of(anna)
    with db.transaction() as session:
        line = {"user_id": anna.id, "deputy_id": mika.id}
        session.add(UserDeputy(**line, from_on=today, until_on=today))
    plan(api(anna), contact=firm.id)
    plan(api(anna), interaction=secret_of(anna, firm).id, text="Between us")
    words = words_of(as_user(mika).get("/").text)
    assert "Promised prices by today (for Anna Laine)" in words
    assert "Between us" not in words


def test_a_contact_in_the_trash_asks_for_nothing(
    app, firm, anna, api, as_user, clock, deliver
):
    plan(api(anna), contact=firm.id)
    browser = as_user(anna)
    browser.post(f"/contacts/{firm.id}/trash")
    browser.get("/")
    assert "Promised prices" not in browser.get("/").text
    work(app, clock, deliver)
    assert told(anna) == []


def test_the_pages_cost_the_same_with_one_and_with_many(
    firm, anna, api, as_user, count_queries
):
    client, browser = api(anna), as_user(anna)
    plan(client, contact=firm.id)

    def cost(address):
        browser.get(address)
        with count_queries() as counted:
            assert browser.get(address).status_code == 200
        return counted.count

    addresses = ["/", "/follow-ups", f"/contacts/{firm.id}"]
    # From now on it is among the contacts that were opened lately.
    browser.get(addresses[2])
    few = [cost(one) for one in addresses]
    for n in range(8):
        plan(client, contact=make_contact(f"Firm {n}").id)
        plan(client, contact=firm.id)
    assert [cost(one) for one in addresses] == few
    assert few[2] <= 12


def test_follow_ups_go_out_as_a_table(app, firm, anna, mika, api):
    from tests.core.leak_doors import export
    from tests.core.leak_world import Reader

    plan(api(anna), contact=firm.id, text="For all")
    plan(api(anna), interaction=secret_of(anna, firm).id, text="For few")

    def out(user):
        return export(
            app, Reader(user.name, "staff", "sales", user), "follow-ups", "csv"
        )

    assert "For all" in out(anna)
    assert "For few" in out(anna)
    assert "For few" not in out(mika)
    assert "Tapio Rakennus Oy" in out(mika)

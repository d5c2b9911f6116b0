"""Live updates: who may see a change learns of it at once, and nobody else."""

import json
import threading
from datetime import timedelta
from itertools import islice
from time import monotonic, sleep

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.contacts.services import change_contact
from core.db import db
from core.events import Event, acting
from core.scheduling import beat
from core.testing.factories import make_contact, make_interaction, make_user
from core.testing.plugins import INSTALLED
from core.users.models import Team, User
from core.users.services import disable_user, ensure_role, ensure_team


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED}


class Stream:
    """A browser's event stream, read message by message."""

    def __init__(self, browser, cursor="", last_event_id=None):
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        arguments = {"cursor": cursor} if cursor else {}
        self.answer = browser.get("/live", headers=headers, query_string=arguments)
        self.status = self.answer.status_code
        self._blocks = iter(self.answer.response)

    def read(self):
        """Give the next message; fail when only a sign of life comes."""
        text = next(self._blocks)
        text = text.decode() if isinstance(text, bytes) else text
        assert not text.startswith(":"), "nothing came"
        fields = dict(line.split(": ", 1) for line in text.strip().split("\n"))
        return fields | {"data": json.loads(fields["data"])}

    def change(self):
        """Give what the next message says has changed."""
        message = self.read()
        assert message["event"] == "change"
        return message["data"]["type"], message["data"]["ref"]

    def close(self):
        self.answer.close()


@pytest.fixture
def follow(as_user):
    """Open the stream of somebody, after its greeting."""
    opened = []

    def start(user, **more):
        stream = Stream(as_user(user), **more)
        opened.append(stream)
        assert stream.status == 200
        assert stream.read()["event"] == "hello"
        return stream

    yield start
    for stream in opened:
        stream.close()


@pytest.fixture
def poll(as_user):
    """Ask the API for everything after a cursor, page by page."""

    def ask(user, cursor, limit=2):
        browser, found = as_user(user), []
        while True:
            page = browser.get(
                "/api/v1/events", query_string={"cursor": cursor, "limit": limit}
            ).json
            found += page["items"]
            cursor = page["cursor"]
            if page["next"] is None:
                return found, cursor

    return ask


def cursor_of(browser):
    return browser.get("/api/v1/events").json["cursor"]


def make_team(name):
    with db.transaction():
        ensure_team(name)


# -- What is told, and to whom -----------------------------------------------------


def test_a_change_is_named_at_once_and_its_content_is_not(follow):
    anna, contact = make_user("Anna Laine"), make_contact()
    stream = follow(anna)
    started = monotonic()
    note = make_interaction(contact, author=anna, body="They are about to be bought.")
    message = stream.read()
    assert monotonic() - started < 2
    assert message["data"] == {
        "type": "interaction.created",
        "ref": note.ref,
        "contact": contact.id,
        "cursor": message["id"],
    }


def test_a_colleague_outside_the_audience_is_told_nothing(follow):
    sales = make_user("Anna Laine", teams=("Sales",))
    support = make_user("Ben Koski", teams=("Support",))
    contact = make_contact()
    inside, outside = follow(sales), follow(support)
    spec = AudienceSpec("teams", teams=frozenset(sales.team_ids))
    secret = make_interaction(contact, author=sales, audience=spec)
    mine = AudienceSpec("private", users=frozenset({sales.id}))
    diary = make_interaction(contact, author=sales, audience=mine)
    everybody = make_interaction(contact, author=sales)
    told = [inside.change() for _ in range(3)]
    assert [ref for _type, ref in told] == [secret.ref, diary.ref, everybody.ref]
    assert outside.change() == ("interaction.created", everybody.ref)


def test_people_outside_are_told_what_is_shared_with_them_and_no_more(follow):
    anna = make_user("Anna Laine")
    kallio = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    other = make_contact("Toinen Oy", roles=["customer"])
    outi = make_user("Outi Kallio", kind="customer", contact=kallio)
    stream = follow(outi)
    make_interaction(kallio, author=anna, body="Pays late.")
    with db.transaction() as session:
        change_contact(
            session.get_one(Contact, other.id), {"language": "fi"}, actor=None
        )
    make_team("Field sales")
    shared = AudienceSpec("shared", shared_with=frozenset({kallio.id}))
    note = make_interaction(other, author=anna, audience=shared)
    message = stream.read()["data"]
    assert (message["type"], message["ref"]) == ("interaction.created", note.ref)
    # That it was written on another firm is not theirs to know.
    assert message["contact"] == kallio.id


def test_types_one_may_not_read_are_not_named(app, follow, api):
    with db.transaction():
        ensure_role("narrow", ["contacts:read"])
    narrow = make_user("Nea Narrow", roles=("narrow",))
    anna, contact = make_user("Anna Laine"), make_contact()
    stream = follow(narrow)
    program = api(anna, "contacts:read")
    cursor = cursor_of(program)
    make_interaction(contact, author=anna)
    seen = make_contact("Seen by all")
    assert stream.change() == ("contact.created", seen.ref)
    items = program.get(f"/api/v1/events?cursor={cursor}").json["items"]
    assert [one["ref"] for one in items] == [seen.ref]


def test_a_deleted_record_is_still_told_to_who_could_see_it(follow):
    anna = make_user("Anna Laine", teams=("Sales",))
    ben = make_user("Ben Koski", teams=("Support",))
    contact = make_contact()
    spec = AudienceSpec("teams", teams=frozenset(anna.team_ids))
    note = make_interaction(contact, author=anna, audience=spec)
    inside, outside = follow(anna), follow(ben)
    with db.transaction() as session:
        session.delete(session.get_one(type(note), note.id))
    make_team("Field sales")
    assert inside.change() == ("interaction.deleted", note.ref)
    assert outside.change()[0] == "team.created"


# -- Cursors -----------------------------------------------------------------------


def test_who_comes_back_is_told_what_was_missed_once_and_in_order(follow):
    anna = make_user("Anna Laine")
    stream = follow(anna)
    make_team("One")
    last = stream.read()["id"]
    stream.close()
    for name in ("Two", "Three"):
        make_team(name)
    with db.read_only() as session:
        refs = [team.ref for team in session.scalars(sa.select(Team).order_by(Team.id))]
    again = follow(anna, last_event_id=last)
    assert [again.change()[1], again.change()[1]] == refs[1:]
    # The header wins over the address, which the browser cannot change.
    both = follow(anna, cursor="0.0", last_event_id=last)
    assert both.change()[1] == refs[1]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "1",
        "1.",
        ".1",
        "-1.5",
        "1.2.3",
        "1e3.1",
        "².1",
        "1.1\n",
        "٣.١",
        f"{'9' * 30}.1",
        "9223372036854775808.1",
        "0.0' OR 1=1",
    ],
)
def test_a_cursor_we_did_not_make_is_refused(as_user, cursor):
    browser = as_user(make_user("Anna Laine"))
    for address in ("/live", "/api/v1/events"):
        answer = browser.get(address, query_string={"cursor": cursor})
        assert answer.status_code == 400, address
    assert Stream(browser, last_event_id=cursor.strip()[:40]).status in {200, 400}


def test_polling_tells_the_same_as_the_stream(follow, poll, as_user):
    anna = make_user("Anna Laine", teams=("Sales",))
    ben = make_user("Ben Koski", teams=("Support",))
    kallio = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    outi = make_user("Outi Kallio", kind="customer", contact=kallio)
    people = [anna, ben, outi]
    cursor = cursor_of(as_user(anna))
    streams = [follow(one, cursor=cursor) for one in people]
    audiences = [
        AudienceSpec("staff"),
        AudienceSpec("private", users=frozenset({ben.id})),
        AudienceSpec("teams", teams=frozenset(anna.team_ids)),
        AudienceSpec("shared", shared_with=frozenset({kallio.id})),
    ]
    with acting(ben.id):
        for spec in [*audiences * 2, audiences[-1]]:
            make_interaction(kallio, author=ben, audience=spec)
    counts = []
    for user, stream in zip(people, streams, strict=True):
        polled, reached = poll(user, cursor)
        streamed = [stream.read()["data"] for _ in polled]
        assert [(one["type"], one["ref"]) for one in streamed] == [
            (one["type"], one["ref"]) for one in polled
        ]
        assert poll(user, reached)[0] == []
        counts.append(len(polled))
    assert counts == [7, 9, 3]


def test_the_cursor_passes_over_what_one_may_not_see(as_user):
    anna, ben = make_user("Anna Laine"), make_user("Ben Koski")
    contact = make_contact()
    browser = as_user(ben)
    cursor = cursor_of(browser)
    mine = AudienceSpec("private", users=frozenset({anna.id}))
    make_interaction(contact, author=anna, audience=mine)
    page = browser.get(f"/api/v1/events?cursor={cursor}").json
    assert page["items"] == []
    assert page["cursor"] != cursor
    assert page["next"] is None


def test_the_api_speaks_cloudevents_and_refuses_too_large_pages(api):
    anna = make_user("Anna Laine")
    program = api(anna)
    cursor = cursor_of(program)
    contact = make_contact()
    (event,) = program.get(f"/api/v1/events?cursor={cursor}").json["items"]
    assert event["specversion"] == "1.0"
    assert event["type"] == "contact.created"
    assert event["subject"] == event["ref"] == contact.ref
    assert event["source"] == "rapport"
    assert event["time"].endswith("Z")
    assert isinstance(event["id"], str)
    assert program.get("/api/v1/events?limit=500").status_code == 422
    spec = program.get("/api/v1/openapi.json").json
    assert "/api/v1/events" in spec["paths"]


# -- Transactions that end out of order --------------------------------------------


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_an_event_that_commits_late_is_not_missed(follow, poll, as_user):
    anna = make_user("Anna Laine")
    cursor = cursor_of(as_user(anna))
    stream = follow(anna, cursor=cursor)
    with db.transaction():
        ensure_team("Early id, late commit")
        make_team("Late id, early commit")
        found, seen = poll(anna, cursor)
        assert found == []
    names = ["Early id, late commit", "Late id, early commit"]
    with db.read_only() as session:
        refs = [
            session.scalars(sa.select(Team).where(Team.name == name)).one().ref
            for name in names
        ]
        ids = list(session.scalars(sa.select(Event.id).where(Event.subject.in_(refs))))
    assert len(ids) == 2
    for start in (cursor, seen):
        assert [one["ref"] for one in poll(anna, start)[0]] == refs
    assert [stream.change()[1], stream.change()[1]] == refs


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_an_older_transaction_with_a_later_id_is_not_missed(poll, as_user):
    anna = make_user("Anna Laine")
    cursor = cursor_of(as_user(anna))
    with db.transaction() as session:
        session.scalar(sa.text("SELECT pg_current_xact_id()::text"))
        make_team("Young transaction, early id")
        found, seen = poll(anna, cursor)
        assert found == []
        ensure_team("Old transaction, late id")
    for start in (cursor, seen):
        assert len(poll(anna, start)[0]) == 2


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_what_an_older_silent_transaction_holds_back_comes_when_it_ends(app, follow):
    anna = make_user("Anna Laine")
    stream = follow(anna)
    begun, enough = threading.Event(), threading.Event()

    def hold_back():
        with app.app_context(), db.transaction() as session:
            session.scalar(sa.text("SELECT pg_current_xact_id()::text"))
            begun.set()
            enough.wait(10)

    holder = threading.Thread(target=hold_back)
    holder.start()
    begun.wait(10)
    make_team("Committed and not yet readable")
    threading.Timer(0.7, enough.set).start()
    started = monotonic()
    assert stream.change()[0] == "team.created"
    assert 0.5 < monotonic() - started < 2.5
    holder.join()


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_the_stream_goes_on_when_the_database_was_away(app, follow):
    stream = follow(make_user("Anna Laine"))
    make_team("Before")
    stream.change()
    db.engine.dispose()
    with db.engine.connect() as connection:
        ended = connection.scalar(
            sa.text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert ended
    make_team("After")
    assert stream.change()[0] == "team.created"


@pytest.mark.soak
@pytest.mark.parametrize("dialect", ["postgresql"])
def test_nothing_is_missed_while_many_commit_out_of_order(app, poll, as_user):
    anna = make_user("Anna Laine")
    cursor = start = cursor_of(as_user(anna))
    done = threading.Event()

    def write(number):
        with app.app_context():
            for turn in range(200):
                with db.transaction() as session:
                    ensure_team(f"Team {number}.{turn}")
                    session.scalar(sa.text("SELECT pg_sleep(random() * 0.01)::text"))

    writers = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for one in writers:
        one.start()
    seen = []
    while not done.is_set():
        if not any(one.is_alive() for one in writers):
            done.set()
        found, cursor = poll(anna, cursor, limit=50)
        seen += [one["id"] for one in found]
    assert len(seen) == len(set(seen)) == 1200
    assert {one["id"] for one in poll(anna, start, limit=200)[0]} == set(seen)


# -- The door ----------------------------------------------------------------------


def test_what_is_no_news_wakes_no_page(app, monkeypatch):
    """A worker's sign of life is a commit as well; hundreds of pages would look."""
    monkeypatch.setattr("core.live.ALIVE_EVERY", 0.2)
    watcher = app.extensions["rapport_watcher"]
    watcher.start()
    watcher.wait(0, 5)
    for _turn in range(3):
        before = watcher.turn
        beat(app)
        assert watcher.wait(before, 0.7) == before
    make_contact()
    assert watcher.wait(before, 5) > before


def test_a_page_at_rest_asks_the_database_nothing(follow, monkeypatch, count_queries):
    monkeypatch.setattr("core.live.ALIVE_EVERY", 0.3)
    stream = follow(make_user("Anna Laine"))
    with pytest.raises(AssertionError, match="nothing came"):
        stream.read()
    with count_queries() as counter:
        for _turn in range(3):
            with pytest.raises(AssertionError, match="nothing came"):
                stream.read()
    about_pages = [one for one in counter.statements if "user_session" in one]
    assert about_pages == []


def test_a_guest_is_refused_as_a_program_is(client):
    answer = client.get("/live", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"


def test_a_token_opens_no_stream(api):
    answer = api(make_user("Anna Laine")).get("/live")
    assert answer.status_code in {302, 401}


def test_the_stream_ends_when_the_account_is_closed(follow):
    anna = make_user("Anna Laine")
    stream = follow(anna)
    with db.transaction() as session:
        disable_user(session.get_one(User, anna.id))
    with pytest.raises(StopIteration):
        stream.read()


def test_the_stream_ends_when_its_sign_in_does(as_user, clock):
    browser = as_user(make_user("Anna Laine"))
    stream = Stream(browser)
    assert stream.read()["event"] == "hello"
    clock.shift(timedelta(days=2))
    make_team("After the sign-in ended")
    with pytest.raises(StopIteration):
        stream.read()
    stream.close()


def test_the_stream_ends_with_its_sign_in_though_nothing_happens(
    as_user, monkeypatch, clock
):
    monkeypatch.setattr("core.live.ALIVE_EVERY", 0.2)
    monkeypatch.setattr("core.live.SIGNED_IN_EVERY", 0.4)
    stream = Stream(as_user(make_user("Anna Laine")))
    assert stream.read()["event"] == "hello"
    for _turn in range(3):
        with pytest.raises(AssertionError, match="nothing came"):
            stream.read()
    clock.shift(timedelta(days=60))
    assert len(list(islice(stream._blocks, 10))) < 10
    stream.close()


def test_pages_at_rest_ask_once_for_all_whether_they_are_signed_in(
    app, follow, monkeypatch, count_queries
):
    streams = [follow(make_user(name)) for name in ("Anna Laine", "Pekka Oja")]
    turn = 0
    while (seen := app.extensions["rapport_watcher"].wait(turn, 0.7)) != turn:
        turn = seen
    monkeypatch.setattr("core.live.ALIVE_EVERY", 0.0)
    for stream in streams:
        next(one for one in stream._blocks if one.startswith(b":"))
    monkeypatch.setattr("core.live.SIGNED_IN_EVERY", 0.5)
    sleep(0.6)
    with count_queries() as counter:
        for stream in streams:
            next(stream._blocks)
    asked = [one for one in counter.statements if "user_session" in one]
    assert len(asked) == 1


def test_the_stream_is_kept_by_nobody(follow):
    headers = follow(make_user("Anna Laine")).answer.headers
    assert headers["Content-Type"].startswith("text/event-stream")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert "Content-Encoding" not in headers


def test_streams_beyond_the_limit_are_told_to_ask_instead(
    make_app, app_config, as_user
):
    browser = as_user(make_user("Anna Laine"))
    browser.application.config["LIVE_STREAMS"] = 2
    first, unread = Stream(browser), Stream(browser)
    assert first.read()["event"] == "hello"
    refused = Stream(browser)
    assert refused.status == 429
    assert int(refused.answer.headers["Retry-After"]) > 0
    assert browser.get("/api/v1/events").status_code == 200
    # One that was never read gives its place back as well.
    unread.close()
    again = Stream(browser)
    assert again.status == 200
    first.close()
    again.close()
    last = Stream(browser)
    assert last.status == 200
    last.close()
    assert Stream(browser, cursor="nonsense").status == 400
    assert not browser.application.extensions["rapport_watcher"].streams

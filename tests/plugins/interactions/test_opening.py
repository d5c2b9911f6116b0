"""What is opened to people outside waits, and nobody of them finds it until then."""

import io
import re

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.db import db
from core.interactions.models import Interaction
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_interaction, make_user

WORD = "Bronze"


@pytest.fixture
def app_config():
    # The first delivery of a run makes the index, which may take ten seconds.
    return {"MAIL_PORTAL_HOLD_SECONDS": 60}


@pytest.fixture
def firm(app):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales"])


@pytest.fixture
def outi(firm):
    return make_user("Outi Kallio", kind="customer", contact=firm)


@pytest.fixture
def shared(firm):
    return AudienceSpec("shared", shared_with=frozenset({firm.id}))


def form_of(firm, readers=(), **changed):
    return {
        "kind": "note",
        "body": f"{WORD} valves come on Friday.",
        "contacts": firm.id,
        "audience": "shared",
        "shared_with": firm.id,
        "looked": "1",
        "seen": [one.id for one in readers],
        **changed,
    }


def latest():
    with db.read_only() as session:
        query = sa.select(Interaction).order_by(Interaction.id.desc()).limit(1)
        return session.scalars(query).unique().one()


def found_through(entry, user, firm, as_user, api):
    """Give the doors through which somebody outside finds an entry."""
    browser, program = as_user(user), api(user)
    pages = {
        "page": browser.get(f"/interactions/{entry.id}"),
        "list": browser.get("/interactions", follow_redirects=True),
        "portal": browser.get("/", follow_redirects=True),
        "search": browser.get(f"/search?q={WORD}"),
        "api": program.get("/api/v1/interactions"),
        "api entry": program.get(f"/api/v1/interactions/{entry.id}"),
        "api story": program.get(f"/api/v1/contacts/{firm.id}/timeline"),
    }
    found = {name for name, one in pages.items() if f"{WORD} valves" in one.text}
    if program.get(f"/api/v1/search?q={WORD}").json["total"]:
        found.add("api search")
    for event in program.get("/api/v1/events?cursor=0.0").json["items"]:
        if entry.ref in str(event):
            found.add("events")
    return found


def test_nobody_outside_finds_what_waits_and_everybody_does_when_it_is_over(
    firm, anna, outi, as_user, api, deliver, clock
):
    written = as_user(anna).post("/interactions", data=form_of(firm, [outi]))
    assert written.status_code == 303, written.text
    entry = latest()
    deliver()
    assert found_through(entry, outi, firm, as_user, api) == set()
    assert WORD in as_user(anna).get(f"/interactions/{entry.id}").text
    clock.shift(61)
    deliver()
    found = found_through(entry, outi, firm, as_user, api)
    assert {"page", "api", "api entry", "api story", "api search", "events"} <= found


def test_the_files_of_an_entry_wait_with_it(firm, anna, outi, as_user, api, clock):
    sent = form_of(firm, [outi], files=(io.BytesIO(b"4.20"), "Prices.txt"))
    assert as_user(anna).post("/interactions", data=sent).status_code == 303
    [file] = api(anna).get("/api/v1/documents").json["items"]
    page, content = (
        f"documents/{file['id']}",
        f"/documents/{file['id']}/versions/1/file",
    )

    def found():
        browser, program = as_user(outi), api(outi)
        doors = [browser.get(f"/portal/{page}"), program.get(f"/api/v1/{page}")]
        with browser.get(content) as file:
            doors.append(file)
        listed = program.get("/api/v1/documents").json["items"]
        return [one.status_code for one in doors], len(listed)

    assert found() == ([404, 404, 404], 0)
    clock.shift(61)
    assert found() == ([200, 200, 200], 1)


def test_it_opens_by_the_clock_while_no_worker_runs(firm, anna, outi, as_user, clock):
    as_user(anna).post("/interactions", data=form_of(firm, [outi]))
    browser, address = as_user(outi), f"/interactions/{latest().id}"
    assert browser.get(address).status_code == 404
    clock.shift(61)
    assert WORD in browser.get(address).text


def test_the_writer_is_told_and_takes_the_words_back_into_the_composer(
    firm, anna, outi, as_user, api, deliver, clock
):
    browser = as_user(anna)
    browser.post("/interactions", data=form_of(firm, [outi]))
    entry = latest()
    page = browser.get(f"/interactions/{entry.id}").text
    assert re.search(r"Goes to 1 person outside in (60|5\d) s", page)
    assert f"/interactions/{entry.id}/take-back" in page
    answer = browser.post(f"/interactions/{entry.id}/take-back")
    assert answer.status_code == 303
    again = browser.get(answer.location).text
    assert f"{WORD} valves come on Friday." in again
    assert 'value="shared" checked' not in again
    clock.shift(61)
    deliver()
    assert found_through(entry, outi, firm, as_user, api) == set()
    with db.read_only() as session:
        assert not session.scalars(sa.select(Notification)).all()
    # Taken out of the trash it is for its writer alone.
    browser.post(f"/interactions/{entry.id}/restore")
    assert found_through(entry, outi, firm, as_user, api) == set()


def test_what_was_widened_goes_back_to_its_readers(
    firm, anna, outi, as_user, api, deliver, clock
):
    staff = AudienceSpec("staff")
    body = f"{WORD} valves come on Friday."
    entry = make_interaction(firm, author=anna, body=body, audience=staff)
    browser = as_user(anna)
    form = form_of(firm, [outi], version=entry.version)
    assert browser.post(f"/interactions/{entry.id}/edit", data=form).status_code == 303
    assert latest().audience.kind == "shared"
    deliver()
    assert found_through(entry, outi, firm, as_user, api) == set()
    assert browser.post(f"/interactions/{entry.id}/take-back").status_code == 303
    assert latest().audience.kind == "staff"
    assert latest().trashed_at is None
    clock.shift(61)
    deliver()
    assert found_through(entry, outi, firm, as_user, api) == set()


def test_who_read_it_before_goes_on_while_others_wait(
    firm, anna, outi, shared, as_user, clock
):
    other = make_contact("Nordvalve Ab", roles=["vendor"])
    ville = make_user("Ville Aho", kind="vendor", contact=other)
    entry = make_interaction(firm, author=anna, body=WORD, audience=shared)
    both = form_of(firm, [outi, ville], shared_with=[firm.id, other.id], version=1)
    address = f"/interactions/{entry.id}"
    opened = as_user(anna).post(f"{address}/edit", data=both)
    assert opened.status_code == 303, opened.text
    assert as_user(outi).get(address).status_code == 200
    assert as_user(ville).get(address).status_code == 404
    clock.shift(61)
    assert as_user(ville).get(address).status_code == 200


def test_a_reply_waits_and_is_told_of_when_it_is_open(
    firm, anna, outi, as_user, deliver, clock
):
    outside = as_user(outi)
    outside.post(
        "/interactions", data={"kind": "message", "body": "When do they come?"}
    )
    asked = latest()
    assert asked.opens_at is None
    reply = {"body": f"{WORD} valves: Friday.", "parent": asked.id, "looked": "1"}
    browser = as_user(anna)
    sent = browser.post("/interactions", data=reply | {"kind": "note", "seen": outi.id})
    assert sent.status_code == 303, sent.text
    deliver()
    assert WORD not in outside.get(f"/interactions/{asked.id}").text
    assert bell_of(outi) == []
    clock.shift(61)
    deliver()
    deliver()
    assert WORD in outside.get(f"/interactions/{asked.id}").text
    assert bell_of(outi) == ["You have a reply."]


def bell_of(user):
    query = sa.select(Notification.text).where(Notification.user_id == user.id)
    with db.read_only() as session:
        return list(session.scalars(query))


def test_too_late_is_said(firm, anna, outi, as_user, clock):
    browser = as_user(anna)
    browser.post("/interactions", data=form_of(firm, [outi]))
    clock.shift(61)
    late = browser.post(f"/interactions/{latest().id}/take-back")
    assert late.status_code == 409
    assert latest().trashed_at is None


def test_only_who_may_change_it_takes_it_back(firm, anna, outi, as_user):
    as_user(anna).post("/interactions", data=form_of(firm, [outi]))
    address = f"/interactions/{latest().id}/take-back"
    assert as_user(make_user("Timo Saari")).post(address).status_code == 403
    assert as_user(outi).post(address).status_code in {403, 404}
    assert latest().trashed_at is None


def test_a_program_waits_for_nothing_and_is_told_until_when_others_do(
    firm, anna, outi, as_user, api
):
    program = api(anna)
    sent = {"body": WORD, "contacts": [firm.id], "audience": "shared"}
    made = program.post("/api/v1/interactions", json=sent)
    assert made.status_code == 201, made.text
    assert made.json["opens_outside_at"] is None
    address = f"/api/v1/interactions/{made.json['id']}"
    assert api(outi).get(address).status_code == 200
    as_user(anna).post("/interactions", data=form_of(firm, [outi]))
    address = f"/api/v1/interactions/{latest().id}"
    assert program.get(address).json["opens_outside_at"] is not None
    assert api(outi).get(address).status_code == 404


class TestAtOnce:
    @pytest.fixture
    def app_config(self):
        return {"MAIL_PORTAL_HOLD_SECONDS": 0}

    def test_zero_seconds_is_at_once(self, firm, anna, outi, as_user):
        browser = as_user(anna)
        browser.post("/interactions", data=form_of(firm, [outi]))
        assert as_user(outi).get(f"/interactions/{latest().id}").status_code == 200
        late = browser.post(f"/interactions/{latest().id}/take-back")
        assert late.status_code == 409

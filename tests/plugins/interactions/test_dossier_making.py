"""Dossiers that a worker makes: what fails ends, and nothing old is handed out."""

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.db import db
from core.files import file_store
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_interaction, make_user
from core.worker import run_due_jobs
from plugins.interactions.dossiers import making
from plugins.interactions.dossiers import story as dossier
from plugins.interactions.dossiers.models import KeptDossier
from tests.plugins.interactions.meeting_together import meet


def ask(browser, contact, **form):
    return browser.post(f"/interactions/timeline/{contact.id}/dossier", data=form)


def fetch(browser, place):
    with browser.get(f"{place}/file") as answer:
        answer.get_data()
        return answer


def kept():
    with db.read_only() as session:
        found = session.scalars(sa.select(KeptDossier)).all()
        session.expunge_all()
    return found


# -- What cannot be made -----------------------------------------------------------


@pytest.fixture
def blocked(app):
    """Where new files come in there is no folder: none can be stored."""
    place = file_store().root / "incoming"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("")
    return place


def test_what_cannot_be_made_is_tried_a_few_times_and_then_said_to_have_failed(
    firm, anna, as_user, deliver, clock, blocked
):
    browser = as_user(anna)
    place = ask(browser, firm, ending="json").location
    for _try in range(making.MOST_TRIES):
        assert "is being made" in browser.get(place).text
        deliver()
        clock.shift(timedelta(seconds=60))
    assert "could not be made" in browser.get(place).text
    assert "The dossier could not be made." in browser.get("/notifications").text
    deliver()
    clock.shift(timedelta(hours=1))
    assert deliver() == 0


def test_what_failed_for_a_moment_is_made_seconds_later(
    firm, anna, as_user, deliver, clock, blocked
):
    browser = as_user(anna)
    place = ask(browser, firm, ending="json").location
    deliver()
    blocked.unlink()
    clock.shift(timedelta(seconds=5))
    deliver()
    assert fetch(browser, place).status_code == 200


def test_what_kills_every_worker_is_given_up(firm, anna, as_user, deliver):
    browser = as_user(anna)
    place = ask(browser, firm, ending="json").location
    with db.transaction() as session:
        session.scalars(sa.select(KeptDossier)).one().tries = making.MOST_TRIES
    deliver()
    assert "could not be made" in browser.get(place).text


# -- How many ----------------------------------------------------------------------


def test_who_asks_for_the_same_again_gets_the_one_that_waits(firm, anna, as_user):
    browser = as_user(anna)
    first = ask(browser, firm, ending="json").location
    assert ask(browser, firm, ending="json").location == first
    assert ask(browser, firm, ending="pdf").location != first
    assert ask(browser, make_contact("Other Oy"), ending="json").location != first


def test_nobody_has_more_than_three_waiting(firm, anna, as_user, deliver):
    browser = as_user(anna)
    for day in (1, 2, 3):
        assert ask(browser, firm, **{"from": f"2026-01-0{day}"}).status_code == 303
    refused = ask(browser, firm)
    assert refused.status_code == 429
    assert "Three dossiers of yours are still being made." in refused.text
    assert len(kept()) == 3
    other = make_user("Mika Koski", teams=["Support"])
    assert ask(as_user(other), firm).status_code == 303
    deliver()
    assert ask(browser, firm).status_code == 303


# -- While it is made --------------------------------------------------------------


@pytest.fixture
def listening(app):
    """What the database is told, statement by statement."""
    said = []

    def note(_connection, _cursor, statement, *_rest):
        said.append(" ".join(statement.split()))

    sa.event.listen(db.engine, "after_cursor_execute", note)
    yield said
    sa.event.remove(db.engine, "after_cursor_execute", note)


def test_what_is_corrected_while_it_is_made_is_not_handed_out_in_its_old_words(
    firm, anna, as_user, deliver, monkeypatch
):
    monkeypatch.setattr(dossier, "AT_ONCE", 2)
    for n in range(5):
        make_interaction(firm, author=anna, body=f"No. {n}")
    browser = as_user(anna)
    place = ask(browser, firm, ending="json").location
    corrected = []

    def correct(_connection, _cursor, statement, *_rest):
        # The second page is about to be read; the latest entry was on the first.
        if "interaction.body" in statement and kept()[0].done and not corrected:
            corrected.append(True)
            with db.transaction() as session:
                query = sa.select(Interaction).where(Interaction.body == "No. 4")
                session.scalars(query).unique().one().body = "Corrected"

    sa.event.listen(db.engine, "before_cursor_execute", correct)
    try:
        deliver()
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", correct)
    assert corrected
    answer = fetch(browser, place)
    assert answer.status_code == 409
    assert "No. 4" not in answer.text


def test_printing_takes_as_long_as_it_takes_and_stays_with_its_worker(
    firm, anna, as_user, deliver, monkeypatch, listening
):
    monkeypatch.setattr(making, "LEASE", timedelta(milliseconds=1))
    make_interaction(firm, author=anna, body="word " * 19_000)
    place = ask(as_user(anna), firm, ending="pdf").location
    deliver()
    # What reading a page renews says also how many entries there are by now.
    renewed = [
        one
        for one in listening
        if one.startswith("UPDATE interactions_dossier SET leased_until=")
    ]
    # Once for each sheet at least.
    assert len(renewed) > 10
    assert fetch(as_user(anna), place).status_code == 200


# -- What is handed out ------------------------------------------------------------


@pytest.fixture
def chief(app):
    return make_user("Ada Admin", roles=["admin"])


def erase(client, person):
    sent = {"reason": "Asked for it on the phone.", "confirm": person.name}
    answer = client.post(f"/api/v1/contacts/{person.id}/erase", json=sent)
    assert answer.status_code == 201, answer.text


@pytest.fixture
def with_outi(firm, anna, as_user, deliver):
    """Somebody who is named in the story of another, as it lies ready."""
    outi = make_contact("Outi Kallio", kind="person")
    meet(anna, [firm, outi], "We met")
    place = ask(as_user(anna), firm, ending="json").location
    deliver()
    assert "Outi Kallio" in fetch(as_user(anna), place).text
    return outi, place


def test_who_is_erased_is_in_no_dossier_of_others_any_more(
    with_outi, chief, anna, api, as_user, deliver
):
    outi, place = with_outi
    erase(api(chief), outi)
    # Before any worker comes to it, too.
    assert fetch(as_user(anna), place).status_code == 409
    deliver()
    assert kept() == []
    assert fetch(as_user(anna), place).status_code == 404


def test_a_dossier_that_was_ready_only_after_the_erasing_goes_by_the_hour(
    with_outi, chief, anna, api, as_user, deliver, app
):
    outi, place = with_outi
    [made] = kept()
    erase(api(chief), outi)
    deliver()
    with db.transaction() as session:
        copied = ("user_id", "contact_id", "ending", "state", "made_at", "sight")
        late = KeptDossier(**{one: getattr(made, one) for one in copied})
        late.sha256 = file_store().put(io.BytesIO(b"Outi Kallio"), limit=None).sha256
        session.add(late)
    [late] = kept()
    place = f"/interactions/dossiers/{late.id}"
    assert fetch(as_user(anna), place).status_code == 409
    run_due_jobs(app)
    assert kept() == []


def test_a_dossier_made_after_the_erasing_is_handed_out(
    with_outi, chief, firm, anna, api, as_user, deliver
):
    outi, _place = with_outi
    erase(api(chief), outi)
    place = ask(as_user(anna), firm, ending="json").location
    deliver()
    answer = fetch(as_user(anna), place)
    assert answer.status_code == 200
    assert "Outi" not in answer.text
    assert len(kept()) == 1


def test_a_dossier_with_tens_of_thousands_of_links_is_looked_through_all_the_same(
    firm, anna, as_user, deliver
):
    make_interaction(firm, author=anna, body="Linked")
    place = ask(as_user(anna), firm, ending="json").location
    deliver()
    with db.transaction() as session:
        made = session.scalars(sa.select(KeptDossier)).one()
        made.refs = [f"contact/{n}" for n in range(1000, 80_000)]
    assert fetch(as_user(anna), place).status_code == 409

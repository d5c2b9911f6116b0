"""An entry whose fields say it all: a call that nobody answered has no text."""

import re

import pytest
import sqlalchemy as sa

from core.db import db, now
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_user


@pytest.fixture
def firm(app):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales"])


def form_of(firm, **changed):
    sent = {"contacts": firm.id, "kind": "call", "body": "", "audience": "staff"}
    return sent | {"details.outcome": "no_answer"} | changed


def written():
    with db.read_only() as session:
        found = session.scalars(sa.select(Interaction).order_by(Interaction.id)).all()
        session.expunge_all()
        return found


def test_a_call_needs_no_words_and_is_read_everywhere(firm, anna, as_user, deliver):
    browser = as_user(anna)
    assert browser.post("/interactions", data=form_of(firm)).status_code == 303
    deliver()
    [entry] = written()
    assert (entry.kind, entry.body) == ("call", "")
    for path in (
        f"/contacts/{firm.id}",
        f"/interactions/{entry.id}",
        f"/interactions/{entry.id}/edit",
        f"/interactions/{entry.id}/history",
        f"/interactions/timeline/{firm.id}.json",
        "/interactions",
        "/search?q=kallion",
        "/",
    ):
        answer = browser.get(path)
        assert answer.status_code == 200, path
    assert "No answer" in browser.get(f"/contacts/{firm.id}").text
    assert browser.get(f"/interactions/timeline/{firm.id}.pdf").status_code == 200


def test_a_note_without_words_is_refused_and_so_is_a_call_that_becomes_one(
    firm, anna, as_user
):
    browser = as_user(anna)
    refused = browser.post("/interactions", data=form_of(firm, kind="note"))
    assert refused.status_code == 422
    assert "Write what a colleague should know." in refused.text
    browser.post("/interactions", data=form_of(firm))
    [entry] = written()
    form = form_of(firm, kind="note", version=entry.version)
    changed = browser.post(f"/interactions/{entry.id}/edit", data=form)
    assert changed.status_code == 422
    # It stays a call, which may be changed without words as it was written.
    form |= {"kind": "call", "details.outcome": "reached"}
    assert browser.post(f"/interactions/{entry.id}/edit", data=form).status_code == 303
    [entry] = written()
    assert entry.details == {"outcome": "reached"}


def test_a_program_may_leave_the_words_out_where_a_colleague_may(firm, anna, api):
    program = api(anna)
    sent = {"contacts": [firm.id], "audience": "staff", "body": ""}
    made = program.post("/api/v1/interactions", json={**sent, "kind": "call"})
    assert made.status_code == 201, made.text
    assert made.json["body"] == ""
    refused = program.post("/api/v1/interactions", json={**sent, "kind": "note"})
    assert refused.status_code == 422
    assert "body" in refused.json["errors"]


def test_who_types_an_act_in_full_gets_it_before_what_only_holds_its_words(
    anna, as_user
):
    make_contact("Log Call Systems Oy")
    browser = as_user(anna)
    first = {
        typed: browser.get(f"/palette?q={typed}").json["items"][0]["title"]
        for typed in ("log call", "Log Call S")
    }
    assert first == {"log call": "Log call", "Log Call S": "Log Call Systems Oy"}


@pytest.mark.parametrize(
    ("begun", "seconds"), [(-90, 90), (-7_776_000, 0), (7_776_000, 0), (-(10**30), 0)]
)
def test_the_clock_of_a_call_runs_from_a_time_that_can_be_meant(
    firm, anna, as_user, begun, seconds
):
    since = int(now().timestamp()) + begun
    page = as_user(anna).get(f"/contacts/{firm.id}?kind=call&since={since}")
    [elapsed] = re.findall(r'data-elapsed="(\d+)"', page.text)
    # Real seconds go by between the address and its answer.
    assert seconds <= int(elapsed) < seconds + 60

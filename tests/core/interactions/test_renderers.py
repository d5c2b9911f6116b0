"""A kind that says its entries its own way: on pages, on paper, and when it fails."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.audiences import AudienceSpec
from core.pages import InteractionKind, KindField
from core.testing.factories import make_contact, make_interaction, make_user
from core.testing.plugins import make_plugin

FIELDS = [KindField("level", "Level"), KindField("pump", "Pump")]


def measured(words):
    """Say a measurement as a table would, with a word that is no HTML."""
    facts = {"all": " <b>/</b> ".join(words.facts.values()), "n": len(words.details)}
    return replace(words, facts=facts, body=f"**Measured.** {words.body}")


def explode(words):
    raise RuntimeError("no water in " + words.body)


def no_words(words):
    return "just text"


def kinds(renderer):
    made = InteractionKind("measure", "Measure", "tools", fields=FIELDS)
    made = replace(made, renderer=renderer)
    return make_plugin(register_interaction_kinds=lambda: [made])


@pytest.fixture
def well(make_app):
    """An app with the plugin, its browser, and a measurement that everybody reads."""

    def make(renderer, sign_in_to, **config):
        app = make_app((("wells", kinds(renderer)),), **config)
        with app.app_context():
            firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
            readers = AudienceSpec("shared", shared_with=frozenset({firm.id}))
            for n in range(2):
                make_interaction(
                    firm,
                    kind="measure",
                    body=f"Well {n}.",
                    audience=readers,
                    details={"level": "low", "pump": "<i>old</i>"},
                )
            anna = make_user("Anna Laine", teams=["Sales"])
            return app, firm, sign_in_to(app, anna)

    return make


def test_a_kind_says_its_entries_its_own_way_and_brings_no_html(well, sign_in_to):
    _app, firm, browser = well(measured, sign_in_to)
    page = browser.get(f"/contacts/{firm.id}").text
    assert "<strong>Measured.</strong> Well 0." in page
    assert "Level: low &lt;b&gt;/&lt;/b&gt; Pump: &lt;i&gt;old&lt;/i&gt; · 2" in page
    file = browser.get(f"/interactions/timeline/{firm.id}.json").json["entries"]
    assert file[0]["facts"] == ["Level: low <b>/</b> Pump: <i>old</i>", "2"]
    # A program reads what was written.
    assert file[0]["body"] == "Well 1."


def test_outside_an_entry_is_said_as_it_was_written(well, sign_in_to):
    app, firm, browser = well(measured, sign_in_to)
    shared = browser.get(f"/interactions/timeline/{firm.id}.json?audience=shared").json
    assert [one["facts"] for one in shared["entries"]] == [[], []]
    with app.app_context():
        buyer = make_user("Outi Kallio", kind="customer", contact=firm)
        outside = sign_in_to(app, buyer)
    page = outside.get("/interactions").text
    assert "Well 0." in page
    assert "Measured" not in page
    assert "Level" not in page


@pytest.mark.parametrize("renderer", [explode, no_words])
def test_where_a_renderer_fails_the_entry_is_said_as_others_are(
    renderer, well, sign_in_to, caplog
):
    _app, firm, browser = well(renderer, sign_in_to, TESTING=False)
    for address in (f"/contacts/{firm.id}", "/interactions"):
        answer = browser.get(address)
        assert answer.status_code == 200
        assert "Level: low · Pump: &lt;i&gt;old&lt;/i&gt;" in answer.text
        assert "Well 0." in answer.text
        assert "Well 1." in answer.text
    told = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert {one.facts["plugin"] for one in told} == {"wells"}
    assert {one.facts["hook"] for one in told} == {"renderer of measure"}
    # What people wrote is not in the log line itself.
    assert not any("Well" in one.getMessage() for one in told)


def test_a_meeting_says_when_it_is_and_where_in_its_readers_time(app, as_user):
    firm = make_contact("Kallion Vesijohto Oy")
    anna = make_user("Anna Laine", teams=["Sales"], timezone="Europe/Helsinki")
    at = datetime(2026, 3, 3, 12, 20, tzinfo=UTC)
    for minutes in (60, 24 * 60, None):
        details = {"outcome": "agreed", "place": "Kallio depot", "duration": minutes}
        make_interaction(
            firm, kind="meeting", author=anna, occurred_at=at, details=details
        )
    page = " ".join(as_user(anna).get(f"/contacts/{firm.id}").text.split())
    page = page.replace("\u202f", " ")
    begins = "Mar 3, 2026 2:20 PM"
    assert f"{begins}–3:20 PM · Kallio depot · Agreed<" in page
    assert f"{begins} · Kallio depot · Agreed<" in page
    # What ends on another day says how long it takes.
    assert f"{begins} · Kallio depot · Agreed · 1440 minutes<" in page

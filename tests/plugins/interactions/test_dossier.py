"""The story of a contact to take along: on paper and for a program."""

from datetime import timedelta

import pypdfium2
import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec, intern_audience
from core.db import db, now, table_of
from core.interactions.models import Interaction, InteractionContact
from core.notifications.models import Notification
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.defaults import ROLES
from core.users.models import User
from core.users.services import ensure_role
from core.visibility import STAFF_AUDIENCE
from core.worker import run_due_jobs
from plugins.interactions.dossiers import story as dossier
from plugins.interactions.dossiers.making import LEASE
from plugins.interactions.dossiers.models import KeptDossier


@pytest.fixture
def story(firm, anna):
    """One entry of each audience, the last one hidden from Anna."""
    mika = make_user("Mika Koski", teams=["Support"])
    other = make_contact("Byggnad Ab", roles=["customer"])
    readers = {
        "Sales alone": AudienceSpec("teams", teams=frozenset({anna.teams[0].id})),
        "All of us": AudienceSpec("staff"),
        "For you": AudienceSpec("shared", shared_with=frozenset({firm.id, other.id})),
        "Not for Anna": AudienceSpec("private", users=frozenset({mika.id})),
    }
    for body, audience in readers.items():
        author = mika if body == "Not for Anna" else anna
        make_interaction(firm, author=author, body=body, audience=audience)
    return readers


def words(answer):
    assert answer.mimetype == "application/pdf"
    with pypdfium2.PdfDocument(answer.get_data()) as document:
        text = "\n".join(one.get_textpage().get_text_range() for one in document)
    return " ".join(text.split())


def test_for_inside_it_is_all_that_its_reader_may_read(firm, story, anna, as_user):
    browser = as_user(anna)
    url = f"/interactions/timeline/{firm.id}"
    answer = browser.get(f"{url}.json")
    assert "attachment" in answer.headers["Content-Disposition"]
    found = {one["body"]: one["audience"]["words"] for one in answer.json["entries"]}
    assert found["Sales alone"] == "Sales"
    assert found["All of us"] == "All colleagues"
    assert found.keys() == {"Sales alone", "All of us", "For you"}
    assert answer.json["complete"] is True
    paper = words(browser.get(f"{url}.pdf"))
    assert "Timeline of Kallion Vesijohto Oy" in paper
    assert "For colleagues only" in paper
    # The word of the audience stands at every entry.
    assert "All colleagues" in paper
    assert "Sales Sales alone" in paper
    assert "Not for Anna" not in paper


def test_for_outside_it_is_only_what_is_shared_and_names_nobody_else(
    firm, story, anna, as_user
):
    browser = as_user(anna)
    url = f"/interactions/timeline/{firm.id}"
    answer = browser.get(f"{url}.json?audience=shared")
    assert [one["body"] for one in answer.json["entries"]] == ["For you"]
    paper = words(browser.get(f"{url}.pdf?audience=shared"))
    assert "Only what is shared with Kallion Vesijohto Oy" in paper
    for text in (answer.text, paper):
        assert "Byggnad" not in text
        assert "All of us" not in text
        assert "Sales" not in text


def test_a_dossier_takes_the_filters_of_its_page(firm, story, anna, as_user):
    old = now() - timedelta(days=400)
    make_interaction(firm, author=anna, body="Long ago", occurred_at=old)
    day = old.date().isoformat()
    url = f"/interactions/timeline/{firm.id}.json?from={day}&to={day}"
    found = as_user(anna).get(url).json["entries"]
    assert [one["body"] for one in found] == ["Long ago"]


@pytest.mark.parametrize(
    "body",
    [
        "送货前请先打电话",
        "Ääkköset & <b>bold</b>",
        "\U0001f600 \x0c \u202e",
        "x" * 9000,
        "**",
    ],
)
def test_whatever_was_written_can_be_printed(firm, anna, as_user, body):
    make_interaction(firm, author=anna, body=body, subject=body[:300])
    answer = as_user(anna).get(f"/interactions/timeline/{firm.id}.pdf")
    assert answer.status_code == 200
    assert words(answer)


def test_an_empty_story_is_a_dossier_too(firm, anna, as_user):
    url = f"/interactions/timeline/{firm.id}"
    assert "There is no entry." in words(as_user(anna).get(f"{url}.pdf"))
    assert as_user(anna).get(f"{url}.json").json["entries"] == []


@pytest.mark.parametrize(("bound", "least"), [("MOST", 3), ("MOST_TEXT", 18)])
def test_what_is_too_long_to_wait_for_says_that_there_is_more(
    firm, anna, as_user, monkeypatch, bound, least
):
    monkeypatch.setattr(dossier, bound, least)
    monkeypatch.setattr(dossier, "AT_ONCE", 2)
    for n in range(5):
        make_interaction(firm, author=anna, body=f"No. {n}.")
    url = f"/interactions/timeline/{firm.id}"
    assert "Only the latest 3, now" in as_user(anna).get(f"{url}.pdf").text
    found = as_user(anna).get(f"{url}.json?latest=1").json
    assert len(found["entries"]) == 3
    assert found["complete"] is False
    paper = words(as_user(anna).get(f"{url}.pdf?latest=1"))
    assert "Only the latest 3 entries." in paper


def test_the_form_offers_both_and_works_without_scripts(firm, anna, as_user):
    page = as_user(anna).get(f"/interactions/timeline/{firm.id}/dossier").text
    assert f'action="/interactions/timeline/{firm.id}.pdf"' in page
    assert f'formaction="/interactions/timeline/{firm.id}.json"' in page
    assert "Dossier" in as_user(anna).get(f"/contacts/{firm.id}").text


def test_people_outside_have_no_dossier(firm, story, as_user):
    outi = as_user(make_user("Outi Kallio", kind="customer", contact=firm))
    for ending in (".json", ".pdf", "/dossier"):
        url = f"/interactions/timeline/{firm.id}{ending}"
        assert outi.get(url).status_code == 404


# -- A long one --------------------------------------------------------------------


def write_many(firm, anna, count):
    """As the bulk loader does: nobody is told of any of them."""
    with db.transaction() as session:
        rows = [
            {
                "kind": "note",
                "body": f"No. {n}",
                "occurred_at": now() - timedelta(minutes=count - n),
                "contact_id": firm.id,
                "author_id": anna.id,
                "audience_id": STAFF_AUDIENCE,
            }
            for n in range(count)
        ]
        entry, link = table_of(Interaction), table_of(InteractionContact)
        session.execute(sa.insert(entry).execution_options(unrecorded=True), rows)
        of = sa.select(entry.c.id, entry.c.contact_id, entry.c.occurred_at)
        columns = ["interaction_id", "contact_id", "occurred_at"]
        session.execute(sa.insert(link).from_select(columns, of))


def fetch(browser, place):
    """Read the file of a dossier whole, and let it go."""
    with browser.get(f"{place}/file") as answer:
        answer.get_data()
        return answer


def ask_for(browser, firm, **form):
    answer = browser.post(f"/interactions/timeline/{firm.id}/dossier", data=form)
    assert answer.status_code == 303, answer.text
    return answer.location


def told(user):
    db.session.rollback()
    query = sa.select(Notification.url).where(Notification.user_id == user.id)
    return list(db.session.scalars(query))


@pytest.mark.soak_on_postgresql
def test_twelve_hundred_entries_are_made_by_a_worker_and_fetched_when_they_are_ready(
    firm, anna, as_user, deliver
):
    write_many(firm, anna, 1200)
    browser = as_user(anna)
    url = f"/interactions/timeline/{firm.id}"
    page = browser.get(f"{url}.json?audience=inside").text
    assert "There is a lot here." in page
    assert f'action="{url}/dossier"' in page
    places = [ask_for(browser, firm, ending=one) for one in ("json", "pdf")]
    assert "waits for its turn" in browser.get(places[0]).text
    assert fetch(browser, places[0]).status_code == 409
    deliver()
    assert set(places) <= set(told(anna))
    assert "1200 entries." in browser.get(places[0]).text
    found = fetch(browser, places[0])
    assert found.headers["Content-Disposition"].endswith("Kallion-Vesijohto-Oy.json")
    assert len(found.json["entries"]) == 1200
    assert found.json["complete"] is True
    assert found.json["made_by"] == "Anna Laine"
    paper = words(fetch(browser, places[1]))
    assert "No. 1199" in paper
    assert "No. 0 " in f"{paper} "


@pytest.fixture
def made(firm, story, anna, as_user, deliver):
    """A small dossier that a worker has made, by its address."""
    place = ask_for(as_user(anna), firm, ending="json")
    deliver()
    return place


def test_a_dossier_is_in_the_language_of_whoever_asked(
    firm, story, anna, as_user, deliver
):
    with db.transaction() as session:
        session.get_one(User, anna.id).language = "fi"
    place = ask_for(as_user(anna), firm, ending="json", audience="shared")
    deliver()
    found = fetch(as_user(anna), place).json
    assert [one["body"] for one in found["entries"]] == ["For you"]
    assert found["notice"] != "Only what is shared with Kallion Vesijohto Oy"


def test_nobody_else_fetches_a_dossier(made, anna, as_user):
    assert fetch(as_user(anna), made).status_code == 200
    for other in (make_user("Mika", teams=["Sales"]), make_user("Ad", roles=["admin"])):
        browser = as_user(other)
        assert browser.get(made).status_code == 404
        assert fetch(browser, made).status_code == 404


def test_what_was_narrowed_since_is_not_handed_out(firm, made, anna, as_user):
    browser = as_user(anna)
    with db.transaction() as session:
        query = sa.select(Interaction).where(Interaction.body == "All of us")
        entry = session.scalars(query).unique().one()
        only = AudienceSpec("private", users=frozenset({entry.id + 1000}))
        entry.audience, entry.author_id = intern_audience(only), None
    answer = fetch(browser, made)
    assert answer.status_code == 409
    assert "All of us" not in answer.text


def test_who_left_the_team_fetches_it_no_more(made, anna, as_user):
    browser = as_user(anna)
    with db.transaction() as session:
        session.get_one(User, anna.id).teams = []
    assert fetch(browser, made).status_code == 409


def test_a_dossier_expires_and_takes_its_words_along(made, anna, as_user, clock, app):
    clock.shift(timedelta(days=8))
    assert fetch(as_user(anna), made).status_code == 404
    run_due_jobs(app)
    with db.read_only() as session:
        assert session.scalars(sa.select(KeptDossier)).all() == []


def test_a_worker_that_was_killed_half_way_leaves_it_to_the_next(
    firm, story, anna, as_user, deliver, clock
):
    place = ask_for(as_user(anna), firm, ending="json")
    with db.transaction() as session:
        half = session.scalars(sa.select(KeptDossier)).one()
        half.token, half.done, half.leased_until = "dead", 2, now() + LEASE
    deliver()
    # It may still be alive, and two are not at it at once.
    assert "2 entries so far" in as_user(anna).get(place).text
    clock.shift(LEASE + timedelta(seconds=1))
    deliver()
    assert len(fetch(as_user(anna), place).json["entries"]) == 3
    assert told(anna).count(place) == 1


def test_who_lost_sight_of_the_customer_meanwhile_gets_none(
    firm, story, anna, as_user, deliver
):
    place = ask_for(as_user(anna), firm, ending="json")
    with db.transaction() as session:
        role = ensure_role("narrow", ROLES["sales"], reach="own")
        session.get_one(User, anna.id).roles = [session.merge(role)]
    deliver()
    assert as_user(anna).get(place).status_code == 404
    assert fetch(as_user(anna), place).status_code == 404

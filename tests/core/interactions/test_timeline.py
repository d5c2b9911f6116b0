"""The story of a contact: what rolls up, in which order, at which cost."""

import re
from datetime import timedelta

import pytest

from core.audiences import AudienceSpec
from core.contacts.affiliations import affiliate
from core.contacts.models import Contact
from core.db import db, now
from core.interactions.services import pin_interaction, write_interaction
from core.interactions.timeline import timeline
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import User

MANY = 1_000


def join(person, organisation):
    with db.transaction() as session:
        affiliate(
            session.get_one(Contact, person.id),
            organisation=session.get_one(Contact, organisation.id),
        )


def bodies(page):
    return [one.body for one in page.items]


@pytest.fixture
def family(app):
    """A person of a branch of a mother company, each with an entry."""
    mother = make_contact("Kallion Konserni Oyj")
    branch = make_contact("Kallion Vesijohto Oy", parent=mother.id)
    pekka = make_contact("Pekka Virtanen", kind="person")
    join(pekka, branch)
    for day, contact in enumerate((mother, branch, pekka)):
        moment = now() - timedelta(days=day + 1)
        make_interaction(contact, body=contact.name, occurred_at=moment)
    return mother, branch, pekka


def test_a_story_rolls_up_from_person_to_organisation_to_parent(family, api):
    mother, branch, pekka = family
    program = api(make_user())

    def story(contact):
        url = f"/api/v1/contacts/{contact.id}/timeline"
        return [one["body"] for one in program.get(url).json["items"]]

    assert story(pekka) == [pekka.name]
    assert story(branch) == [branch.name, pekka.name]
    assert story(mother) == [mother.name, branch.name, pekka.name]


def test_roll_up_adds_no_readers(family, api):
    mother, branch, pekka = family
    only = AudienceSpec("shared", shared_with=frozenset({pekka.id}))
    make_interaction(pekka, body="For Pekka alone", audience=only)
    outi = api(make_user("Outi Kallio", kind="customer", contact=branch))
    url = f"/api/v1/contacts/{branch.id}/timeline"
    assert outi.get(url).json["items"] == []
    for contact in (mother, pekka):
        url = f"/api/v1/contacts/{contact.id}/timeline"
        assert outi.get(url).status_code == 404


def test_an_entry_about_two_of_a_family_is_told_once(family):
    mother, branch, pekka = family
    anna = make_user()
    with db.transaction() as session:
        write_interaction(
            [session.get_one(Contact, one.id) for one in (pekka, branch)],
            author=session.get_one(User, anna.id),
            body="Both came",
        )
    assert bodies(timeline(anna, mother)).count("Both came") == 1


def test_pages_follow_each_other_without_a_gap_or_a_repeat(api):
    firm = make_contact()
    moment = now() - timedelta(days=1)
    # The same moment seven times: the cursor must not lose any of them.
    ids = {make_interaction(firm, occurred_at=moment).id for _ in range(7)}
    program = api(make_user())
    url, seen = f"/api/v1/contacts/{firm.id}/timeline?limit=3", []
    while url:
        answer = program.get(url)
        seen += [one["id"] for one in answer.json["items"]]
        link = answer.headers.get("Link", "")
        assert bool(link) == (answer.json["next"] is not None)
        url = link.partition("<")[2].partition(">")[0]
    assert seen == sorted(ids, reverse=True)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=abc", "limit=x"])
def test_a_page_nobody_offered_is_refused(api, query):
    firm = make_contact()
    answer = api(make_user()).get(f"/api/v1/contacts/{firm.id}/timeline?{query}")
    assert answer.status_code in {400, 422}
    assert answer.content_type == "application/problem+json"


def test_pinned_entries_stand_first_where_a_page_asks_for_it(app):
    firm = make_contact()
    anna = make_user()
    entries = [
        make_interaction(firm, body=f"{n}", occurred_at=now() - timedelta(days=9 - n))
        for n in range(6)
    ]
    with db.transaction() as session:
        pin_interaction(session.get_one(type(entries[0]), entries[1].id))
    assert bodies(timeline(anna, firm)) == ["5", "4", "3", "2", "1", "0"]
    page = timeline(anna, firm, pinned_first=True, limit=4)
    assert bodies(page) == ["1", "5", "4", "3"]
    page = timeline(anna, firm, pinned_first=True, limit=4, cursor=page.next)
    assert bodies(page) == ["2", "0"]


def test_a_story_is_filtered_by_kind_team_and_words(app):
    firm = make_contact()
    anna = make_user("Anna Laine", teams=["Sales"])
    mika = make_user("Mika Koski", teams=["Support"])
    make_interaction(firm, author=anna, kind="call", body="About the 100% offer")
    make_interaction(firm, author=mika, body="About the pump", subject="Leak")
    [sales] = anna.teams
    assert bodies(timeline(anna, firm, kind="call")) == ["About the 100% offer"]
    assert bodies(timeline(anna, firm, team=sales.id)) == ["About the 100% offer"]
    assert bodies(timeline(anna, firm, q="ABOUT pump")) == ["About the pump"]
    assert bodies(timeline(anna, firm, q="leak")) == ["About the pump"]
    assert bodies(timeline(anna, firm, q="100%")) == ["About the 100% offer"]
    assert bodies(timeline(anna, firm, q="%")) == ["About the 100% offer"]


def test_a_thousand_entries_cost_as_many_statements_as_ten(
    app, as_user, api, count_queries
):
    anna = make_user("Anna Laine", teams=["Sales", "Support"])
    mika = make_user("Mika Koski", teams=["Support"])
    few, busy = make_contact("Few Oy"), make_contact("Busy Oy", roles=["customer"])
    specs = [
        AudienceSpec("staff"),
        AudienceSpec("teams", teams=frozenset(one.id for one in anna.teams)),
        AudienceSpec("private", users=frozenset({anna.id, mika.id})),
        AudienceSpec("shared", shared_with=frozenset({busy.id})),
    ]
    for spec in specs[:3]:
        make_interaction(few, author=mika, audience=spec)
    shared = AudienceSpec("shared", shared_with=frozenset({few.id}))
    make_interaction(few, author=mika, audience=shared)
    with db.transaction() as session:
        authors = [session.get_one(User, one.id) for one in (anna, mika)]
        contact = session.get_one(Contact, busy.id)
        for n in range(MANY):
            write_interaction(
                contact,
                author=authors[n % 2],
                body=f"Entry **{n}**",
                audience=specs[n % 4],
                occurred_at=now() - timedelta(hours=n),
            )
    browser, program = as_user(anna), api(anna)

    def cost(client, url):
        client.get(url)
        with count_queries() as queries:
            assert client.get(url).status_code == 200
        return queries

    for client, url in (
        (browser, "/contacts/{}"),
        (browser, "/interactions/timeline/{}"),
        (program, "/api/v1/contacts/{}/timeline?limit=200"),
    ):
        costs = [cost(client, url.format(one.id)) for one in (few, busy)]
        assert costs[0].count == costs[1].count
    assert cost(browser, f"/contacts/{busy.id}").count <= 12
    assert cost(program, f"/api/v1/contacts/{busy.id}/timeline").count <= 6
    assert cost(browser, "/interactions").count <= 8
    # Far down the story a page costs what it costs at the top.
    url, costs = f"/interactions/timeline/{busy.id}", []
    while url:
        with count_queries() as queries:
            part = browser.get(url, headers={"HX-Request": "true"}).text
        costs.append(queries.count)
        found = re.search(r'rel="next" hx-get="([^"]+)"', part)
        if not found and len(costs) == 1:
            found = re.search(r'rel="next" hx-get="([^"]+)"', browser.get(url).text)
        url = found[1].replace("&amp;", "&") if found else ""
    assert len(costs) == MANY // 20
    assert max(costs) == min(costs)

"""The list, the page of a contact, and what plugins put on it."""

from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from core import hookimpl
from core.contacts import lists
from core.contacts.affiliations import affiliate
from core.contacts.models import Contact
from core.contacts.permissions import READ
from core.db import db
from core.events import Event
from core.pages import Action, Column, Panel
from core.testing.factories import make_contact, make_user
from core.testing.signing_in import counting
from tests.core.contacts.reading import form_of, words_of

NAUGHTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }} {% raw %}",
    "Robert'); DROP TABLE contact;--",
    "%(name)s %s {name}",
    "李伟 🙂 e\u0301 ﷽",
    "\u202etxet desrever\u202c",
    "مرحبا بالعالم",
    "../../etc/passwd\\\\",
    "=cmd|' /C calc'!A0",
    "&lt;b&gt; &amp;amp;",
    "W" * 200,
]


def join(person, organisation, role=""):
    with db.transaction() as session:
        affiliate(
            session.get_one(Contact, person.id),
            organisation=session.get_one(Contact, organisation.id),
            role=role,
        )


@pytest.mark.parametrize("name", NAUGHTY)
def test_a_hostile_name_is_shown_exactly_and_does_nothing(app, as_user, api, name):
    anna = make_user("Anna Laine", roles=("admin",))
    contact = make_contact(name, tags=[name[:60]], next_step=name, custom={"own": name})
    browser = as_user(anna)
    for url in ("/contacts", f"/contacts/{contact.id}", f"/contacts/{contact.id}/edit"):
        page = browser.get(url)
        assert page.status_code == 200
        assert " ".join(name.split()) in words_of(page.text)
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
    assert api(anna).get(f"/api/v1/contacts/{contact.id}").json["name"] == name


def test_the_page_of_an_organisation_says_who_it_is_and_what_is_next(app, as_user):
    anna = make_user("Anna Laine")
    group = make_contact("Kallio Group")
    firm = make_contact(
        roles=["customer", "vendor"],
        owner=anna.id,
        parent=group.id,
        phones=[{"number": "+358 40 123 4567", "label": "mobile"}],
        know_first="Deliver before **ten**, gate B",
        do_not_contact=True,
        next_step="Call",
        next_step_on="2026-03-05",
        custom={"Gate": "B"},
    )
    pekka = make_contact("Pekka Virtanen", kind="person")
    join(pekka, firm, "Buyer")
    page = as_user(anna).get(f"/contacts/{firm.id}").text
    words = words_of(page)
    for said in (
        "Customer Vendor",
        "owner Anna Laine",
        "next Call Mar 5, 2026",
        "Do not contact",
        "Pekka Virtanen Buyer",
        "Part of Kallio Group",
        "Gate B",
    ):
        assert said in words, said
    assert "<strong>ten</strong>" in page
    assert 'href="tel:+358401234567"' in page
    person = words_of(as_user(anna).get(f"/contacts/{pekka.id}").text)
    assert "Kallion Vesijohto Oy Buyer" in person
    above = words_of(as_user(anna).get(f"/contacts/{group.id}").text)
    assert "Organisations below Kallion Vesijohto Oy" in above


def test_people_outside_find_no_contact_page_and_nothing_of_others(app, as_user):
    own, other = make_contact("Own Oy"), make_contact("Other Oy")
    for kind in ("customer", "vendor"):
        browser = as_user(make_user("Outi Kallio", kind=kind, contact=own))
        for number in (own.id, other.id, 999):
            for rest in ("", "/edit", "/changes", "/join", "/panels/contacts.details"):
                answer = browser.get(f"/contacts/{number}{rest}")
                assert answer.status_code == 404, (number, rest)
                assert "Other Oy" not in answer.text
            for rest in ("/edit", "/trash", "/restore", "/join"):
                assert browser.post(f"/contacts/{number}{rest}").status_code == 404
        assert browser.get("/contacts").status_code == 404


def test_a_colleague_of_short_sight_finds_only_their_own(app, as_user):
    from core.users.services import ensure_role

    with db.transaction():
        ensure_role("own", ["contacts:read", "contacts:write"], reach="own")
    sanna = make_user("Sanna Aho", roles=("own",))
    mine, other = make_contact("Mine Oy", owner=sanna.id), make_contact("Other Oy")
    browser = as_user(sanna)
    assert "Other Oy" not in browser.get("/contacts").text
    assert browser.get(f"/contacts/{mine.id}").status_code == 200
    for url in (f"/contacts/{other.id}", f"/contacts?organisation={other.id}"):
        assert browser.get(url).status_code == 404
    join_url = f"/contacts/{make_contact('P', kind='person', owner=sanna.id).id}/join"
    assert browser.post(join_url, data={"organisation": other.id}).status_code == 404


@pytest.mark.parametrize(
    ("query", "most"),
    [("", 1000), ("", 100), ("?q=contact", 1000), ("?q=contact", 100)],
    ids=["all", "all, too many to count", "a filter", "a common word"],
)
def test_next_and_previous_walk_the_whole_list_once(
    app, as_user, monkeypatch, query, most
):
    names = [f"Contact {n:03}" for n in range(120)]
    for name in names:
        make_contact(name)
    if query:
        make_contact("Somebody else")
    monkeypatch.setattr(lists, "MOST_COUNTED", most)
    browser = as_user(make_user())

    def rows(url):
        page = browser.get(url).text
        shown = [one for one in names if f">{one}<" in page]
        links = {
            rel: page.split(f'rel="{rel}"')[0].rsplit('href="', 1)[1].split('"')[0]
            for rel in ("next", "prev")
            if f'rel="{rel}"' in page
        }
        return shown, {k: v.replace("&amp;", "&") for k, v in links.items()}

    first, links = rows(f"/contacts{query}")
    assert "prev" not in links
    second, links = rows(links["next"])
    third, last = rows(links["next"])
    assert first + second + third == names
    assert "next" not in last
    assert rows(last["prev"])[0] == second
    back, links = rows(links["prev"])
    assert back == first
    assert "prev" not in links


def test_the_list_takes_as_many_statements_for_300_contacts_as_for_10(
    app, as_user, count_queries
):
    anna = make_user("Anna Laine")
    browser = as_user(anna)

    def fill(count):
        from core.contacts.services import create_contact

        with db.transaction():
            for n in range(count):
                firm = create_contact(
                    {"kind": "organisation", "name": f"{n:03} firm", "owner": anna.id},
                    actor=None,
                )
                seat = [{"organisation": firm.id, "role": "Buyer"}]
                person = {
                    "kind": "person",
                    "name": f"{n:03} person",
                    "affiliations": seat,
                }
                create_contact(person, actor=None)

    def cost(url):
        with count_queries() as counter:
            assert browser.get(url).status_code == 200
        return counter.count

    fill(5)
    # From now on the rail has somebody who was seen last.
    browser.get("/contacts/1")
    few = {url: cost(url) for url in ("/contacts", "/contacts?q=person", "/contacts/1")}
    fill(145)
    assert {url: cost(url) for url in few} == few
    assert few["/contacts/1"] <= 12


def test_a_new_house_is_told_how_to_begin_and_a_filter_how_to_end(app, as_user):
    browser = as_user(make_user())
    page = words_of(browser.get("/contacts").text)
    assert "No contacts yet. Bring them in from a file, or add the first one." in page
    page = words_of(browser.get("/contacts?q=tapio&role=vendor").text)
    assert "No contact matches these 2 filters." in page
    assert "New person “tapio”" in page


def test_the_views_show_mine_the_quiet_ones_and_the_trash(app, as_user, clock):
    anna = make_user("Anna Laine")
    make_contact("Mine Oy", owner=anna.id)
    gone = make_contact("Gone Oy")
    heard = make_contact("Heard Oy")
    with db.transaction() as session:
        session.get_one(Contact, gone.id).trashed_at = gone.created_at
        session.get_one(Contact, heard.id).last_interaction_at = gone.created_at
    browser = as_user(anna)

    def found(view):
        page = browser.get(f"/contacts?view={view}").text
        return [one for one in ("Mine", "Gone", "Heard") if f">{one} Oy<" in page]

    assert found("") == ["Mine", "Heard"]
    assert found("mine") == ["Mine"]
    assert found("quiet") == ["Mine"]
    assert found("trash") == ["Gone"]
    clock.shift(61 * 24 * 3600)
    browser = as_user(anna)
    assert found("quiet") == ["Mine", "Heard"]


def test_a_contact_in_the_trash_says_who_put_it_there_and_comes_back(app, as_user):
    anna, mika = make_user("Anna Laine"), make_user("Mika Koski")
    contact = make_contact()
    answer = as_user(anna).post(f"/contacts/{contact.id}/trash", follow_redirects=True)
    assert "Kallion Vesijohto Oy is in the trash." in answer.text
    assert 'action="/me/undo/' in answer.text
    browser = as_user(mika)
    page = words_of(browser.get(f"/contacts/{contact.id}").text)
    assert "Anna Laine put this in the trash." in page
    assert "Kallion" not in browser.get("/contacts").text
    browser.post(f"/contacts/{contact.id}/restore")
    assert "Kallion" in browser.get("/contacts").text


def test_the_history_says_who_changed_what_from_what(app, as_user):
    anna = make_user("Anna Laine")
    contact = make_contact(next_step="Call")
    browser = as_user(anna)
    mika = make_user("Mika Koski")
    form = {"version": "1", "name": "Kallio Oy", "next_step": "Write", "owner": mika.id}
    assert browser.post(f"/contacts/{contact.id}/edit", data=form).status_code == 303
    page = words_of(browser.get(f"/contacts/{contact.id}/changes").text)
    assert "Owner Mika Koski" in page
    assert "Name Kallion Vesijohto Oy Kallio Oy" in page
    assert "Next step Call Write" in page


def test_a_person_is_added_to_an_organisation_joins_another_and_leaves(app, as_user):
    firm, other = make_contact("Kallio Oy"), make_contact("Tapio Rakennus Oy")
    browser = as_user(make_user())
    form = {
        "kind": "person",
        "organisation": firm.id,
        "given_name": "Pekka",
        "family_name": "Virtanen",
        "role": "Buyer",
    }
    answer = browser.post("/contacts/new", data=form)
    here = answer.headers["Location"]
    assert "Kallio Oy Buyer" in words_of(browser.get(here).text)
    assert "Tapio Rakennus Oy" in browser.get(f"{here}/join?q=tapio").text
    browser.post(f"{here}/join", data={"organisation": other.id, "role": "Board"})
    assert "Tapio Rakennus Oy Board" in words_of(browser.get(here).text)
    assert browser.post(f"{here}/affiliations/1/end").status_code == 303
    page = words_of(browser.get(f"/contacts/{firm.id}").text)
    assert "1 former Pekka Virtanen Buyer until" in page
    assert browser.post(f"/contacts/{other.id}/affiliations/1/end").status_code == 404


def test_an_organisation_becomes_part_of_another_and_of_none(app, as_user):
    group, firm = make_contact("Kallio Group"), make_contact("Kallio Oy")
    browser = as_user(make_user())
    url = f"/contacts/{firm.id}/join"
    assert browser.post(url, data={"organisation": group.id}).status_code == 303
    assert "Part of Kallio Group" in words_of(browser.get(f"/contacts/{firm.id}").text)
    refused = browser.post(f"/contacts/{group.id}/join", data={"organisation": firm.id})
    assert refused.status_code == 422
    assert "Kallio Oy is below this organisation." in refused.text
    assert browser.post(url, data={"organisation": ""}).status_code == 303
    assert "Part of Kallio Group" not in words_of(
        browser.get(f"/contacts/{firm.id}").text
    )


def test_my_day_greets_and_lists_the_steps_that_are_due(app, as_user):
    anna = make_user("Anna Laine")
    browser = as_user(anna)
    page = words_of(browser.get("/").text)
    assert ", Anna" in page
    assert "Nothing waits for you." in page
    make_contact(owner=anna.id, next_step="Call them", next_step_on="2020-03-05")
    make_contact(
        "Later Oy", owner=anna.id, next_step="Later", next_step_on="2999-01-01"
    )
    page = words_of(browser.get("/").text)
    assert "Kallion Vesijohto Oy Call them Mar 5, 2020" in page
    assert "Later Oy" not in page


def test_the_palette_can_start_a_new_person(app, as_user):
    found = as_user(make_user()).get("/palette?q=new per").json["items"]
    assert [one["url"] for one in found] == ["/contacts/new?kind=person"]
    page = as_user(make_user()).get("/contacts/new?kind=person&name=tapio").text
    assert 'value="tapio"' in page


@pytest.mark.parametrize(
    ("typed", "begins"),
    [
        ("040 555 1234", {"phone": "040 555 1234"}),
        ("+358 40 555", {"phone": "+358 40 555"}),
        ("matti@example.com", {"email": "matti@example.com"}),
        ("+ matti 2", {"name": "matti 2"}),
        ("+", {}),
    ],
)
def test_what_is_typed_of_a_stranger_goes_where_it_belongs(app, as_user, typed, begins):
    browser = as_user(make_user())
    answer = browser.get("/palette", query_string={"q": typed}).json
    assert answer["stranger"] == begins
    page = browser.get("/contacts/new", query_string={"kind": "person", **begins})
    form = form_of(page.text, "/contacts/new")
    names = {"phone": "phones.0.number", "email": "emails.0.address", "name": "name"}
    filled = {one: form[field] for one, field in names.items() if form[field] != [""]}
    assert filled == {one: [value] for one, value in begins.items()}


def test_a_number_from_abroad_finds_whom_it_belongs_to(app, as_user):
    phones = [{"number": "+358 40 555 1234", "label": "mobile"}]
    pekka = make_contact("Pekka Virtanen", kind="person", phones=phones)
    browser = as_user(make_user())
    for typed in ("+358 40 555", "040 555", "555 1234"):
        found = browser.get("/palette", query_string={"q": typed}).json["items"]
        assert [one["url"] for one in found] == [f"/contacts/{pekka.id}"]


# -- What plugins put there ---------------------------------------------------------


def plugin(**hooks):
    return SimpleNamespace(**{name: hookimpl(hook) for name, hook in hooks.items()})


def test_a_panel_is_shown_and_drawn_again_alone(make_app, count_queries):
    asked = []

    def record_panels(record, user):
        asked.append(record.ref)
        own = {"lines": [f"About {record.name}"]}
        template = "core/day_list.html"
        more: Any = {"types": ("demo.",), "add_url": "/add"}
        return [
            Panel("demo.list", "Demo list", template, own, READ, **more),
            Panel("demo.none", "Demo none", template, own, READ, empty=True, **more),
        ]

    app = make_app(extra_plugins=(("demo", plugin(record_panels=record_panels)),))
    with app.app_context():
        contact = make_contact()
        browser = signed_in(app, make_user())
        page = browser.get(f"/contacts/{contact.id}").text
        assert "About Kallion" in page
        url = f"/contacts/{contact.id}/panels/demo.list"
        assert f'data-live-url="{url}" data-live-types="demo."' in page
        assert "Add: <a href=" in page
        assert '<a href="/add">Demo none</a>' in page
        part = browser.get(url).text
        assert "About Kallion" in part
        assert "<html" not in part
        assert (
            browser.get(f"/contacts/{contact.id}/panels/demo.none").text.strip() == ""
        )
        assert (
            browser.get(f"/contacts/{contact.id}/panels/demo.other").status_code == 404
        )
        assert browser.get(f"/contacts/{contact.id}/panels/other").status_code == 404
        assert len(asked) == 4


def test_one_more_panel_costs_the_page_at_most_2_statements(app, make_app):
    def record_panels(record, user):
        about = sa.select(sa.func.count(Contact.id)).where(Contact.id <= record.id)
        lines = [f"{db.session.scalar(about)} before {record.name}"]
        one = Panel("demo.list", "Demo", "core/day_list.html", {"lines": lines}, READ)
        return [one]

    user, contact = make_user(), make_contact()

    def cost(one):
        with one.app_context():
            browser = signed_in(one, user)
            # What a browser is told once is no part of it.
            browser.get(f"/contacts/{contact.id}")
            with counting(one) as counter:
                page = browser.get(f"/contacts/{contact.id}").text
        return counter.count, "1 before Kallion" in page

    without, shown = cost(app)
    assert not shown
    more = make_app(extra_plugins=(("demo", plugin(record_panels=record_panels)),))
    with_it, shown = cost(more)
    assert shown
    assert without + 1 <= with_it <= without + 2


def signed_in(app, user):
    from core.testing.signing_in import SignedIn
    from core.users.services import find_user
    from core.users.sessions import open_session

    with db.transaction():
        secret = open_session(find_user(user.email), days=1)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = secret
        cookie["_fresh"] = True
    return SignedIn.around(client)


def fails(*_args, **_kwargs):
    raise RuntimeError("planted")


@pytest.mark.parametrize("where", ["hook", "template", "database", "action", "column"])
def test_in_production_the_page_stands_when_a_plugin_fails(make_app, where):
    def record_panels(record, user):
        if where == "hook":
            fails()
        if where not in {"template", "database"}:
            return []
        context = {"lines": Failing() if where == "template" else Asking()}
        template = "core/day_list.html"
        return [Panel("demo.list", "Demo list", template, context, READ, weight=0)]

    hooks = {
        "record_panels": record_panels,
        "record_actions": lambda record, user: fails() if where == "action" else [],
        "contact_columns": lambda: (
            [Column("demo", "Demo", fails)] if where == "column" else []
        ),
    }
    app = make_app(
        extra_plugins=(("demo", plugin(**hooks)),),
        TESTING=False,
        PROPAGATE_EXCEPTIONS=False,
    )
    with app.app_context():
        contact = make_contact(phones=["040 1234567"])
        browser = signed_in(app, make_user())
        page = browser.get(f"/contacts/{contact.id}")
        assert page.status_code == 200
        assert "040 1234567" in page.text
        failed = {
            "hook": "demo: not available",
            "action": "Details",
            "column": "Details",
        }
        assert failed.get(where, "Demo list: not available") in words_of(page.text)
        assert browser.get("/contacts").status_code == 200


class Failing:
    def __iter__(self):
        fails()


class Asking:
    def __iter__(self):
        db.session.execute(sa.text("SELECT * FROM no_such_table"))


def test_in_tests_a_failing_panel_is_seen(make_app):
    app = make_app(
        extra_plugins=(("demo", plugin(record_panels=lambda record: fails())),)
    )
    with app.app_context():
        contact = make_contact()
        browser = signed_in(app, make_user())
        with pytest.raises(RuntimeError, match="planted"):
            browser.get(f"/contacts/{contact.id}")


def test_an_action_and_a_column_of_a_plugin_stand_in_their_places(make_app):
    hooks = {
        "record_actions": lambda record, user: [Action("New ticket", "/t", READ)],
        "contact_columns": lambda: [Column("size", "Size", lambda one: f"{one.id} m")],
    }
    app = make_app(extra_plugins=(("demo", plugin(**hooks)),))
    with app.app_context():
        contact = make_contact()
        browser = signed_in(app, make_user())
        assert "New ticket" in browser.get(f"/contacts/{contact.id}").text
        assert "Size" in browser.get("/contacts").text
        assert f"{contact.id} m" in browser.get("/contacts").text


def test_every_change_of_a_contact_is_told_once(app, as_user):
    anna = make_user("Anna Laine")
    contact = make_contact()
    browser = as_user(anna)
    form = {"version": "1", "name": "Kallio Oy", "tags": "retail"}
    browser.post(f"/contacts/{contact.id}/edit", data=form)
    browser.post(f"/contacts/{contact.id}/trash")
    with db.read_only() as session:
        rows = session.execute(
            sa.select(Event.type, Event.actor_id)
            .where(Event.subject == contact.ref)
            .order_by(Event.id)
        ).all()
    assert [one.type for one in rows] == [
        "contact.created",
        "contact.updated",
        "contact.updated",
    ]
    assert [one.actor_id for one in rows][1:] == [anna.id, anna.id]

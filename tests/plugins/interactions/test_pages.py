"""Notes on their pages: writing with and without JavaScript, replies, changes, undo."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db, now
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import Team, User

HTMX = {"HX-Request": "true"}


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales", "Support"])


def written():
    """Read what was written, the first one first."""
    db.session.rollback()
    return db.session.scalars(sa.select(Interaction).order_by(Interaction.id)).all()


def shared_with(*contacts):
    return AudienceSpec("shared", shared_with=frozenset(one.id for one in contacts))


def hidden(page, name):
    """Give the hidden values of a form, as the browser would send them."""
    return re.findall(rf'type="hidden" name="{name}" value="([^"]*)"', page)


def test_a_note_is_written_on_the_page_of_its_contact(firm, anna, as_user):
    browser = as_user(anna)
    page = browser.get(f"/contacts/{firm.id}").text
    assert "Write a note about Kallion Vesijohto Oy" in page
    form = {"contacts": firm.id, "kind": "call", "body": "Wants **four** windows"}
    answer = browser.post("/interactions", data=form)
    assert answer.status_code == 303
    [entry] = written()
    assert answer.headers["Location"] == f"/contacts/{firm.id}#entry-{entry.id}"
    assert (entry.kind, entry.author_id) == ("call", anna.id)
    assert entry.audience.kind == "teams"
    assert len(entry.audience.teams) == 2
    page = browser.get(f"/contacts/{firm.id}").text
    assert "<strong>four</strong>" in page
    assert "Sales, Support" in page


def test_the_composer_opens_inside_whatever_was_chosen_last(firm, anna, as_user):
    browser = as_user(anna)
    form = {"contacts": firm.id, "body": "For you", "audience": "shared", "looked": 1}
    assert browser.post("/interactions", data=form).status_code == 303
    page = browser.get(f"/contacts/{firm.id}").text
    [chosen] = re.findall(r'name="audience" value="(\w+)" checked', page)
    assert chosen == "teams"
    alone = as_user(make_user("Olli Outside")).get(f"/contacts/{firm.id}").text
    [chosen] = re.findall(r'name="audience" value="(\w+)" checked', alone)
    assert chosen == "staff"


def test_who_will_see_it_is_said_for_every_choice(firm, anna, as_user):
    make_user("Mika Koski", teams=["Support"])
    make_user("Olli Outside")
    make_user("Outi Kallio", kind="customer", contact=firm)
    browser = as_user(anna)

    def said(query):
        answer = browser.get(f"/interactions/readers?contacts={firm.id}&{query}")
        assert answer.status_code == 200
        return answer.text

    assert "1 colleague will see this. Nobody outside." in said("audience=private")
    assert "2 colleagues" in said("audience=teams&teams=Sales&teams=Support")
    assert "1 colleague " in said("audience=teams&teams=Sales")
    assert "3 colleagues" in said("audience=staff")
    outside = said("audience=shared")
    assert "Outi Kallio (Kallion Vesijohto Oy)" in outside
    assert 'data-verb="Send to 1 person outside"' in outside
    assert "all 3 colleagues" in outside
    assert "There is no team Nobody." in said("audience=teams&teams=Nobody")


def test_many_readers_outside_are_folded_behind_the_first(firm, anna, as_user):
    for n in range(11):
        make_user(f"Outi {n:02}", kind="customer", contact=firm)
    said = as_user(anna).get(
        f"/interactions/readers?contacts={firm.id}&audience=shared"
    )
    shown, _, folded = said.text.partition("<details")
    assert "Outi 05" in shown
    assert "Outi 06" not in shown
    assert "and 5 more" in folded
    assert len(hidden(said.text, "seen")) == 11


def test_a_firm_where_nobody_can_sign_in_is_named(firm, anna, as_user):
    said = as_user(anna).get(
        f"/interactions/readers?contacts={firm.id}&audience=shared"
    )
    assert "Kallion Vesijohto Oy, where nobody can sign in yet" in said.text
    assert 'data-verb="Show to Kallion Vesijohto Oy"' in said.text


def test_without_javascript_a_page_in_between_names_the_readers(firm, anna, as_user):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    browser = as_user(anna)
    form = {"contacts": firm.id, "body": "For *you*", "audience": "shared"}
    asks = browser.post("/interactions", data=form)
    assert asks.status_code == 422
    assert written() == []
    assert "Outi Kallio (Kallion Vesijohto Oy)" in asks.text
    assert "Send to 1 person outside" in asks.text
    assert "For *you*</textarea>" in asks.text
    assert hidden(asks.text, "seen") == [str(outi.id)]
    form |= {"looked": 1, "seen": hidden(asks.text, "seen")}
    assert browser.post("/interactions", data=form).status_code == 303
    [entry] = written()
    assert entry.audience.shared_with == [firm.id]


def test_a_reader_added_meanwhile_is_shown_before_anything_leaves(firm, anna, as_user):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    browser = as_user(anna)
    form = {"contacts": firm.id, "body": "x", "audience": "shared"}
    form |= {"looked": 1, "seen": [outi.id]}
    pekka = make_user("Pekka Virtanen", kind="customer", contact=firm)
    for headers in ({}, HTMX):
        asks = browser.post("/interactions", data=form, headers=headers)
        assert asks.status_code == 422
        assert "Pekka Virtanen" in asks.text
        assert set(hidden(asks.text, "seen")) == {str(outi.id), str(pekka.id)}
    assert asks.headers["HX-Retarget"] == "#who"
    assert written() == []
    form["seen"] = [outi.id, pekka.id]
    assert browser.post("/interactions", data=form).status_code == 303


def test_an_empty_note_is_refused_and_keeps_what_was_chosen(firm, anna, as_user):
    browser = as_user(anna)
    form = {"contacts": firm.id, "body": "  ", "audience": "staff", "kind": "visit"}
    page = browser.post("/interactions", data=form)
    assert page.status_code == 422
    assert "Write what a colleague should know." in page.text
    assert re.search(r"<textarea[^>]* autofocus", page.text)
    assert 'value="staff" checked' in page.text
    assert '<option value="visit" selected>' in page.text
    part = browser.post("/interactions", data=form, headers=HTMX)
    assert part.status_code == 422
    assert part.headers["HX-Retarget"] == "#composer-error"
    assert "Write what a colleague should know." in part.text
    assert written() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"audience": "everybody"},
        {"audience": "teams", "teams": ["Nobody"]},
        {"audience": "private", "users": [999_999]},
        {"audience": "private", "users": ["x"]},
        {"occurred_at": "soonish"},
        {"kind": "seance"},
        {"body": "x" * 100_001},
        {"parent": "x"},
        {"contacts": []},
    ],
)
def test_a_refused_note_keeps_its_text(firm, anna, as_user, wrong):
    form = {"contacts": firm.id, "body": "Keep this", **wrong}
    page = as_user(anna).post("/interactions", data=form)
    assert page.status_code == 422
    assert "field-error" in page.text or "About whom?" in page.text
    if "body" not in wrong and "contacts" not in wrong:
        assert "Keep this</textarea>" in page.text
    assert written() == []


def test_with_htmx_the_new_entry_comes_in_place(firm, anna, as_user):
    browser = as_user(anna)
    make_interaction(firm, body="An older one")
    form = {"contacts": firm.id, "body": "The new one"}
    answer = browser.post("/interactions", data=form, headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    new, _, old = answer.text.partition("The new one")
    assert 'id="entry-2"' in new
    assert "An older one" in old
    assert '<div id="who" hx-swap-oob="innerHTML"></div>' in old


def test_a_note_may_be_about_another_time_in_the_writers_zone(firm, as_user):
    anna = make_user("Anna Laine", timezone="Europe/Helsinki")
    form = {"contacts": firm.id, "body": "x", "occurred_at": "2026-03-03T14:20"}
    assert as_user(anna).post("/interactions", data=form).status_code == 303
    [entry] = written()
    assert entry.occurred_at.isoformat() == "2026-03-03T12:20:00+00:00"


def test_writing_elsewhere_asks_about_whom(firm, anna, as_user):
    browser = as_user(anna)
    page = browser.get("/interactions/new")
    assert "About whom?" in page.text
    assert "Kallion Vesijohto Oy" in page.text
    page = browser.get("/interactions/new?q=kallion")
    link = f"/interactions/new?contact={firm.id}"
    assert f'href="{link}"' in page.text
    assert "No contact matches" in browser.get("/interactions/new?q=nobody").text
    assert "Write a note about Kallion" in browser.get(link).text
    assert browser.get("/interactions/new?contact=99999").status_code == 404


def test_hostile_markdown_is_shown_as_harmless_text(firm, anna, as_user):
    browser = as_user(anna)
    body = (
        "<script>alert(1)</script><img src=x onerror=alert(1)>\n\n"
        "[a](javascript:alert(1)) ![b](https://spy.example/p.png)\n\n"
        '<a href="/x" onclick="alert(1)">c</a>\n\n</textarea></li></ol>{{ 7 * 7 }}'
    )
    form = {"contacts": firm.id, "body": body}
    answer = browser.post("/interactions", data=form)
    entry = written()[0]
    for url in (f"/contacts/{firm.id}", f"/interactions/{entry.id}", "/interactions"):
        page = browser.get(url).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'href="javascript:' not in page
        assert 'src="https://spy.example' not in page
        assert '<a href="/x"' not in page
        assert "{{ 7 * 7 }}" in page
    edit = browser.get(f"/interactions/{entry.id}/edit").text
    assert "&lt;/textarea&gt;" in edit
    assert answer.status_code == 303


def test_a_reply_stands_under_what_it_answers(firm, anna, as_user):
    mika = make_user("Mika Koski", teams=["Support"])
    as_user(anna).post("/interactions", data={"contacts": firm.id, "body": "Question"})
    [parent] = written()
    browser = as_user(mika)
    form = {"parent": parent.id, "body": "Answer"}
    answer = browser.post("/interactions", data=form)
    reply = written()[1]
    assert answer.headers["Location"] == f"/interactions/{parent.id}#entry-{reply.id}"
    page = browser.get(f"/interactions/{parent.id}").text
    assert page.index("Question") < page.index("Answer")
    assert "1 reply" in browser.get(f"/contacts/{firm.id}").text
    assert "Answer" not in browser.get(f"/contacts/{firm.id}").text
    assert reply.audience_id == parent.audience_id
    empty = browser.post("/interactions", data={"parent": parent.id, "body": ""})
    assert empty.status_code == 422
    assert "Write what a colleague should know." in empty.text


def test_a_reply_to_outside_names_its_readers_first(firm, anna, as_user):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    entry = make_interaction(firm, author=anna, audience=shared_with(firm))
    browser = as_user(anna)
    page = browser.get(f"/interactions/{entry.id}").text
    assert "Send to 1 person outside" in page
    assert hidden(page, "seen") == [str(outi.id)]
    form = {"parent": entry.id, "body": "Tomorrow"}
    assert browser.post("/interactions", data=form).status_code == 422
    form |= {"looked": "1", "seen": hidden(page, "seen")}
    assert browser.post("/interactions", data=form).status_code == 303


def test_a_changed_entry_says_so_and_keeps_its_place(firm, anna, as_user):
    moment = now() - timedelta(days=3)
    entry = make_interaction(firm, author=anna, occurred_at=moment)
    browser = as_user(anna)
    page = browser.get(f"/interactions/{entry.id}/edit").text
    assert "four developments under way.</textarea>" in page
    form = {
        "version": hidden(page, "version"),
        "body": "Five developments",
        "kind": "note",
        "audience": "staff",
        "occurred_at": re.findall(r'name="occurred_at" value="([^"]+)"', page),
    }
    answer = browser.post(f"/interactions/{entry.id}/edit", data=form)
    assert answer.status_code == 303
    [changed] = written()
    assert changed.occurred_at == moment
    page = browser.get(f"/contacts/{firm.id}").text
    assert "Five developments" in page
    assert "edited" in page


def test_somebody_who_saved_first_is_shown_and_nothing_typed_is_lost(
    firm, anna, as_user
):
    entry = make_interaction(firm, author=anna)
    browser = as_user(anna)
    form = {"version": 1, "audience": "staff", "kind": "note"}
    url = f"/interactions/{entry.id}/edit"
    assert browser.post(url, data=form | {"body": "First"}).status_code == 303
    second = browser.post(url, data=form | {"body": "Second"})
    assert second.status_code == 409
    assert "<p>First</p>" in second.text
    assert "Second</textarea>" in second.text
    assert hidden(second.text, "version") == ["2"]
    form["version"] = 2
    assert browser.post(url, data=form | {"body": "Second"}).status_code == 303


def test_opening_an_entry_to_more_colleagues_asks_first(firm, anna, as_user):
    [sales, _support] = sorted(anna.teams, key=lambda one: one.name)
    for_sales = AudienceSpec("teams", teams=frozenset({sales.id}))
    entry = make_interaction(firm, author=anna, audience=for_sales)
    browser, url = as_user(anna), f"/interactions/{entry.id}/edit"
    form = {"version": 1, "body": "x", "kind": "note", "audience": "staff"}
    asks = browser.post(url, data=form)
    assert asks.status_code == 422
    assert "More colleagues will be able to read this." in asks.text
    assert hidden(asks.text, "sure") == ["staff"]
    other = form | {"audience": "teams", "teams": [one.name for one in anna.teams]}
    # A yes to the one choice is none to another.
    again = browser.post(url, data=other | {"sure": "staff"})
    assert "More colleagues will be able to read this." in again.text
    assert browser.post(url, data=form | {"sure": "staff"}).status_code == 303
    narrower = form | {"version": 3, "audience": "private"}
    [changed] = written()
    narrower["version"] = changed.version
    assert browser.post(url, data=narrower).status_code == 303


def test_opening_an_entry_to_a_customer_names_them_first(firm, anna, as_user):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    entry = make_interaction(firm, author=anna)
    browser, url = as_user(anna), f"/interactions/{entry.id}/edit"
    form = {"version": 1, "body": "x", "kind": "note", "audience": "shared"}
    form["shared_with"] = [firm.id]
    asks = browser.post(url, data=form)
    assert asks.status_code == 422
    assert "Outi Kallio" in asks.text
    form |= {"looked": "1", "seen": [outi.id]}
    assert browser.post(url, data=form).status_code == 303
    # Its words may be put right without asking again: nobody new reads them.
    [changed] = written()
    again = form | {"version": changed.version, "body": "y"}
    del again["looked"], again["seen"]
    assert browser.post(url, data=again).status_code == 303


def test_only_its_author_is_offered_to_change_an_entry(firm, anna, as_user):
    entry = make_interaction(firm, author=anna)
    browser = as_user(make_user("Mika Koski"))
    url = f"/interactions/{entry.id}"
    assert f"{url}/edit" not in browser.get(f"{url}/acts", headers=HTMX).text
    assert browser.get(f"{url}/edit").status_code == 403
    assert browser.post(f"{url}/edit", data={"body": "x"}).status_code == 403
    assert browser.post(f"{url}/trash").status_code == 403
    assert f"{url}/edit" in as_user(anna).get(f"{url}/acts", headers=HTMX).text
    assert f"{url}/edit" in as_user(anna).get(url).text


def test_an_entry_goes_to_the_trash_and_comes_back(firm, anna, as_user):
    entry = make_interaction(firm, author=anna, body="Soon gone")
    browser, url = as_user(anna), f"/interactions/{entry.id}"
    came_from = {"Referer": f"http://localhost/contacts/{firm.id}"}
    answer = browser.post(f"{url}/trash", headers=came_from)
    assert answer.headers["Location"].startswith(f"/contacts/{firm.id}")
    page = browser.get(f"/contacts/{firm.id}").text
    assert "Soon gone" not in page
    assert 'action="/me/undo/' in page
    assert "This entry is in the trash." in browser.get(url).text
    other = as_user(make_user("Mika Koski"))
    assert other.get(url).status_code == 404
    assert other.post(f"{url}/restore").status_code == 404
    assert browser.post(f"{url}/restore", headers=came_from).status_code == 303
    assert "Soon gone" in browser.get(f"/contacts/{firm.id}").text


def test_a_pinned_entry_stands_first(firm, anna, as_user):
    old = make_interaction(firm, body="The old one", occurred_at=now() - timedelta(9))
    make_interaction(firm, body="The new one")
    browser = as_user(anna)

    def order():
        page = browser.get(f"/contacts/{firm.id}").text
        return page.index("The old one") < page.index("The new one")

    assert not order()
    answer = browser.post(f"/interactions/{old.id}/pin")
    assert answer.headers["Location"] == f"/interactions/{old.id}"
    assert order()
    browser.post(f"/interactions/{old.id}/unpin")
    assert not order()


@pytest.mark.parametrize(
    "referrer",
    [
        "https://evil.example/contacts/1",
        "http://localhost//evil.example/",
        "http://localhost\\evil.example/",
        "javascript:alert(1)",
    ],
)
def test_going_back_never_leads_to_another_server(firm, anna, as_user, referrer):
    entry = make_interaction(firm, author=anna)
    answer = as_user(anna).post(
        f"/interactions/{entry.id}/pin", headers={"Referer": referrer}
    )
    address = answer.headers["Location"]
    assert address.startswith("/")
    assert not address.startswith(("//", "/\\"))


def test_the_latest_entries_are_filtered_and_go_page_by_page(firm, as_user):
    anna = make_user("Anna Laine", teams=["Sales"])
    mika = make_user("Mika Koski", teams=["Support"])
    for n in range(35):
        moment = now() - timedelta(hours=n)
        make_interaction(firm, author=mika, body=f"Entry {n}.", occurred_at=moment)
    make_interaction(firm, author=anna, kind="call", body="Anna rang.")
    browser = as_user(anna)
    first = browser.get("/interactions").text
    assert "Anna rang." in first
    assert "Entry 34." not in first
    [older] = re.findall(r'href="(/interactions\?cursor=[^"]+)"', first)
    assert "Entry 34." in browser.get(older).text
    assert "Entry 0." not in browser.get("/interactions?kind=call").text
    [sales] = anna.teams
    assert "Entry 0." not in browser.get(f"/interactions?team={sales.id}").text
    assert "No entry matches" in browser.get("/interactions?kind=visit").text
    story = f"/interactions/timeline/{firm.id}"
    assert "<html" in browser.get(f"{story}?q=rang").text
    part = browser.get(f"{story}?q=rang", headers=HTMX | {"HX-Target": "story"}).text
    assert '<section id="story"' in part
    assert "Entry 0." not in part
    lines = browser.get(story, headers=HTMX).text
    assert "<section" not in lines
    assert "timeline-older" not in lines
    [older] = re.findall(rf'hx-get="({story}\?cursor=[^"]+)"', browser.get(story).text)
    more = browser.get(older, headers=HTMX).text
    assert 'id="timeline-older" hx-swap-oob="true"' in more


@pytest.mark.parametrize("query", ["cursor=x", "team=x", "kind=" + "k" * 99, "q=%00"])
def test_a_wrong_filter_is_an_error_and_no_failure(firm, anna, as_user, query):
    browser = as_user(anna)
    for url in ("/interactions", f"/interactions/timeline/{firm.id}"):
        assert browser.get(f"{url}?{query}").status_code in {200, 400, 422}


def test_my_day_names_what_colleagues_wrote_on_my_customers(as_user):
    anna = make_user("Anna Laine", teams=["Sales"])
    mine = make_contact("Mine Oy", owner=anna.email)
    other = make_contact("Other Oy")
    mika = make_user("Mika Koski", teams=["Support"])
    [support] = mika.teams
    make_interaction(mine, author=mika, body="He asked for prices")
    make_interaction(mine, author=anna, body="My own words")
    make_interaction(other, author=mika, body="Not my customer")
    secret = AudienceSpec("teams", teams=frozenset({support.id}))
    make_interaction(mine, author=mika, body="Support only", audience=secret)
    page = as_user(anna).get("/").text
    assert "He asked for prices" in page
    for hidden_words in ("My own words", "Not my customer", "Support only"):
        assert hidden_words not in page


def test_a_customer_reads_and_answers_what_is_shared(firm, anna, as_user):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    entry = make_interaction(
        firm, author=anna, body="Your **order** leaves", audience=shared_with(firm)
    )
    make_interaction(firm, author=anna, body="He pays late")
    browser = as_user(outi)
    page = browser.get("/interactions").text
    assert "<strong>order</strong>" in page
    assert "He pays late" not in page
    assert "Sales" not in page
    assert browser.get(f"/interactions/{entry.id}").status_code == 200
    form = {"parent": entry.id, "body": "Thank you", "audience": "staff"}
    assert browser.post("/interactions", data=form).status_code == 303
    reply = written()[-1]
    assert (reply.kind, reply.direction) == ("message", "in")
    assert reply.audience.shared_with == [firm.id]
    assert "Thank you" in browser.get(f"/interactions/{entry.id}").text
    empty = browser.post("/interactions", data={"parent": entry.id, "body": ""})
    assert empty.status_code == 422
    for url in ("new", "readers", f"{entry.id}/edit", f"timeline/{firm.id}"):
        assert browser.get(f"/interactions/{url}").status_code == 404
    for act in ("pin", "trash", "restore", "edit"):
        assert browser.post(f"/interactions/{entry.id}/{act}").status_code == 404


def test_a_refused_form_of_a_customer_names_no_colleague(firm, anna, as_user):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    form = {"contacts": firm.id, "body": ""}
    page = as_user(outi).post("/interactions", data=form)
    assert page.status_code == 422
    assert anna.name not in page.text
    assert "Support" not in page.text


def test_a_trashed_contact_offers_no_place_to_write(firm, anna, as_user):
    with db.transaction() as session:
        session.get_one(Contact, firm.id).trashed_at = now()
    page = as_user(anna).get(f"/contacts/{firm.id}").text
    assert "Write a note" not in page


def test_the_palette_writes_a_note(anna, as_user):
    items = as_user(anna).get("/palette?q=note").json["items"]
    assert "/interactions/new" in {one["url"] for one in items}


def test_readers_of_one_team_are_counted_once(firm, as_user):
    user = make_user("Anna Laine", teams=["Sales", "Support"])
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Team)) == 2
    assert db.session.get_one(User, user.id).name == "Anna Laine"
    url = f"/interactions/readers?contacts={firm.id}&audience=teams"
    said = as_user(user).get(f"{url}&teams=Sales&teams=Support").text
    assert "1 colleague will see this." in said

"""What is new since a reader last looked, and what changed meanwhile."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.contacts.services import change_contact
from core.db import db, now
from core.events import acting
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import User
from plugins.interactions.models import Seen

HTMX = {"HX-Request": "true"}


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", teams=["Support"])


@pytest.fixture
def reader(firm, anna, as_user):
    """Anna's browser, in which she has just looked at the firm."""
    browser = as_user(anna)
    looks(browser, firm)
    return browser


def looks(browser, contact, upto=0):
    """Tell what the page tells once it was before its reader's eyes."""
    url = f"/interactions/timeline/{contact.id}/seen"
    answer = browser.post(url, data={"upto": upto}, headers=HTMX)
    assert answer.status_code == 204


def marked(page):
    return re.findall(r'<li id="entry-(\d+)" class="entry-new"', page)


def test_what_colleagues_wrote_since_i_last_looked_is_counted_and_marked(
    firm, mika, as_user, anna
):
    make_interaction(firm, author=mika, body="Known")
    reader = as_user(anna)
    assert "new since" not in reader.get(f"/contacts/{firm.id}").text
    looks(reader, firm)
    entries = [make_interaction(firm, author=mika, body=f"New {n}") for n in range(4)]
    page = reader.get(f"/contacts/{firm.id}").text
    assert "4 new since" in page
    assert sorted(map(int, marked(page))) == [one.id for one in entries]
    # The line stands between what is new and what was there.
    assert page.index("New 0") < page.index('id="new-line"') < page.index("Known")
    looks(reader, firm, entries[-1].id)
    page = reader.get(f"/contacts/{firm.id}").text
    assert "new since" not in page
    assert marked(page) == []


def test_looking_at_a_page_writes_nothing(firm, anna, as_user):
    as_user(anna).get(f"/contacts/{firm.id}")
    assert db.session.scalars(sa.select(Seen)).all() == []


def test_my_own_entries_are_never_new(firm, anna, reader):
    make_interaction(firm, author=anna, body="Mine")
    page = reader.get(f"/contacts/{firm.id}").text
    assert "new since" not in page
    assert marked(page) == []


def test_only_entries_i_may_read_are_counted(firm, anna, mika, reader):
    [support] = mika.teams
    for audience in (
        AudienceSpec("private", users=frozenset({mika.id})),
        AudienceSpec("teams", teams=frozenset({support.id})),
    ):
        make_interaction(firm, author=mika, body="Hidden", audience=audience)
    assert "new since" not in reader.get(f"/contacts/{firm.id}").text
    make_interaction(firm, author=mika, body="Open", audience=AudienceSpec("staff"))
    assert "1 new since" in reader.get(f"/contacts/{firm.id}").text


def test_the_mark_is_each_readers_own_and_never_goes_back(
    firm, anna, mika, reader, as_user
):
    entries = [make_interaction(firm, author=mika, body=f"{n}") for n in range(3)]
    looks(reader, firm, entries[-1].id)
    # Another tab of hers, drawn before, tells later.
    looks(reader, firm, entries[0].id)
    assert "new since" not in reader.get(f"/contacts/{firm.id}").text
    # Nobody can look beyond what there is.
    looks(reader, firm, 2_000_000_000)
    make_interaction(firm, author=mika, body="Later")
    assert "1 new since" in reader.get(f"/contacts/{firm.id}").text
    olli = as_user(make_user("Olli Other"))
    assert "new since" not in olli.get(f"/contacts/{firm.id}").text


def test_what_is_written_today_about_last_week_is_new_and_can_be_found(
    firm, mika, reader
):
    for n in range(30):
        make_interaction(firm, author=mika, body=f"Old {n}")
    looks(reader, firm, 10_000)
    then = now() - timedelta(days=90)
    late = make_interaction(firm, author=mika, body="Forgotten", occurred_at=then)
    page = reader.get(f"/contacts/{firm.id}").text
    assert "1 new since" in page
    # It is not on the first page, so the way leads to a list that has it.
    [only] = set(re.findall(r'href="([^"]+unseen=1[^"]*)"', page))
    found = reader.get(only.replace("&amp;", "&")).text
    assert marked(found) == [str(late.id)]
    assert "Old 3" not in found


def test_a_reply_makes_what_it_answers_new(firm, anna, mika, as_user, api):
    entry = make_interaction(firm, author=anna, body="Who goes there?")
    reader = as_user(anna)
    looks(reader, firm)
    reply = {"parent": entry.id, "body": "I do"}
    assert api(mika).post("/api/v1/interactions", json=reply).status_code == 201
    page = reader.get(f"/contacts/{firm.id}").text
    assert "1 new since" in page
    assert marked(page) == [str(entry.id)]


def test_a_live_update_keeps_the_line_while_the_page_is_open(firm, mika, reader):
    make_interaction(firm, author=mika, body="New")
    page = reader.get(f"/contacts/{firm.id}").text
    [live] = re.findall(r'data-live-url="(/interactions/timeline/[^"]+)"', page)
    looks(reader, firm, 10_000)
    make_interaction(firm, author=mika, body="Newer")
    lines = reader.get(live.replace("&amp;", "&"), headers=HTMX).text
    assert len(marked(lines)) == 2


def test_without_javascript_a_button_says_it_was_read(firm, mika, reader):
    make_interaction(firm, author=mika, body="New")
    page = reader.get(f"/contacts/{firm.id}").text
    [form] = re.findall(r"<form[^>]+data-seen>.*?</form>", page, re.S)
    assert "<noscript><button" in form
    [upto] = re.findall(r'name="upto" value="(\d+)"', form)
    url = f"/interactions/timeline/{firm.id}/seen"
    answer = reader.post(url, data={"upto": upto})
    assert answer.headers["Location"] == f"/contacts/{firm.id}"
    assert "new since" not in reader.get(f"/contacts/{firm.id}").text


def test_very_many_new_entries_are_more_than_99(firm, mika, reader):
    for n in range(101):
        make_interaction(firm, author=mika, body=f"{n}")
    assert "More than 99 new since" in reader.get(f"/contacts/{firm.id}").text


def test_who_may_not_see_a_contact_leaves_no_mark_on_it(firm, make_user_of_nothing):
    url = f"/interactions/timeline/{firm.id}/seen"
    assert make_user_of_nothing.post(url, data={"upto": 1}).status_code == 404


@pytest.fixture
def make_user_of_nothing(app, as_user):
    outi = make_user("Outi Kallio", kind="customer", contact=make_contact("Else Oy"))
    return as_user(outi)


@pytest.mark.parametrize(
    "mark", ["x", "1", "1.", "-1.5", "1.99999999999999999", "1.5%0A"]
)
def test_a_mark_nobody_made_is_refused(firm, reader, mark):
    url = f"/interactions/timeline/{firm.id}?new={mark}"
    assert reader.get(url).status_code == 422


def test_what_others_changed_of_the_contact_is_one_line_that_opens(
    firm, anna, mika, reader
):
    def change(user, **values):
        with acting(user.id), db.transaction() as session:
            contact = session.get_one(Contact, firm.id)
            change_contact(contact, values, actor=session.get_one(User, user.id))

    url = reader.get(f"/contacts/{firm.id}").text
    assert "/changed?" not in url
    change(anna, phones=[{"number": "+358 40 123 4567"}])
    page = reader.get(f"/contacts/{firm.id}").text
    [line] = set(re.findall(r'"(/interactions/timeline/\d+/changed[^"]+)"', page))
    assert reader.get(line, headers=HTMX).text.strip() == ""
    assert "Nobody else has changed anything" in reader.get(line).text
    change(mika, name="Kallion Vesi Oy")
    said = reader.get(line, headers=HTMX).text
    assert "Changed since" in said
    assert "Name" in said
    assert "Mika Koski" in said
    assert "<del>Kallion Vesijohto Oy</del>" in said
    assert "+358" not in said


def test_new_entries_cost_the_page_no_statement(firm, mika, reader, count_queries):
    url = f"/contacts/{firm.id}"
    make_interaction(firm, author=mika)
    looks(reader, firm, 10_000)
    reader.get(url)
    with count_queries() as none:
        reader.get(url)
    for n in range(12):
        make_interaction(firm, author=mika, body=f"{n}")
    with count_queries() as many:
        assert "12 new since" in reader.get(url).text
    assert many.count == none.count <= 12


def test_a_trashed_new_entry_is_not_counted(firm, mika, reader):
    entry = make_interaction(firm, author=mika, body="Oops")
    with db.transaction() as session:
        session.get_one(Interaction, entry.id).trashed_at = now()
    assert "new since" not in reader.get(f"/contacts/{firm.id}").text

"""Views of the contact list: a filter under a name, each colleague's own."""

import re

import pytest
import sqlalchemy as sa

from core.contacts import saved
from core.contacts.models import SavedView
from core.db import db
from core.testing.factories import make_contact, make_user

KEPT = {"name": "Vendors in copper", "role": "vendor", "tag": "copper"}


@pytest.fixture
def anna(app):
    return make_user("Anna Laine")


@pytest.fixture
def browser(anna, as_user):
    make_contact("Nordvalve Ab", roles=["vendor"], tags=["copper"])
    make_contact("Kallion Vesijohto Oy", roles=["customer"])
    return as_user(anna)


def tabs(page):
    nav = page.text.partition('<nav class="tabs"')[2].partition("</nav>")[0]
    return re.findall(r'<a href="([^"]*)"( aria-current="page")?>([^<]*)</a>', nav)


def only_view():
    with db.read_only() as session:
        return session.scalars(sa.select(SavedView)).one()


def test_a_filter_is_kept_under_a_name_and_stands_beside_the_others(browser):
    form = browser.get("/contacts/views/new?role=vendor&tag=copper").text
    assert 'value="copper"' in form
    made = browser.post("/contacts/views", data=KEPT)
    assert made.status_code == 303
    page = browser.get(made.location)
    assert "Nordvalve Ab" in page.text
    assert "Kallion Vesijohto" not in page.text
    current = [title for _url, here, title in tabs(page) if here]
    assert current == ["Vendors in copper"]
    [url] = [one for one, _here, title in tabs(page) if title == "Vendors in copper"]
    assert browser.get(url.replace("&amp;", "&")).status_code == 200
    # Other filters are not this view any more.
    other = tabs(browser.get(made.location.replace("vendor", "customer")))
    assert [title for _url, here, title in other if here] == ["All"]


def test_a_view_is_changed_removed_and_taken_back(browser):
    browser.post("/contacts/views", data=KEPT)
    address = f"/contacts/views/{only_view().id}"
    assert 'value="Vendors in copper"' in browser.get(address).text
    browser.post(address, data={"name": "My own", "view": "mine", "owner": "nobody"})
    assert (only_view().name, only_view().asked) == ("My own", {"view": "mine"})
    gone = browser.post(f"{address}/remove", follow_redirects=True)
    assert "Removed the view My own." in gone.text
    assert "My own" not in [title for _url, _here, title in tabs(gone)]
    [undo] = re.findall(r'action="(/contacts/views\?[^"]*)"', gone.text)
    assert browser.post(undo.replace("&amp;", "&")).status_code == 303
    assert (only_view().name, only_view().asked) == ("My own", {"view": "mine"})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "Give it a name."),
        ({"name": "x" * 61}, "longer than 60"),
        ({"role": "", "tag": ""}, "Choose at least one filter."),
        ({"role": "chef", "tag": "\x00"}, "not text"),
    ],
)
def test_what_cannot_be_kept_is_said_beside_its_field(browser, wrong, said):
    refused = browser.post("/contacts/views", data=KEPT | wrong)
    assert refused.status_code == 422
    assert said in refused.text
    assert browser.post("/contacts/views", data=KEPT).status_code == 303


def test_names_are_not_given_twice_and_views_have_an_end(browser, monkeypatch):
    monkeypatch.setattr(saved, "MOST", 2)
    assert browser.post("/contacts/views", data=KEPT).status_code == 303
    twice = browser.post("/contacts/views", data=KEPT | {"name": "vendors IN copper"})
    assert "Another view of yours is called so." in twice.text
    second = KEPT | {"name": "Second"}
    assert browser.post("/contacts/views", data=second).status_code == 303
    third = browser.post("/contacts/views", data=KEPT | {"name": "Third"})
    assert "You keep 2 views." in third.text
    # One that is here can still be changed.
    with db.read_only() as session:
        first = session.scalars(sa.select(SavedView.id)).first()
    address = f"/contacts/views/{first}"
    assert browser.post(address, data=KEPT | {"q": "nord"}).status_code == 303


def test_a_view_is_nobody_elses(browser, as_user):
    browser.post("/contacts/views", data=KEPT)
    kept = only_view()
    mika = as_user(make_user("Mika Koski"))
    for path in ("", "/remove"):
        address = f"/contacts/views/{kept.id}{path}"
        assert mika.post(address, data=KEPT).status_code == 404
    assert mika.get(f"/contacts/views/{kept.id}").status_code == 404
    page = mika.get(f"/contacts?saved={kept.id}&role=vendor&tag=copper")
    assert "Vendors in copper" not in page.text
    assert only_view().name == "Vendors in copper"


def test_a_view_of_a_colleague_who_is_gone_says_so_and_lists_on(browser):
    gone = make_user("Olli Gone")
    made = browser.post("/contacts/views", data={"name": "Olli's", "owner": gone.id})
    words = "This view asks for the contacts of a colleague who is gone."
    assert words not in browser.get(made.location).text
    with db.transaction() as session:
        session.merge(gone).active = False
    page = browser.get(made.location)
    assert page.status_code == 200
    assert words in page.text


def test_more_views_cost_the_list_no_statement(browser, count_queries):
    def cost():
        with count_queries() as counted:
            assert browser.get("/contacts").status_code == 200
        return counted.count

    cost()
    without = cost()
    for number in range(5):
        browser.post("/contacts/views", data=KEPT | {"name": f"No. {number}"})
    cost()
    assert cost() == without <= 12

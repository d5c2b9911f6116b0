"""My day: whom, why and what to know first, with what to do about it."""

from datetime import date, timedelta

import pytest

from core import settings
from core.contacts.models import Contact
from core.db import db, now
from core.pages import DayItem
from core.permissions import Permission
from core.testing.factories import make_contact, make_interaction, make_user
from tests.core.contacts.reading import words_of


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", roles=("sales",))


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", roles=("support",))


def due(anna, name="Tapio Rakennus Oy", **more):
    today = now().date().isoformat()
    given = {"next_step": "Call back", "next_step_on": today, **more}
    return make_contact(name, owner=anna.id, roles=["customer"], **given)


def day(browser):
    return words_of(browser.get("/").text)


@pytest.mark.parametrize(
    ("hour", "said"),
    [(3, "Hello"), (7, "Good morning"), (13, "Good day"), (20, "Good evening")],
)
def test_the_greeting_fits_the_readers_own_hour(app, as_user, clock, hour, said):
    li = make_user("Li Wei", timezone="Asia/Shanghai")
    moment = now().replace(hour=(hour - 8) % 24, minute=30)
    clock.move_to(moment + timedelta(days=1))
    assert f"{said}, Li" in day(as_user(li))


def test_an_empty_house_is_told_how_to_begin(app, as_user):
    page = as_user(make_user("Ad Min", roles=("admin",))).get("/").text
    assert 'href="/admin/first-hour"' in page
    page = as_user(make_user("Anna Laine")).get("/").text
    assert "Nothing waits for you." in page
    assert 'href="/contacts/new?kind=organisation"' in page


def test_a_line_says_whom_why_and_what_to_know_first(app, anna, as_user):
    firm = due(anna, know_first="**Deliver** before ten, gate B", do_not_contact=True)
    page = as_user(anna).get("/").text
    words = words_of(page)
    assert "Tapio Rakennus Oy Call back today" in words
    assert "Do not contact · Deliver before ten, gate B" in words
    for act in (f"/contacts/{firm.id}/step/done", f"/contacts/{firm.id}/step/later"):
        assert f'action="{act}"' in page
    call = f"/interactions/new?contact={firm.id}&amp;kind=call"
    assert f'href="{call}"' in page
    form = as_user(anna).get(call.replace("&amp;", "&")).text
    assert 'value="call" selected' in form or 'value="call" checked' in form


def test_done_goes_and_later_comes_again_on_its_day(app, anna, as_user, clock):
    first, second = due(anna, "First Oy"), due(anna, "Second Oy")
    browser = as_user(anna)
    assert browser.post(f"/contacts/{first.id}/step/done").location == "/"
    browser.post(f"/contacts/{second.id}/step/later", data={"days": "3"})
    # The message of the last act names it; the page after that does not.
    browser.get("/")
    assert "Oy" not in day(browser).replace("customers", "")
    clock.shift(timedelta(days=3))
    page = day(as_user(anna))
    assert "Second Oy" in page
    assert "First Oy" not in page


def test_a_step_is_put_off_from_the_readers_own_today(app, as_user, clock):
    li = make_user("Li Wei", roles=("sales",), timezone="Asia/Shanghai")
    firm = due(li)
    clock.move_to(now().replace(hour=20, minute=0))
    here = (now() + timedelta(hours=8)).date()
    as_user(li).post(f"/contacts/{firm.id}/step/later", data={"days": "1"})
    with db.read_only() as session:
        kept: date = session.get_one(Contact, firm.id).next_step_on
    assert kept == here + timedelta(days=1)


def test_only_who_may_write_can_finish_a_step(app, anna, as_user, mika):
    firm = due(anna)
    looker = make_user("Vera Viewer", roles=())
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    for act in ("done", "later"):
        address = f"/contacts/{firm.id}/step/{act}"
        assert as_user(looker).post(address, data={"days": "1"}).status_code == 403
        assert as_user(outi).post(address, data={"days": "1"}).status_code == 404


def test_quiet_customers_are_counted_as_their_list_shows_them(app, anna, as_user):
    quiet = make_contact("Quiet Oy", owner=anna.id, roles=["customer"])
    make_contact("Not mine Oy", roles=["customer"])
    fresh = make_contact("Fresh Oy", owner=anna.id, roles=["customer"])
    make_interaction(fresh, author=anna)
    browser = as_user(anna)
    page = browser.get("/").text
    assert "1 customer of yours without contact in 60 days" in page
    assert "Nothing waits for you." in page
    listed = browser.get("/contacts?view=quiet&role=customer&owner=me").text
    assert quiet.name in listed
    assert "Fresh Oy" not in listed
    assert "Not mine Oy" not in listed


def test_each_segment_goes_quiet_after_days_of_its_own(app, anna, as_user, clock):
    days = {"quiet_days": 40, "quiet_days_of": ["Retail: 10", "prospect:90", "x: 5"]}
    with db.transaction():
        settings.save("contacts", days)
    both = ["customer", "prospect"]
    made = {
        "Retail Oy": {"tags": ["retail"]},
        "Plain Oy": {},
        "Prospect Oy": {"roles": both},
        "Retail prospect Oy": {"tags": ["RETAIL"], "roles": both},
    }
    for name, more in made.items():
        given = {"owner": anna.id, "roles": ["customer"], **more}
        make_interaction(make_contact(name, **given), author=anna)

    def quiet():
        page = as_user(anna).get("/contacts?view=quiet&role=customer&owner=me").text
        return [name for name in made if name in words_of(page)]

    clock.shift(timedelta(days=11))
    assert quiet() == ["Retail Oy", "Retail prospect Oy"]
    assert "2 customers of yours have gone quiet" in day(as_user(anna))
    clock.shift(timedelta(days=30))
    assert quiet() == ["Retail Oy", "Plain Oy", "Retail prospect Oy"]
    clock.shift(timedelta(days=50))
    assert quiet() == list(made)


@pytest.mark.parametrize("line", ["retail", "retail: 0", "retail: many", ": 5"])
def test_what_is_no_number_of_days_is_refused(app, as_user, line):
    browser = as_user(make_user("Ad Min", roles=("admin",)))
    answer = browser.post("/admin/settings/contacts", data={"quiet_days_of": line})
    assert answer.status_code == 422
    assert line in answer.text


def test_what_colleagues_wrote_is_counted_and_secrets_are_not(app, anna, mika, as_user):
    from core.audiences import AudienceSpec

    firm = due(anna)
    for n in range(4):
        make_interaction(firm, author=mika, body=f"News {n}")
    make_interaction(firm, author=anna, body="My own words")
    secret = AudienceSpec("private", users=frozenset({mika.id}))
    make_interaction(firm, author=mika, body="Private words", audience=secret)
    page = day(as_user(anna))
    assert "4 entries by colleagues on your customers" in page
    assert "News 3" in page
    assert "My own words" not in page
    assert "Private words" not in page


def test_what_is_planned_for_today_comes_first(app, anna, as_user, clock):
    clock.move_to(now().replace(hour=9, minute=0))
    firm = due(anna)
    later = now() + timedelta(hours=2)
    make_interaction(
        firm, author=anna, kind="meeting", body="Four developments", occurred_at=later
    )
    page = day(as_user(anna))
    assert page.index("Four developments") < page.index("Call back")


READ = Permission("contacts:read", "See contacts")


def test_a_failing_block_is_one_line_and_the_rest_stands(make_app, sign_in_to):
    from types import SimpleNamespace

    from core import hookimpl

    def day_items(user):
        raise RuntimeError("planted")

    def drawn(user):
        return [DayItem("bad.day", "Weather", "no/such.html", {}, READ)]

    plugins = [
        ("down", SimpleNamespace(day_items=hookimpl(day_items))),
        ("bad", SimpleNamespace(day_items=hookimpl(drawn))),
    ]
    app = make_app(tuple(plugins), TESTING=False)
    with app.app_context():
        anna = make_user("Anna Laine", roles=("sales",))
        due(anna)
        page = words_of(sign_in_to(app, anna).get("/").text)
    assert "Tapio Rakennus Oy Call back today" in page
    assert "Weather: not available." in page
    assert "down: not available." in page


def test_the_page_takes_at_most_12_statements(app, anna, mika, as_user, count_queries):
    browser = as_user(make_user("Ad Min", roles=("admin",)))

    def cost(who):
        who.get("/")
        with count_queries() as counter:
            assert who.get("/").status_code == 200
        return counter.count

    for n in range(8):
        firm = due(anna, f"Firm {n}")
        make_interaction(firm, author=mika)
    assert cost(as_user(anna)) <= 12
    assert cost(browser) <= 12

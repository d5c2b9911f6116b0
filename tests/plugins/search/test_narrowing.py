"""What narrows a search means what its reader means, and says where it cannot."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from core.contacts.models import Affiliation, Contact
from core.db import db
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.services import ensure_role
from plugins.search import asking, indexing
from plugins.search.backend import IndexOp
from tests.plugins.search.test_search import found, refs

pytestmark = pytest.mark.soak_on_postgresql


# In summer and in winter: Helsinki is two or three hours before UTC, Shanghai eight.
DAYS = [
    ("Europe/Helsinki", (2026, 7, 2), "2026-07-02"),
    ("Europe/Helsinki", (2026, 1, 2), "2026-01-02"),
    ("Asia/Shanghai", (2026, 7, 2), "2026-07-02"),
    ("America/New_York", (2026, 7, 2), "2026-07-02"),
]


@pytest.mark.parametrize(("zone", "day", "said"), DAYS)
def test_a_day_is_that_of_the_readers_zone(app, api, deliver, zone, day, said):
    anna = make_user("Anna Laine", timezone=zone)
    contact = make_contact()
    entries = []
    for hour, minute in ((0, 30), (23, 30)):
        moment = datetime(*day, hour, minute, tzinfo=ZoneInfo(zone))
        made = make_interaction(
            contact, author=anna, body="Valves.", occurred_at=moment
        )
        entries.append(made.ref)
    deliver()
    program = api(anna)
    assert sorted(refs(program, f"valves from:{said} to:{said}")) == sorted(entries)
    before, after = said[:-1] + "1", said[:-1] + "3"
    assert refs(program, f"valves to:{before}") == []
    assert refs(program, f"valves from:{after}") == []
    assert sorted(refs(program, f"type:entry from:{said[:4]}")) == sorted(entries)


@pytest.fixture
def customers(app, deliver):
    """Two customers with an entry each, that a colleague of any role may read."""
    anna = make_user("Anna Laine")
    kallio = make_contact(
        "Kallion Vesijohto Oy",
        emails=[{"address": "outi@kallio.example", "label": "work"}],
        phones=[{"number": "+358 40 123 4567", "label": "mobile"}],
    )
    tapio = make_contact("Tapio Rakennus Oy")
    entries = {
        "kallio": make_interaction(kallio, author=anna, body="Valves came."),
        "tapio": make_interaction(tapio, author=anna, body="Valves for a roof."),
    }
    deliver()
    return entries


# What only the contact itself tells, beside something that no contact has.
CUSTOMERS = [
    ("type:entry customer:outi@kallio.example", "type:entry customer:no@x.example"),
    ("type:entry -customer:0401234567", "type:entry -customer:0407654321"),
]
BOTH_READ = ("search:read", "interactions:read")


@pytest.mark.parametrize(("text", "unknown"), CUSTOMERS)
def test_who_may_not_read_contacts_learns_nothing_of_them_by_narrowing(
    customers, api, as_user, text, unknown
):
    with db.transaction():
        ensure_role("listener", BOTH_READ)
    listener = make_user("Leo Lehto", roles=("listener",))
    program = api(listener)
    # Whether there is such a customer makes no difference.
    assert found(program, text) == found(program, unknown)
    assert len(refs(program, "valves")) == 2
    page = as_user(listener)
    assert "customer:" not in page.get("/search").text
    assert "customer:" not in page.get("/palette?q=valves cus").text
    assert "tag:" in page.get("/search").text


@pytest.mark.parametrize(("text", "unknown"), CUSTOMERS)
def test_a_token_without_contacts_learns_nothing_of_them_by_narrowing(
    customers, api, text, unknown
):
    anna = make_user("Anna Aalto", roles=("sales",))
    narrowed = "tapio" if "-" in text else "kallio"
    assert refs(api(anna), text) == [customers[narrowed].ref]
    program = api(anna, *BOTH_READ)
    assert found(program, text) == found(program, unknown)
    assert len(refs(program, "valves")) == 2


QUOTED = [
    "customer:“Kallion Vesijohto”",
    "customer:„Kallion Vesijohto“",
    "asiakas:”Kallion Vesijohto”",
    "customer:«Kallion Vesijohto»",
    "客户：「Kallion Vesijohto」",
    "客户：『Kallion Vesijohto』",
    "客户：＂Kallion Vesijohto＂",
    "customer:“Kallion Vesijohto",
]


@pytest.mark.parametrize("text", QUOTED)
def test_the_quotes_of_every_keyboard_hold_a_value_together(
    customers, api, deliver, text
):
    # The first word alone means this one too, and the second is found in its entry.
    make_interaction(make_contact("Kallion Kauppa Oy"), body="No Vesijohto here.")
    deliver()
    program = api(make_user("Anna Aalto", roles=("sales",)))
    assert refs(program, f"type:entry {text}") == [customers["kallio"].ref]


def test_a_value_in_curly_quotes_is_shown_and_taken_away_like_any_other(
    customers, as_user
):
    browser = as_user(make_user("Anna Aalto", roles=("sales",)))
    asked = {"q": "valves customer:“Kallion Vesijohto”"}
    page = browser.get("/search", query_string=asked).text
    assert "customer:&#34;Kallion Vesijohto&#34;" in page
    assert 'href="/search?q=valves"' in page


@pytest.fixture
def broken(app, customers):
    """The index is broken, so that the database is searched."""
    for path in app.extensions["search_backend"].root.rglob("CURRENT"):
        path.write_text("nowhere")


IGNORED = ["type:ticket", "type:entry kallion", "-type:contact kallion", "tag:vip"]
IGNORED += ["customer:tapio kallion", "kallion from:2026", "-tag:vip kallion"]


@pytest.mark.parametrize("text", IGNORED)
def test_without_an_index_nothing_is_listed_that_the_operators_do_not_mean(
    broken, api, as_user, text
):
    anna = make_user("Anna Aalto", roles=("sales",))
    answer = found(api(anna), text)
    assert (answer["items"], answer["is_degraded"]) == ([], True)
    page = as_user(anna).get("/search", query_string={"q": text}).text
    assert "The index is being mended." in page
    assert 'class="hit"' not in page


@pytest.mark.parametrize("text", ["kallion", "kallion type:contact", "-type:entry kal"])
def test_without_an_index_contacts_are_found_by_name_and_type(broken, api, text):
    program = api(make_user("Anna Aalto", roles=("sales",)))
    titles = [one["title"] for one in found(program, text)["items"]]
    assert titles == ["Kallion Vesijohto Oy"]
    assert found(program, "kallion", type="interaction")["items"] == []


NARROWS = [
    {},
    {"since": 0, "until": 99},
    {"only_contacts": frozenset({1})},
    {"no_facets": frozenset({"tag:x"})},
]


@pytest.mark.parametrize("narrows", NARROWS)
def test_a_list_without_words_stops_when_the_time_is_over_and_says_so(
    backend, make_doc, search, narrows
):
    docs = [make_doc(f"note/{one}", "word", contact_id=1) for one in range(5)]
    backend.apply([IndexOp.upsert(doc) for doc in docs])
    page = search(backend, "", without_words=True, deadline=1e-9, **narrows)
    assert page.is_partial
    assert not page.total_is_exact
    whole = search(backend, "", without_words=True, deadline=5.0, **narrows)
    assert (whole.total, whole.total_is_exact, whole.is_partial) == (5, True, False)


def test_a_list_without_words_is_newest_first_over_all_segments_and_pages(
    backend, make_doc, search
):
    for part in range(4):
        docs = [
            make_doc(f"note/{one}", "word", updated_at=one * 37 % 40)
            for one in range(part, 40, 4)
        ]
        backend.apply([IndexOp.upsert(doc) for doc in docs])
    backend.apply([IndexOp.delete("note/0")])
    pages = [
        search(backend, "", without_words=True, limit=7, offset=at)
        for at in range(0, 42, 7)
    ]
    dates = [hit.updated_at for page in pages for hit in page.hits]
    assert dates == list(range(39, 0, -1))
    assert {page.total for page in pages} == {39}
    assert search(backend, "", without_words=True, limit=0).total == 39
    assert search(backend, "-word", without_words=True).total == 0


def test_a_page_that_was_cut_short_does_not_speak_of_a_thousand_hits(
    customers, api, as_user, monkeypatch
):
    anna = make_user("Anna Aalto")
    assert found(api(anna), "type:entry")["is_partial"] is False
    monkeypatch.setattr(asking, "DEADLINE", 1e-9)
    assert found(api(anna), "type:entry")["is_partial"] is True
    page = as_user(anna).get("/search?q=type:entry").text
    assert "the search took long, so some hits may be missing" in page
    assert "1000" not in page


def test_a_firm_of_hundreds_is_left_out_or_listed_with_all_its_people(customers, api):
    firm = make_contact("Nokia Oy")
    with db.transaction() as session:
        people = [
            Contact(kind="person", name=f"Person {at}", sort_name=f"person {at}")
            for at in range(700)
        ]
        session.add_all(people)
        session.flush()
        belongs = [
            Affiliation(person_id=one.id, organisation_id=firm.id) for one in people
        ]
        session.add_all(belongs)
    indexing.rebuild()
    program = api(make_user("Anna Aalto"))
    assert found(program, "type:contact customer:nokia")["total"] == 701
    assert found(program, "type:contact -customer:nokia")["total"] == 2


def test_what_means_too_many_contacts_is_words_and_the_page_says_so(
    customers, api, as_user, monkeypatch
):
    monkeypatch.setattr(asking, "MOST_CUSTOMERS", 1)
    anna = make_user("Anna Aalto")
    assert refs(api(anna), "type:entry customer:tapio") == [customers["tapio"].ref]
    # Half of what it means would be neither.
    for text in ("type:entry customer:oy", "type:entry -customer:oy valves"):
        [said] = found(api(anna), text)["too_many"]
        assert said.lstrip("-") == "customer:oy"
        page = as_user(anna).get("/search", query_string={"q": text}).text
        assert "customer:oy means too many contacts to narrow by" in page
        assert '<li class="chip">type:entry' in page
        assert page.count('<li class="chip">') == 1
    aino = as_user(make_user("Aino", language="fi"))
    assert "liian montaa" in aino.get("/search?q=asiakas:oy").text

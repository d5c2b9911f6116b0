"""What every engine promises: what it finds, who sees it, and how it is kept."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from plugins.search.backend import COUNT_CAP, DocumentRefused, IndexOp, WriterBusy


def keys(page):
    return [hit.key for hit in page.hits]


def store(backend, *docs):
    backend.apply([IndexOp.upsert(doc) for doc in docs])


def test_a_hit_carries_what_was_indexed(backend, make_doc, search):
    store(backend, make_doc("note/1", "Hello", contact_id=7, updated_at=99, rev=3))
    (hit,) = search(backend, "hello").hits
    assert (hit.key, hit.type, hit.contact_id, hit.updated_at, hit.rev) == (
        "note/1",
        "note",
        7,
        99,
        3,
    )


def test_an_update_replaces_what_was_there(backend, make_doc, search):
    store(backend, make_doc("note/1", "Old", rev=1))
    store(backend, make_doc("note/1", "New", rev=2))
    assert keys(search(backend, "old")) == []
    assert [hit.rev for hit in search(backend, "new").hits] == [2]
    assert backend.stats().documents == 1


def test_the_last_change_of_a_batch_wins(backend, make_doc, search):
    backend.apply(
        [
            IndexOp.upsert(make_doc("note/1", "first")),
            IndexOp.upsert(make_doc("note/1", "second")),
            IndexOp.upsert(make_doc("note/2", "first")),
            IndexOp.delete("note/2"),
        ]
    )
    assert keys(search(backend, "first")) == []
    assert keys(search(backend, "second")) == ["note/1"]


def test_the_words_of_all_texts_are_named_by_beginning_and_length(backend, make_doc):
    store(
        backend,
        make_doc("note/1", "Pumps", "a pallet of pipes"),
        make_doc("note/2", "Pallets", "o'pal", identifiers=["PAL-7"]),
    )
    assert backend.words("pal", shortest=4, longest=6) == {"pallet"}
    assert backend.words("p", shortest=5, longest=7) == {
        "pumps",
        "pallet",
        "pipes",
        "pallets",
    }
    assert backend.words("x", shortest=1, longest=9) == set()


def test_changes_may_be_repeated(backend, make_doc):
    changes = [IndexOp.upsert(make_doc("note/1", "x")), IndexOp.delete("note/2")]
    backend.apply(changes)
    backend.apply(changes)
    assert list(backend.revisions()) == [("note/1", 1)]


def test_what_is_deleted_is_gone_in_an_engine_that_was_open(
    backend, make_doc, search, reopen
):
    other = reopen()
    store(backend, make_doc("note/1", "secret"), make_doc("note/2", "secret"))
    assert search(other, "secret").total == 2
    for change in (IndexOp.delete("note/1"), IndexOp.upsert(make_doc("note/2", "x"))):
        backend.apply([change])
    assert search(other, "secret").total == 0
    assert keys(search(other, "x")) == ["note/2"]


def test_the_identifier_comes_before_the_title_and_the_title_before_the_body(
    backend, make_doc, search
):
    store(
        backend,
        make_doc("note/body", "Note", "about AB-1234 and more"),
        make_doc("note/title", "About AB-1234", "nothing"),
        make_doc("note/ident", "Pump", "nothing", identifiers=["AB-1234"]),
    )
    assert keys(search(backend, "AB-1234"))[-1] == "note/body"
    store(backend, make_doc("note/title2", "Pumps", "nothing"))
    found = keys(search(backend, "pump"))
    assert found == ["note/ident", "note/title2"]


def test_a_word_in_the_title_counts_more_than_in_the_body(backend, make_doc, search):
    store(
        backend,
        make_doc("note/1", "Meeting", "about the contract with them"),
        make_doc("note/2", "Contract", "about the meeting with them"),
    )
    assert keys(search(backend, "contract")) == ["note/2", "note/1"]


def test_equal_hits_come_newest_first(backend, make_doc, search):
    store(
        backend,
        *(make_doc(f"note/{n}", "same", updated_at=n * 10**6) for n in (2, 3, 1)),
    )
    assert keys(search(backend, "same")) == ["note/3", "note/2", "note/1"]


@pytest.mark.parametrize("query", ["word", "word other", '"word"', ""])
def test_hits_are_sorted_by_date_alone_where_that_is_asked_for(
    backend, make_doc, search, query
):
    store(
        backend,
        make_doc("note/1", "", "word " + "filler " * 50, updated_at=2 * 10**6),
        make_doc("note/2", "word word", updated_at=1 * 10**6),
        make_doc("note/3", "word", updated_at=3 * 10**6),
    )
    # A segment of its own.
    store(backend, make_doc("note/4", "", "a word", updated_at=2 * 10**6 + 1))
    newest = ["note/3", "note/4", "note/1", "note/2"]
    asked = {"without_words": not query}
    assert keys(search(backend, query, order="newest", **asked)) == newest
    assert keys(search(backend, query, order="oldest", **asked)) == newest[::-1]
    page = search(backend, query, order="oldest", limit=2, offset=1, **asked)
    assert keys(page) == newest[::-1][1:3]


def test_sorted_by_date_records_with_some_of_the_words_do_not_push_in(
    backend, make_doc, search
):
    store(
        backend,
        make_doc("note/1", "alpha beta", updated_at=1),
        make_doc("note/2", "alpha", updated_at=2),
    )
    page = search(backend, "alpha beta", order="newest")
    assert (keys(page), page.is_relaxed) == (["note/1"], False)
    page = search(backend, "alpha gamma", order="newest")
    assert (keys(page), page.is_relaxed) == (["note/2", "note/1"], True)


@pytest.mark.parametrize("query", ["word", "word other", '"word"', ""])
def test_all_hits_are_counted_by_type_and_by_team_and_no_hidden_ones(
    backend, make_doc, search, query
):
    given = {"kind": "ticket", "facets": ["team:3", "tag:pump"]}
    store(
        backend,
        *(make_doc(f"note/{n}", "word", facets=["team:3", "team:4"]) for n in range(3)),
        make_doc("note/8", "word", labels=["boss"], facets=["team:5"]),
    )
    store(backend, *(make_doc(f"ticket/{n}", "word", **given) for n in range(2)))
    asked = {"counting": True, "without_words": not query, "limit": 1}
    page = search(backend, query, **asked)
    expected = {"type:note": 3, "type:ticket": 2, "team:3": 5, "team:4": 3}
    assert page.counts == expected
    page = search(backend, query, types=frozenset({"ticket"}), **asked)
    assert page.counts == {"type:ticket": 2, "team:3": 2}
    assert search(backend, query, labels=frozenset({"boss"}), **asked).counts == {
        "type:note": 1,
        "team:5": 1,
    }
    assert search(backend, query, without_words=not query).counts == {}


def test_records_with_all_the_words_come_before_those_with_some(
    backend, make_doc, search
):
    store(
        backend,
        make_doc("note/1", "alpha"),
        make_doc("note/2", "", "alpha " + "filler " * 200 + "beta"),
    )
    page = search(backend, "alpha beta")
    assert keys(page) == ["note/2", "note/1"]
    assert page.is_relaxed
    assert search(backend, "alpha beta", strict=True).total == 1


def test_pages_follow_one_another_without_gap_or_repetition(backend, make_doc, search):
    store(backend, *(make_doc(f"note/{n}", "word", "x " * n) for n in range(25)))
    pages = [search(backend, "word", limit=10, offset=start) for start in (0, 10, 20)]
    assert [len(page.hits) for page in pages] == [10, 10, 5]
    assert len({key for page in pages for key in keys(page)}) == 25
    assert keys(search(backend, "word", limit=10, offset=100)) == []
    assert search(backend, "word", limit=0).total == 25


def test_totals_stop_at_the_cap_and_say_so(backend, make_doc, search):
    build = backend.begin_build()
    build.add(make_doc(f"note/{n}", "word") for n in range(COUNT_CAP + 5))
    build.finish()
    page = search(backend, "word")
    assert (page.total, page.total_is_exact) == (COUNT_CAP, False)
    page = search(backend, "word", only_contacts=frozenset({1}))
    assert (page.total, page.total_is_exact) == (0, True)


def test_a_search_without_words_finds_nothing(backend, make_doc, search):
    store(backend, make_doc("note/1", "word"))
    assert search(backend, "").total == 0
    assert search(backend, "-other").total == 0


def test_when_the_time_is_over_the_answer_says_so(backend, make_doc, search):
    store(backend, make_doc("note/1", "word"))
    page = search(backend, "word", deadline=1e-9)
    assert page.is_partial
    assert not page.total_is_exact
    assert search(backend, "word", deadline=5.0).total == 1


@pytest.fixture
def shared(backend, make_doc):
    """Return an engine with records of several readers, contacts and types."""
    store(
        backend,
        make_doc("note/1", "word", labels=["staff"], contact_id=1),
        make_doc("note/2", "word", labels=["team:3", "user:7"], contact_id=2),
        make_doc("note/3", "word", labels=["portal", "staff"], contact_id=3),
        make_doc("ticket/4", "word", labels=["staff"], kind="ticket"),
        make_doc("note/5", "word", labels=[], contact_id=1),
    )
    return backend


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ({"labels": {"staff"}}, {"note/1", "note/3", "ticket/4"}),
        ({"labels": {"team:3"}}, {"note/2"}),
        ({"labels": {"user:7", "staff"}}, {"note/1", "note/2", "note/3", "ticket/4"}),
        ({"labels": {"portal"}, "contact_ids": {3}}, {"note/3"}),
        ({"labels": {"portal"}, "contact_ids": {1}}, set()),
        ({"labels": set()}, set()),
        ({"labels": {"nobody"}}, set()),
        ({"types": {"note"}}, {"note/1", "note/3"}),
        ({"types": set()}, set()),
        ({"contact_ids": set()}, {"ticket/4"}),
        ({"contact_ids": {1}}, {"note/1", "ticket/4"}),
        ({"contact_ids": {1, 3, *range(100, 400)}}, {"note/1", "note/3", "ticket/4"}),
        ({"only_contacts": {1}}, {"note/1"}),
        ({"only_contacts": {1}, "contact_ids": {3}}, set()),
        ({"only_contacts": {3}, "contact_ids": {3}}, {"note/3"}),
        ({"no_contacts": {1}}, {"note/3", "ticket/4"}),
    ],
)
@pytest.mark.parametrize("query", ["word", "word other", '"word"', "wor"])
def test_only_what_the_reader_may_see_is_found_and_counted(
    shared, search, query, asked, seen
):
    asked = {name: frozenset(value) for name, value in asked.items()}
    page = search(shared, query, typing=query == "wor", **asked)
    assert set(keys(page)) == seen
    assert page.total == len(seen)


def test_a_change_of_label_is_in_force_with_the_commit(shared, make_doc, search):
    store(shared, make_doc("note/1", "word", labels=["team:3"], contact_id=1))
    assert "note/1" not in keys(search(shared, "word"))
    assert "note/1" in keys(search(shared, "word", labels=frozenset({"team:3"})))


def test_hidden_records_do_not_decide_whether_a_search_is_relaxed(
    backend, make_doc, search
):
    store(backend, *(make_doc(f"n/{n}", "a1 b2", labels=["boss"]) for n in range(30)))
    store(backend, make_doc("note/1", "a1"))
    assert keys(search(backend, "a1 b2")) == ["note/1"]


def test_changes_made_during_a_build_are_in_the_new_index(backend, make_doc, search):
    store(backend, make_doc("note/1", "gone"), make_doc("note/2", "stale"))
    build = backend.begin_build()
    build.add([make_doc("note/1", "gone")])
    backend.apply(
        [
            IndexOp.delete("note/1"),
            IndexOp.upsert(make_doc("note/2", "fresh", contact_id=5)),
            IndexOp.upsert(make_doc("note/3", "added")),
        ]
    )
    build.add([make_doc("note/2", "stale"), make_doc("note/2", "stale again")])
    build.finish()
    assert search(backend, "gone").total == 0
    assert search(backend, "stale").total == 0
    assert [hit.contact_id for hit in search(backend, "fresh").hits] == [5]
    assert keys(search(backend, "added")) == ["note/3"]


def test_only_one_build_runs_at_a_time(backend, reopen):
    build = backend.begin_build()
    with pytest.raises(WriterBusy):
        reopen().begin_build()
    build.abort()
    reopen().begin_build().abort()


def test_a_record_that_cannot_be_indexed_is_named_and_nothing_is_changed(
    backend, make_doc, search
):
    with pytest.raises(DocumentRefused) as refused:
        store(backend, make_doc("note/1", "word"), make_doc("note/\ud800", "word"))
    assert refused.value.key == "note/\ud800"
    assert search(backend, "word").total == 0
    store(backend, make_doc("note/1", "word"))
    assert search(backend, "word").total == 1


def test_two_writers_at_once_both_succeed(backend, make_doc, search, reopen):
    def write(number):
        engine = reopen()
        for n in range(5):
            store(engine, make_doc(f"note/{number}-{n}", "word"))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    assert search(backend, "word").total == 15

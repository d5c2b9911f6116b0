"""The PostgreSQL engine: its tables, and what it survives."""

import random
import subprocess
import sys
from time import sleep

import pytest
import sqlalchemy as sa

from plugins.search.analysis import DocumentTokens
from plugins.search.backend import (
    Clause,
    IndexDoc,
    IndexMissing,
    IndexOp,
    QueryPlan,
    SearchRequest,
    WriterBusy,
)
from plugins.search.postgres_backend import PostgresBackend
from plugins.search.postgres_writing import writing
from plugins.search.whoosh_backend import WhooshBackend


@pytest.fixture
def engine_name():
    return "postgresql"


def keys(page):
    return [hit.key for hit in page.hits]


def store(backend, *docs):
    backend.apply([IndexOp.upsert(doc) for doc in docs])


def asked(*groups, **more):
    every = {"labels": frozenset({"staff"}), "types": frozenset({"note"})}
    plan = QueryPlan(groups=groups, match=more.pop("match", "all"))
    return SearchRequest(plan, **(every | more))


def a_clause(dice, words):
    kind = dice.choice(["term", "term", "term", "phrase", "all"])
    if kind == "term":
        field = dice.choice(["surf", "stem", "ident", "edge"])
        return Clause(field, (dice.choice(words),), dice.choice([0.8, 1.0, 3.0]))
    tokens = [dice.choice(words), dice.choice(words)]
    if kind == "phrase" and dice.random() < 0.3:
        tokens.insert(1, "")
    return Clause("surf", tuple(tokens), 1.0, kind)


def a_doc(dice, words, number):
    def some(most):
        return frozenset(dice.sample(words, dice.randint(0, most)))

    tokens = DocumentTokens(
        title=tuple(dice.choices(words, k=dice.randint(0, 3))),
        surf=tuple(dice.choices([*words, ""], k=dice.randint(0, 30))),
        stem=some(5),
        ident=some(2),
        edge=some(4),
    )
    labels = ("staff",) if dice.random() < 0.8 else ("boss",)
    contact = dice.choice([None, 1, 2, 3])
    return IndexDoc(f"note/{number}", "note", labels, contact, number // 3, 1, tokens)


def test_both_engines_give_the_same_hits_scores_and_totals(backend, analyser, tmp_path):
    # Not for secrets: the same in every run.
    dice = random.Random(7)
    words = [f"w{n}" for n in range(30)] + ["it's", "a.b", "a\\b", "客户", "(x"]
    docs = [a_doc(dice, words, number) for number in range(300)]
    whoosh = WhooshBackend(tmp_path / "w", analysis_version=analyser.version)
    for engine in (whoosh, backend):
        build = engine.begin_build()
        build.add(docs)
        build.finish()
    for _ in range(200):
        groups = [
            tuple(a_clause(dice, words) for _ in range(dice.randint(1, 4)))
            for _ in range(dice.randint(1, 3))
        ]
        request = asked(
            *groups,
            match=dice.choice(["all", "any"]),
            contact_ids=dice.choice([None, frozenset({1, 2})]),
            no_contacts=dice.choice([frozenset(), frozenset({1})]),
            order=dice.choice(["best", "newest", "oldest"]),
            counting=True,
            limit=400,
        )
        one, other = whoosh.search(request), backend.search(request)
        assert (one.total, dict(one.counts)) == (other.total, dict(other.counts))
        expected = {hit.key: pytest.approx(hit.score, abs=2e-4) for hit in one.hits}
        assert {hit.key: hit.score for hit in other.hits} == expected
        dates = [hit.updated_at for hit in one.hits]
        if request.order != "best":
            assert [hit.updated_at for hit in other.hits] == dates


def test_a_document_longer_than_any_vector_is_found_by_all_its_words(
    backend, make_doc, search
):
    many = [f"code{number}x" for number in range(150_000)]
    tokens = DocumentTokens(surf=("often",) * 20_000 + tuple(many))
    long = IndexDoc("note/1", "note", ("staff",), None, 0, 1, tokens)
    store(backend, long, make_doc("note/2", "often code149999x"))
    for word in ("code0x", "code77777x", "code149998x"):
        assert backend.search(asked((Clause("surf", (word,)),))).total == 1
    both = (Clause("surf", ("often",)),), (Clause("surf", ("code149999x",)),)
    assert set(keys(backend.search(asked(*both)))) == {"note/1", "note/2"}
    phrase = Clause("surf", ("code149998x", "code149999x"), 1.0, "phrase")
    assert keys(backend.search(asked((phrase,)))) == ["note/1"]
    together = Clause("surf", ("often", "code149999x"), 1.0, "all")
    assert backend.search(asked((together,))).total == 2


def test_among_more_than_are_ranked_a_title_and_all_the_words_come_first(
    backend, make_doc, search
):
    build = backend.begin_build()
    build.add(
        make_doc(f"note/{n}", "Note", "kallio came", updated_at=n)
        for n in range(10, 2_200)
    )
    build.add([make_doc("note/1", "Kallio", updated_at=1)])
    build.add([make_doc("note/2", "", "kallio brought xylophones", updated_at=2)])
    build.finish()
    assert keys(search(backend, "kallio"))[0] == "note/1"
    assert keys(search(backend, "kallio xylophones"))[0] == "note/2"
    page = search(backend, "kallio", counting=True)
    assert (page.total, page.total_is_exact) == (1000, False)
    assert page.counts == {"type:note": 2_192}


@pytest.mark.parametrize(("order", "first"), [("newest", 3_999), ("oldest", 0)])
def test_of_a_word_in_thousands_the_first_by_date_are_the_first_for_this_reader(
    backend, make_doc, search, order, first
):
    """The newest are looked at alone: of what is hidden, too many may be among them."""
    build = backend.begin_build()
    build.add(
        make_doc(
            f"note/{n}",
            "same",
            updated_at=n * 10**6,
            labels=["staff"] if n % 2 else ["team:1"],
        )
        for n in range(4_000)
    )
    build.finish()
    page = search(backend, "same", order=order, labels=frozenset({"staff", "team:1"}))
    assert page.hits[0].key == f"note/{first}"
    assert (page.total, page.total_is_exact) == (1_000, False)
    # For who sees half of them, the newest records hold fewer than are ranked.
    half = search(backend, "same", order=order)
    step = -2 if order == "newest" else 2
    wanted = range(first | 1, (first | 1) + 20 * step, step)
    assert [hit.key for hit in half.hits] == [f"note/{n}" for n in wanted]
    assert (half.total, half.total_is_exact) == (1_000, False)


def test_a_search_that_the_database_cannot_answer_in_time_says_so_and_the_next_finds(
    backend, reopen, make_doc, search
):
    store(backend, make_doc("note/1", "word"))
    other = reopen()._engine
    table = sa.text("LOCK TABLE rapport_search.record_1 IN ACCESS EXCLUSIVE MODE")
    with other.begin() as connection:
        connection.execute(table)
        page = search(backend, "word", deadline=0.2)
        assert (page.hits, page.is_partial) == ((), True)
        assert not page.total_is_exact
    assert keys(search(backend, "word", deadline=5.0)) == ["note/1"]


def test_a_writer_that_waits_in_vain_says_so(backend, reopen, make_doc):
    hasty = reopen()
    hasty._patience = 0.2
    with backend._engine.connect() as connection, writing(connection, 1.0):
        with pytest.raises(WriterBusy):
            store(hasty, make_doc("note/1", "word"))
        assert backend.verify() == []


BUILDER = """
import sys, time
from core.db import make_engine
from plugins.search.postgres_backend import PostgresBackend
engine = make_engine(sys.argv[1])
build = PostgresBackend(engine, analysis_version="x").begin_build()
print("ready", flush=True)
time.sleep(60)
"""


def test_a_killed_build_leaves_the_old_index_and_is_cleared_away(
    backend, make_doc, search
):
    store(backend, make_doc("note/1", "before"))
    url = backend._engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", BUILDER, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdout is not None
        builder.stdout.readline()
        with pytest.raises(WriterBusy):
            backend.begin_build()
        store(backend, make_doc("note/2", "during"))
        builder.kill()
    assert search(backend, "before").total == search(backend, "during").total == 1
    # The server needs a moment to notice.
    for _ in range(100):
        try:
            backend.begin_build().abort()
            break
        except WriterBusy:
            sleep(0.05)
    store(backend, make_doc("note/3", "after"))
    names = sa.inspect(backend._engine).get_table_names("rapport_search")
    assert len(names) == 4
    assert search(backend, "after").total == 1


def test_what_was_deleted_leaves_no_word_behind(backend, make_doc, search):
    store(backend, make_doc("note/1", "xylophone"))
    backend.apply([IndexOp.delete("note/1")])
    backend.optimise()
    table = backend.stats().name.replace("record", "token")
    with backend._engine.connect() as connection:
        left = sa.select(sa.func.count()).select_from(
            sa.table(table, schema="rapport_search")
        )
        assert connection.scalar(left) == 0


def test_the_index_says_why_it_has_to_be_built(backend, reopen, analyser):
    assert backend.needs_build() is None
    other = PostgresBackend(backend._engine, analysis_version="2")
    assert other.needs_build() == "analysis"
    name = backend.stats().name
    with backend._engine.begin() as connection:
        connection.execute(sa.text(f"DROP TABLE rapport_search.{name}"))
    assert backend.needs_build() == "broken"
    assert [one.file for one in backend.verify()] == [name]
    with backend._engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM rapport_search.index_version"))
    assert backend.needs_build() == "missing"
    with pytest.raises(IndexMissing):
        backend.apply([IndexOp.delete("note/1")])

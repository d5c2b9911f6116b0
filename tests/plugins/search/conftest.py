"""What the tests of search share: an analyser, and an engine in a folder of its own."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.db import make_engine
from plugins.search.analysis import Analyser
from plugins.search.backend import IndexDoc, SearchBackend, SearchPage, SearchRequest
from plugins.search.planning import find, plan_query
from plugins.search.postgres_backend import PostgresBackend
from plugins.search.whoosh_backend import WhooshBackend

Find = Callable[..., SearchPage]
MakeDoc = Callable[..., IndexDoc]


@pytest.fixture(scope="session")
def analyser() -> Analyser:
    """Return an analyser of the default languages."""
    return Analyser()


@pytest.fixture(scope="session")
def make_doc(analyser: Analyser) -> MakeDoc:
    """Return a maker of records; only the key has to be given."""

    def make(
        key: str,
        title: str = "",
        body: str = "",
        *,
        identifiers: Iterable[str] = (),
        labels: Iterable[str] = ("staff",),
        contact_id: int | None = None,
        kind: str = "note",
        updated_at: int = 0,
        rev: int = 1,
        facets: Iterable[str] = (),
    ) -> IndexDoc:
        tokens = analyser.document(title=title, identifiers=identifiers, body=body)
        return IndexDoc(
            key=key,
            type=kind,
            visibility=tuple(labels),
            contact_id=contact_id,
            updated_at=updated_at,
            rev=rev,
            tokens=tokens,
            facets=tuple(facets),
        )

    return make


@pytest.fixture(scope="session")
def search(analyser: Analyser) -> Find:
    """Return a search as staff; `strict` wants all the words in every hit."""

    def run(
        backend: SearchBackend,
        text: str,
        *,
        typing: bool = False,
        strict: bool = False,
        **asked: Any,
    ) -> SearchPage:
        wanted = {
            "labels": frozenset({"staff"}),
            "types": frozenset({"note", "ticket"}),
        } | asked
        plan = plan_query(text, analyser, typing=typing)
        request = SearchRequest(plan, **wanted)
        return backend.search(request) if strict else find(backend, request)

    return run


@pytest.fixture(params=["whoosh", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Return the engine this test runs on; every test runs on both."""
    return str(request.param)


@pytest.fixture
def reopen(
    engine_name: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    analyser: Analyser,
) -> Iterator[Callable[[], SearchBackend]]:
    """Return a maker of engines over one index, as other processes have one."""
    with opened(engine_name, request, tmp_path / "search", analyser) as make:
        yield make


@contextmanager
def opened(
    engine_name: str, request: pytest.FixtureRequest, folder: Path, analyser: Analyser
) -> Iterator[Callable[[], SearchBackend]]:
    """Lend a maker of engines over one index, in `folder` or a database of its own."""
    version = analyser.version
    if engine_name == "whoosh":
        yield lambda: WhooshBackend(folder, analysis_version=version)
        return
    with ExitStack() as stack:
        running = request.getfixturevalue("postgres")
        url = stack.enter_context(running.database())

        def make() -> SearchBackend:
            engine = make_engine(url)
            stack.callback(engine.dispose)
            return PostgresBackend(engine, analysis_version=version)

        yield make


@pytest.fixture
def backend(reopen: Callable[[], SearchBackend]) -> SearchBackend:
    """Return an engine over an empty index."""
    engine = reopen()
    engine.begin_build().finish()
    return engine

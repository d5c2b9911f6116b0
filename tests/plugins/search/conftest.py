"""What the tests of search share: an analyser, and an engine in a folder of its own."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from plugins.search.analysis import Analyser
from plugins.search.backend import IndexDoc, SearchPage, SearchRequest
from plugins.search.planning import find, plan_query
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
        backend: WhooshBackend,
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


@pytest.fixture
def backend(tmp_path: Path, analyser: Analyser) -> WhooshBackend:
    """Return an engine over an empty index."""
    engine = WhooshBackend(tmp_path / "search", analysis_version=analyser.version)
    engine.begin_build().finish()
    return engine

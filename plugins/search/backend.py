"""What every search engine offers to the rest of the plugin, and the types it takes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, Self

from plugins.search.analysis import DocumentTokens

#: Hits are counted up to here; a larger total is said to be inexact.
COUNT_CAP = 1000

FieldName = Literal["surf", "stem", "ident", "edge"]
Kind = Literal["term", "phrase", "all"]
Order = Literal["best", "newest", "oldest"]
#: What facets are counted by, besides the type.
COUNTED = "team:"


class IndexBroken(Exception):
    """The index cannot answer: search the database instead, and rebuild it."""


class IndexMissing(IndexBroken):
    """There is no index yet."""


class WriterBusy(Exception):
    """Another process kept writing the index for longer than this one could wait."""


class DocumentRefused(Exception):
    """One record of a batch cannot be indexed; nothing of the batch was."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The record {key!r} cannot be indexed")
        self.key = key


@dataclass(frozen=True, slots=True)
class IndexDoc:
    """A record as the index holds it; the text itself stays in the database.

    `visibility` are the labels of which a reader needs one; `contact_id` is None for a
    record without a contact; `updated_at` counts microseconds since 1970; `facets` are
    what colleagues narrow by, such as `tag:prices`.
    """

    key: str
    type: str
    visibility: tuple[str, ...]
    contact_id: int | None
    updated_at: int
    rev: int
    tokens: DocumentTokens
    facets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexOp:
    """One change: `doc` replaces what is stored under `key`; None deletes it."""

    key: str
    doc: IndexDoc | None

    @classmethod
    def upsert(cls, doc: IndexDoc) -> Self:
        """Store a record, whatever was stored under its key."""
        return cls(doc.key, doc)

    @classmethod
    def delete(cls, key: str) -> Self:
        """Forget a record, whether or not it is there."""
        return cls(key, None)


@dataclass(frozen=True, slots=True)
class Clause:
    """One way to match: a token, a phrase (gaps are "") or several tokens together."""

    field: FieldName
    tokens: tuple[str, ...]
    boost: float = 1.0
    kind: Kind = "term"


#: A group matches when one of its clauses does; the best clause gives the score.
Group = tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """What to look for: all groups (`match="all"`) or some, and none of `excluded`.

    `words` and `beginnings` are the folded tokens that snippets mark.
    """

    groups: tuple[Group, ...] = ()
    excluded: tuple[Group, ...] = ()
    match: Literal["all", "any"] = "all"
    words: frozenset[str] = frozenset()
    beginnings: frozenset[str] = frozenset()

    def relaxed(self) -> Self:
        """Return the plan that is content with some of the groups."""
        return replace(self, match="any")


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A plan, and what the reader may see: nothing else is found or counted.

    A hit has one of `labels`, a type of `types`, and a contact in `contact_ids` or no
    contact (None: every contact).

    It is narrowed to the records of `only_contacts` and of none of `no_contacts`, to
    those with one facet of each of `facets` and none of `no_facets`, and to those
    dated from `since` until before `until`, in microseconds since 1970.
    `without_words` lists all of these when the plan looks for nothing.
    `order` is best first, or by date alone, the best first of one moment. With
    `counting` the page says how many of all hits have each type and each team.
    `deadline` is in seconds; what was found until then is the answer.
    """

    plan: QueryPlan
    labels: frozenset[str]
    types: frozenset[str]
    contact_ids: frozenset[int] | None = None
    only_contacts: frozenset[int] | None = None
    no_contacts: frozenset[int] = frozenset()
    facets: tuple[frozenset[str], ...] = ()
    no_facets: frozenset[str] = frozenset()
    since: int | None = None
    until: int | None = None
    without_words: bool = False
    order: Order = "best"
    counting: bool = False
    limit: int = 20
    offset: int = 0
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that matches, as it was when it was indexed."""

    key: str
    type: str
    contact_id: int | None
    updated_at: int
    rev: int
    score: float


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Hits in their order; `total` counts what the reader may see, up to COUNT_CAP.

    `is_relaxed`: not every hit has all the words. `is_partial`: the time was over.
    `counts` are the hits of each `type:…` and `team:…` where they were asked for: of
    all hits when the total is exact, else of so many at least as it says.
    """

    hits: tuple[Hit, ...] = ()
    total: int = 0
    total_is_exact: bool = True
    is_relaxed: bool = False
    is_partial: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault that `verify` found, in words for the administrator."""

    file: str
    message: str


@dataclass(frozen=True, slots=True)
class IndexStats:
    """The state of the index for the health page; sizes in bytes."""

    name: str
    documents: int
    segments: int
    generation: int
    size: int
    schema_version: str
    analysis_version: str
    counts: dict[str, int] = field(default_factory=dict)


class Build(Protocol):
    """A new index being filled while the old one still answers and is kept current."""

    def add(self, docs: Iterable[IndexDoc]) -> None:
        """Add records; each key at most once during the build."""
        ...

    def finish(self) -> IndexStats:
        """Catch up with the changes made meanwhile and switch over in one step."""
        ...

    def abort(self) -> None:
        """Give up and remove what was built."""
        ...


class SearchBackend(Protocol):
    """A search engine. Any process may search; only the worker writes.

    Every method raises IndexBroken when the index cannot be read.
    """

    name: str
    caps: frozenset[str]

    def search(self, request: SearchRequest) -> SearchPage:
        """Return one page of what the reader may see of the matches."""
        ...

    def words(self, beginning: str, *, shortest: int, longest: int) -> set[str]:
        """Return the words of all texts that begin so, whoever may read them.

        Of so many letters at least and at most. Nobody is shown one before a record
        that they may see was found by it.
        """
        ...

    def apply(self, ops: Sequence[IndexOp]) -> None:
        """Make the changes in one commit, durable on return; repeating is harmless.

        Raises WriterBusy when another process does not finish writing, and
        DocumentRefused for the record that has to be left out of the batch.
        """
        ...

    def begin_build(self) -> Build:
        """Start a new index beside the present one; raises WriterBusy if one runs."""
        ...

    def needs_build(self) -> str | None:
        """Return why the index has to be built anew, or None."""
        ...

    def verify(self, *, quick: bool = True) -> list[Problem]:
        """Compare the files with what was written; quick does not read them all."""
        ...

    def revisions(self) -> Iterator[tuple[str, int]]:
        """Yield key and revision of every record, to be compared with the database."""
        ...

    def stats(self) -> IndexStats:
        """Return size, version and counts."""
        ...

    def optimise(self) -> None:
        """Drop what was deleted and join what was written piecemeal; for the night."""
        ...

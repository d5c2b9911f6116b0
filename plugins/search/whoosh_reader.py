"""Reads a Whoosh index: the segments of one commit, opened once and kept."""

import re
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from plugins.search.backend import COUNTED, Hit, SearchRequest
from plugins.search.whoosh_codec import BlockMatcher, RawColumn, SharedSegment
from plugins.search.whoosh_library import TOC, TermNotFound
from plugins.search.whoosh_schema import NO_CONTACT, make_schema
from plugins.search.whoosh_storage import DurableStorage

INDEX_NAME = "MAIN"
#: With more contacts than this, the contact of every document is looked at instead.
_FEW_CONTACTS = 200
# Masks of a large segment weigh as many bytes as it has documents.
_MASKS_KEPT = 64
_COUNTS_KEPT = 4096
# Each holds on to a set of contacts, which may be large.
_CONTACT_MASKS_KEPT = 6
# A page asks for the same dates again to count the hits of each type.
_DATE_MASKS_KEPT = 4
_TOC_NAME = re.compile(rf"_{INDEX_NAME}_(\d+)\.toc")
_RAW = RawColumn()

_Dates = tuple[int | None, int | None]

K = TypeVar("K")
V = TypeVar("V")


class Kept(dict[K, V]):
    """A small cache; that of functools would hold on to its owner in a circle."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        """Keep a value; when there are too many, all others are forgotten."""
        if len(self) >= self._most:
            self.clear()
        super().__setitem__(key, value)


class SegmentReader:
    """One segment, which never changes but for its deletions (see `Leaf`).

    Masks have one byte for each document, 1 for those meant, and are kept as whole
    numbers, which Python joins and intersects at the speed of memory.
    """

    def __init__(self, storage: DurableStorage, segment: SharedSegment) -> None:
        files = segment.open_compound_file(storage) if segment.compound else storage
        codec = segment.codec()
        self.size: int = segment.doc_count_all()
        self._terms = codec.terms_reader(files, segment)
        self._documents = codec.per_document_reader(files, segment)
        self._formats = {name: field.format for name, field in make_schema().items()}
        self._counts: Kept[tuple[str, str], int] = Kept(_COUNTS_KEPT)
        self._masks: Kept[tuple[str, str], int] = Kept(_MASKS_KEPT)
        self._contact_masks: Kept[frozenset[int], int] = Kept(_CONTACT_MASKS_KEPT)
        self._date_masks: Kept[_Dates, int] = Kept(_DATE_MASKS_KEPT)

    def count(self, field: str, token: str) -> int:
        """Return how many documents have the token, deleted ones among them."""
        found = self._counts.get((field, token))
        if found is None:
            found = self._counts[field, token] = self._look_up(field, token)
        return found

    def postings(self, field: str, token: str) -> BlockMatcher | None:
        """Return where a token occurs, or None when it does not."""
        if not self.count(field, token):
            return None
        found: BlockMatcher = self._terms.matcher(
            field, token.encode(), self._formats[field]
        )
        return found

    @cached_property
    def lengths(self) -> bytes:
        """Return the length of each document's text, in Whoosh's one-byte code."""
        found = self._column("_surf_len")
        return found + bytes(self.size - len(found))

    @property
    def text_length(self) -> int:
        """Return how many words all the texts have together."""
        return int(self._documents.field_length("surf"))

    @cached_property
    def contact_numbers(self) -> "array[int]":
        """Return the contact of each document, 0 for none."""
        return self._numbers("contact_no")

    @cached_property
    def updated(self) -> "array[int]":
        """Return when each document was changed, in microseconds since 1970."""
        return self._numbers("updated")

    def visible(self, request: SearchRequest) -> int:
        """Return the mask of what the reader of this request may see and asked for."""
        mask = self._any_of("vis", request.labels) & self._any_of("type", request.types)
        for facets in request.facets:
            mask &= self._any_of("facet", facets)
        if mask and request.contact_ids is not None:
            # Who may see some contacts also sees what belongs to none.
            own = self._contacts_mask(request.contact_ids)
            mask &= own | self.mask("contact", NO_CONTACT)
        return self._narrowed(mask, request) if mask else mask

    def _narrowed(self, mask: int, request: SearchRequest) -> int:
        mask &= ~self._any_of("facet", request.no_facets)
        if request.only_contacts is not None:
            mask &= self._contacts_mask(request.only_contacts)
        if request.no_contacts:
            mask &= ~self._contacts_mask(request.no_contacts)
        if mask and (request.since is not None or request.until is not None):
            mask &= self._dated(request.since, request.until)
        return mask

    def _dated(self, since: int | None, until: int | None) -> int:
        found = self._date_masks.get((since, until))
        if found is None:
            first = since if since is not None else min(self.updated)
            after = until if until is not None else max(self.updated) + 1
            marked = bytes(first <= one < after for one in self.updated)
            found = self._date_masks[since, until] = int.from_bytes(marked, "little")
        return found

    def mask(self, field: str, token: str) -> int:
        """Return the mask of the documents with a token, for tokens of many."""
        found = self._masks.get((field, token))
        if found is None:
            found = self._masks[field, token] = self._make_mask(field, token)
        return found

    def stored(self, document: int) -> dict[str, Any]:
        """Return what is kept of a document besides its tokens."""
        found: dict[str, Any] = self._documents.stored_fields(document)
        return found

    def hit(self, document: int, score: float) -> Hit:
        """Return a document as a hit."""
        kept = self.stored(document)
        contact = kept["contact"]
        return Hit(
            key=kept["key"],
            type=kept["type"],
            contact_id=None if contact == NO_CONTACT else int(contact),
            updated_at=self.updated[document],
            rev=kept["rev"],
            score=score,
        )

    def tokens(self, field: str, beginning: str = "") -> Iterable[str]:
        """Yield every token of a field that begins so, in order."""
        for name, token in self._terms.terms_from(field, beginning.encode()):
            if name != field or not token.startswith(beginning.encode()):
                return
            yield token.decode()

    def counts(self, among: int) -> dict[str, int]:
        """Return how many documents of a mask have each type, and each team."""
        tokens = [(f"type:{one}", "type", one) for one in self.tokens("type")]
        tokens += [(one, "facet", one) for one in self.tokens("facet", COUNTED)]
        return {
            name: number
            for name, field, token in tokens
            if (number := (among & self.mask(field, token)).bit_count())
        }

    def _look_up(self, field: str, token: str) -> int:
        try:
            return int(self._terms.term_info(field, token.encode()).doc_frequency())
        except TermNotFound:
            return 0

    def _any_of(self, field: str, tokens: Iterable[str]) -> int:
        mask = 0
        for token in tokens:
            mask |= self.mask(field, token)
        return mask

    def _make_mask(self, field: str, token: str) -> int:
        marked = bytearray(self.size)
        matcher = self.postings(field, token)
        if matcher is not None:
            for documents, _ in matcher.blocks():
                for document in documents:
                    marked[document] = 1
        return int.from_bytes(marked, "little")

    def _contacts_mask(self, contact_ids: frozenset[int]) -> int:
        found = self._contact_masks.get(contact_ids)
        if found is None:
            found = self._make_contacts_mask(contact_ids)
            self._contact_masks[contact_ids] = found
        return found

    def _make_contacts_mask(self, contact_ids: frozenset[int]) -> int:
        if len(contact_ids) > _FEW_CONTACTS:
            marked = bytes(number in contact_ids for number in self.contact_numbers)
            return int.from_bytes(marked, "little")
        mask = 0
        for contact_id in contact_ids:
            mask |= self._make_mask("contact", str(contact_id))
        return mask

    def _column(self, name: str) -> bytes:
        if not self._documents.has_column(name):
            return b""
        raw: bytes = self._documents.column_reader(name, _RAW)
        return raw

    def _numbers(self, name: str) -> "array[int]":
        numbers = array("q", self._column(name))
        if sys.byteorder == "little":
            numbers.byteswap()
        numbers.extend([0] * (self.size - len(numbers)))
        return numbers


@dataclass(frozen=True, slots=True)
class Leaf:
    """A segment as one commit sees it: without what is deleted since."""

    reader: SegmentReader
    live: int
    documents: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One commit of an index. Searches that hold it are not disturbed by the next.

    Files that no snapshot needs any more are closed as soon as the last search that
    holds one ends, by Python's counting of references.
    """

    generation: int
    leaves: dict[str, Leaf]

    @property
    def documents(self) -> int:
        """Return how many documents there are."""
        return sum(leaf.documents for leaf in self.leaves.values())

    @property
    def size(self) -> int:
        """Return how many documents there are, deleted ones among them."""
        return sum(leaf.reader.size for leaf in self.leaves.values())

    def counts(self, field: str) -> dict[str, int]:
        """Return how many documents have each token of a field of few tokens."""
        found: dict[str, int] = {}
        for leaf in self.leaves.values():
            for token in leaf.reader.tokens(field):
                documents = (leaf.live & leaf.reader.mask(field, token)).bit_count()
                found[token] = found.get(token, 0) + documents
        return {token: documents for token, documents in found.items() if documents}


def latest_generation(storage: DurableStorage) -> int:
    """Return the number of the newest commit, -1 when there is none."""
    names = (_TOC_NAME.fullmatch(name) for name in storage.list())
    return max((int(name[1]) for name in names if name), default=-1)


def open_snapshot(
    storage: DurableStorage, generation: int, before: Snapshot | None = None
) -> Snapshot:
    """Open a commit; segments that it shares with the one before are not reopened.

    Raises FileNotFoundError when a writer has just replaced it.
    """
    contents = TOC.read(storage, INDEX_NAME, gen=generation, schema=make_schema())
    leaves: dict[str, Leaf] = {}
    for segment in contents.segments:
        name = segment.segment_id()
        if before is not None and name in before.leaves:
            reader = before.leaves[name].reader
        else:
            reader = SegmentReader(storage, segment)
        marked = bytearray(b"\1") * reader.size
        for document in segment.deleted_docs():
            marked[document] = 0
        live = int.from_bytes(marked, "little")
        leaves[name] = Leaf(reader, live, segment.doc_count())
    return Snapshot(generation, leaves)

"""The postings of Whoosh, unpacked no further than a search needs them.

The format is that of Whoosh 3 but for the inside of a block, where numbers are packed
instead of pickled and the positions are a part of their own. The classes are named in
the index: moving one is a change of SCHEMA_VERSION.
"""

import marshal
import os
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, repeat
from operator import sub
from typing import Any

from plugins.search.whoosh_library import (
    Column,
    FileStorage,
    StructFile,
    W3Codec,
    W3LeafMatcher,
    W3PerDocReader,
    W3PostingsWriter,
    W3Segment,
)
from plugins.search.whoosh_storage import SegmentStorage


class SharedSegment(W3Segment):  # type: ignore[misc]
    """A segment that is opened without copying it."""

    def open_compound_file(self, storage: FileStorage) -> SegmentStorage:
        """Return the files of the segment."""
        name = self.make_filename(self.COMPOUND_EXT)
        return SegmentStorage(os.path.join(storage.folder, name))


class CompactWriter(W3PostingsWriter):  # type: ignore[misc]
    """Writes blocks of postings that are unpacked only as far as they are needed."""

    def _mini_ids(self) -> bytes:
        """Return the distances between document numbers, four bytes each."""
        return _packed(self._ids)

    def _mini_values(self) -> bytes:
        """Return the positions as one object, which only a phrase has to open."""
        return marshal.dumps(tuple(self._values))


class BlockMatcher(W3LeafMatcher):  # type: ignore[misc]
    """The postings of a term, also readable by the block, four times as fast."""

    def _read_ids(self) -> None:
        if self._data is None:
            self._read_data()
        self._ids = _unpacked(self._data[0])

    def _read_values(self) -> None:
        if self._data is None:
            self._read_data()
        if self._fixedsize == 0:
            self._values = (b"",) * self._blocklength
        else:
            self._values = marshal.loads(self._data[2])  # noqa: S302

    def blocks(self) -> Iterator[tuple[tuple[int, ...], Iterable[float]]]:
        """Yield document numbers and weights of each block, from the present one."""
        while not self._atend:
            if self._ids is None:
                self._read_ids()
            weights = self._data[1]
            if weights is None:
                weights = repeat(1.0)
            elif isinstance(weights, float):
                weights = repeat(weights)
            yield self._ids, weights
            self._next_block()

    def find(self, documents: Iterable[int]) -> Iterator[tuple[int, float]]:
        """Yield those of the documents, given in order, that have the term.

        Blocks without any of them stay packed.
        """
        for document in documents:
            if self._atend:
                return
            if self._maxid < document:
                self._skip_to_block(lambda least=document: self._maxid < least)
                if self._atend:
                    return
            if self._ids is None:
                self._read_ids()
            place = bisect_left(self._ids, document)
            if self._ids[place] == document:
                self._i = place
                yield document, self.weight()

    def marked(self, mask: bytes) -> Iterator[tuple[int, float]]:
        """Yield document and weight of each posting whose document is marked."""
        while not self._atend:
            if self._ids is None:
                self._read_ids()
            for place, document in enumerate(self._ids):
                if mask[document]:
                    self._i = place
                    yield document, self.weight()
            self._next_block()

    def positions(self) -> list[int]:
        """Return the places of the word in the document found last."""
        places: list[int] = self.value_as("positions")
        return places


class DocumentReader(W3PerDocReader):  # type: ignore[misc]
    """Reads columns, and remembers which of them a segment does not have.

    Whoosh asks the file system for the length of every posting of a field without one.
    """

    def __init__(self, storage: FileStorage, segment: SharedSegment) -> None:
        super().__init__(storage, segment)
        self._has_column: dict[str, bool] = {}

    def has_column(self, fieldname: str) -> bool:
        """Tell whether the segment has a column of this name."""
        if fieldname not in self._has_column:
            self._has_column[fieldname] = bool(super().has_column(fieldname))
        return self._has_column[fieldname]


class CompactCodec(W3Codec):  # type: ignore[misc]
    """The format of Whoosh 3, written as ever and read through the classes above."""

    def new_segment(self, storage: FileStorage, indexname: str) -> SharedSegment:
        """Return the record of a segment to be written."""
        return SharedSegment(self, indexname)

    def per_document_reader(
        self, storage: FileStorage, segment: SharedSegment
    ) -> DocumentReader:
        """Return what reads the columns of a segment."""
        return DocumentReader(storage, segment)

    def postings_writer(
        self, dbfile: StructFile, byteids: bool = False
    ) -> CompactWriter:
        """Return what writes the postings of one term after the other."""
        return CompactWriter(
            dbfile, self._blocklimit, byteids, self._compression, self._inlinelimit
        )

    def postings_reader(  # noqa: D102  (as in the parent)
        self,
        dbfile: StructFile,
        terminfo: Any,
        format_: Any,
        term: tuple[str, bytes] | None = None,
        scorer: Any = None,
    ) -> BlockMatcher:
        offset, length = terminfo.extent()
        return BlockMatcher(dbfile, offset, length, format_, term=term, scorer=scorer)


def _packed(numbers: "array[int]") -> bytes:
    """Return the distances between rising numbers as bytes, low byte first."""
    distances = array("I", map(sub, numbers, chain((0,), numbers)))
    if sys.byteorder == "big":
        distances.byteswap()
    return distances.tobytes()


def _unpacked(packed: bytes) -> tuple[int, ...]:
    """Return the numbers whose distances were packed."""
    distances = array("I", packed)
    if sys.byteorder == "big":
        distances.byteswap()
    return tuple(accumulate(distances))


class RawColumn(Column):  # type: ignore[misc]
    """Reads a column of fixed-size numbers as the bytes that are on disk."""

    def reader(
        self, dbfile: StructFile, basepos: int, length: int, doccount: int
    ) -> bytes:
        """Return the bytes; documents at the end without a value have none."""
        return bytes(dbfile.get(basepos, length))

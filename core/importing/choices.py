"""What somebody chose for an import beside its mapping, row by row or for all."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.importing.reading import TableRow

# What becomes of a row that means a record which is here already.
UPDATE, SKIP, NEW = "update", "skip", "new"
KNOWN_ROWS = (UPDATE, SKIP, NEW)


@dataclass(frozen=True)
class Choices:
    """`same` for all rows that meet a record, `rows` for single lines of the file.

    `cells` are mended ones, by line and heading.
    """

    same: str = UPDATE
    rows: Mapping[int, str] = field(default_factory=dict)
    cells: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def of(self, line: int) -> str:
        """Say what becomes of the row of a line if it meets a record."""
        return self.rows.get(line, self.same)

    def mended(self, rows: Iterable[TableRow]) -> Iterator[TableRow]:
        """Give the rows of a file with the cells that were mended."""
        for row in rows:
            cells = self.cells.get(row.line)
            # A row that does not fit its headings has no cells to speak of.
            if cells and not row.problem:
                yield replace(row, cells={**row.cells, **cells})
            else:
                yield row

    def written(self) -> dict[str, Any]:
        """Write them as the database keeps them."""
        return {
            "same": self.same,
            "rows": {str(line): one for line, one in self.rows.items()},
            "cells": {str(line): dict(one) for line, one in self.cells.items()},
        }


def read_choices(written: Mapping[str, Any]) -> Choices:
    """Read choices as the database keeps them."""
    return Choices(
        written.get("same", UPDATE),
        {int(line): one for line, one in written.get("rows", {}).items()},
        {int(line): one for line, one in written.get("cells", {}).items()},
    )

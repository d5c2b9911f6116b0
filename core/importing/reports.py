"""What is said of an import: its counts, the rows refused, and some to look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.importing.reading import Cells

# Refused rows that a report carries itself; the database has all of them.
SHOWN = 200
# Rows of each outcome that a trial shows.
SAMPLES = 50


@dataclass(frozen=True)
class Refusal:
    """A row that did not come in: its line in the file, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class Sample:
    """A row of a trial, to look at: its fields, and which record it meets.

    `changes` are (field, before, after) in words, `cells` the row itself where it was
    refused.
    """

    line: int
    fields: Mapping[str, str]
    ref: str = ""
    reason: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()
    cells: Cells = field(default_factory=dict)


@dataclass
class Report:
    """How an import went; `refusals` are the first ones, `refused` counts all.

    `same` rows were there already, `left_out` ones the mapping skips; `unused` are
    the columns it does not ask for. A trial has no `run_id`, but `samples` by outcome:
    created, updated, same, refused.
    """

    kind: str
    file_name: str
    trial: bool
    run_id: int | None = None
    created: int = 0
    updated: int = 0
    same: int = 0
    left_out: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    unused: tuple[str, ...] = ()
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return self.created + self.updated + self.same + self.left_out + self.refused

    def show(self, outcome: str, sample: Sample) -> None:
        """Keep a row of a trial to look at, if there is room."""
        some = self.samples.setdefault(outcome, [])
        if len(some) < SAMPLES:
            some.append(sample)


def words_of(value: Any) -> str:
    """Write a field's value in a line: `{"address": "a@b.c", "label": "work"}`."""
    if isinstance(value, Mapping):
        return ", ".join(said for one in value.values() if (said := words_of(one)))
    if isinstance(value, (list, tuple)):
        return "; ".join(said for one in value if (said := words_of(one)))
    return "" if value is None else str(value)[:300]

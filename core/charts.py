"""Charts as geometry: where lines, bars and marks stand in a drawing of fixed height.

The numbers are drawn by the macro `chart` as an image with a title, with the same
numbers in a table beside it; nothing of it needs a script.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10
from typing import Final, TypeAlias

WIDTH: Final = 640
LEFT: Final = 44
# Room on the right for the names that stand at the ends of the lines.
RIGHT: Final = 116
TOP: Final = 10
BOTTOM: Final = 22
RULES: Final = 4
MOST_SERIES: Final = 4
_Place: TypeAlias = Callable[[int, float], tuple[float, float]]


@dataclass(frozen=True)
class Series:
    """One line: its name, a value per label (None where there is none), addresses."""

    name: str
    values: Sequence[float | None]
    urls: Sequence[str] = ()


@dataclass(frozen=True)
class Mark:
    """A point of a line or the top of a bar, in the drawing's units."""

    x: float
    y: float
    value: float
    label: str
    url: str = ""


@dataclass(frozen=True)
class Line:
    """A line as it is drawn: its number (1 to 4), its parts and its marks."""

    number: int
    name: str
    parts: list[str]
    marks: list[Mark]


@dataclass(frozen=True)
class Chart:
    """A chart ready to be drawn; `rules` are (y, value) and `ticks` (x, label)."""

    width: int
    height: int
    labels: Sequence[str]
    series: Sequence[Series]
    rules: list[tuple[float, float]]
    ticks: list[tuple[float, str]]
    lines: list[Line] = field(default_factory=list)
    bars: list[Mark] = field(default_factory=list)
    bar_width: float = 0
    base: float = 0


def line_chart(
    labels: Sequence[str], series: Sequence[Series], *, height: int = 160
) -> Chart:
    """Place at most four lines over `labels`; raises `ValueError` for more."""
    if len(series) > MOST_SERIES:
        raise ValueError("A chart has at most four lines.")
    values = [v for one in series for v in one.values if v is not None]
    top, bottom = _round_up(max(values, default=1)), min(0.0, *values, 0.0)
    step = (WIDTH - LEFT - RIGHT) / max(len(labels) - 1, 1)

    def place(at: int, value: float) -> tuple[float, float]:
        return round(LEFT + at * step, 1), _y(value, bottom, top, height)

    lines = []
    for number, one in enumerate(series, 1):
        marks = [
            Mark(*place(at, value), value, labels[at], _at(one.urls, at))
            for at, value in enumerate(one.values)
            if value is not None
        ]
        lines.append(Line(number, one.name, _parts(one, place), marks))
    ticks = [(place(at, 0)[0], label) for at, label in enumerate(labels)]
    rules = _rules(bottom, top, height)
    return Chart(WIDTH, height, labels, series, rules, ticks, lines=lines)


def bar_chart(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    name: str,
    urls: Sequence[str] = (),
    height: int = 160,
) -> Chart:
    """Place one bar for each label, from zero."""
    top = _round_up(max(values, default=1))
    step = (WIDTH - LEFT - TOP) / max(len(labels), 1)
    bars = [
        Mark(
            round(LEFT + (at + 0.5) * step, 1),
            _y(value, 0, top, height),
            value,
            labels[at],
            _at(urls, at),
        )
        for at, value in enumerate(values)
    ]
    return Chart(
        WIDTH,
        height,
        labels,
        [Series(name, values, urls)],
        _rules(0, top, height),
        [(one.x, one.label) for one in bars],
        bars=bars,
        bar_width=round(min(step * 0.6, 48), 1),
        base=_y(0, 0, top, height),
    )


def _parts(one: Series, place: _Place) -> list[str]:
    """Give the points of a line; where a value is missing it is broken."""
    parts: list[list[str]] = [[]]
    for at, value in enumerate(one.values):
        if value is None:
            parts.append([])
        else:
            parts[-1].append("{},{}".format(*place(at, value)))
    return [" ".join(part) for part in parts if len(part) > 1]


def _at(urls: Sequence[str], at: int) -> str:
    return urls[at] if at < len(urls) else ""


def _y(value: float, bottom: float, top: float, height: int) -> float:
    room = height - TOP - BOTTOM
    return round(TOP + room * (top - value) / ((top - bottom) or 1), 1)


def _rules(bottom: float, top: float, height: int) -> list[tuple[float, float]]:
    step = (top - bottom) / (RULES - 1)
    found = [bottom + at * step for at in range(RULES)]
    return [(_y(value, bottom, top, height), round(value, 2)) for value in found]


def _round_up(value: float) -> float:
    """Give the next number above that reads well: three equal steps of it do too."""
    if value <= 0:
        return 3.0
    size = 10.0 ** floor(log10(value))
    for step in (1, 1.5, 3, 6, 9):
        if value <= step * size:
            return step * size
    return ceil(value / (3 * size)) * 3 * size

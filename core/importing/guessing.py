"""What the columns of a file may mean: by their headings, then by their values."""

import re
from collections.abc import Iterable, Mapping, Sequence

from marshmallow import fields as ma

from core.imports import ImportKind, Target

# Of the values that are there, so many must look alike.
ENOUGH = 0.7
_LOOKS: dict[str, re.Pattern[str]] = {
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "url": re.compile(r"(https?://|www\.)\S+", re.IGNORECASE),
    "phone": re.compile(r"(?=(.*\d){6})(\+|0|\()[\d\s().\-/+]{5,}"),
}
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y")
_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{2,4})(?!\d)")
_NUMBER = re.compile(r"-?\d{1,3}([ .,]\d{3})*([.,]\d{1,2})?")
_FIRST_YEAR, _MONTHS = 1000, 12


def plain(heading: str) -> str:
    """Write a heading without what differs by taste: `E-mail 1 - Value` → emailvalue.

    `FirstName` is the same as `First name`; numbers do not count.
    """
    return "".join(one for one in heading.casefold() if one.isalpha())


def targets_of(kind: ImportKind) -> Sequence[Target]:
    """Give what columns can become for a kind; by default its simple fields."""
    if kind.targets:
        return kind.targets
    found = []
    for name, one in kind.schema().fields.items():
        inner = one.inner if isinstance(one, ma.List) else one
        if isinstance(inner, (ma.Dict, ma.Nested, ma.List)):
            continue
        title = name.replace("_", " ").capitalize()
        also = [k for k, rule in kind.columns.items() if k == name and "from" in rule]
        words = (name, *(str(kind.columns[k]["from"]) for k in also))
        found.append(Target(name, title, name, words=words))
    return found


def guess(
    kind: ImportKind, headings: Iterable[str], samples: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Say which column becomes what; a column that says nothing is left out."""
    targets = targets_of(kind)
    chosen = _by_heading(targets, [one for one in headings if one])
    for heading in headings:
        if heading and heading not in chosen:
            found = _by_values(targets, samples.get(heading, ()))
            if found:
                chosen[heading] = found
    return _agreed(targets, chosen)


def _by_heading(targets: Sequence[Target], headings: Sequence[str]) -> dict[str, str]:
    ranks: dict[str, list[tuple[int, str, Target]]] = {}
    for target in targets:
        for rank, word in enumerate(target.words):
            ranks.setdefault(plain(word), []).append((rank, target.name, target))
    chosen: dict[str, str] = {}
    best: dict[str, tuple[int, str]] = {}
    for heading in headings:
        found = min(ranks.get(plain(heading), ()), default=None, key=lambda one: one[0])
        if found is None:
            continue
        rank, name, target = found
        if target.field in {"emails", "phones"}:
            chosen[heading] = name
        elif name not in best:
            best[name], chosen[heading] = (rank, heading), name
        elif target.part and re.search(r"\d$", heading):
            # "Street 2" goes on where "Street" ended.
            chosen[heading] = name
        elif rank < best[name][0]:
            chosen.pop(best[name][1], None)
            best[name], chosen[heading] = (rank, heading), name
    return chosen


def _by_values(targets: Sequence[Target], values: Sequence[str]) -> str:
    there = [one.strip() for one in values if one.strip()]
    for target in targets:
        look = _LOOKS.get(target.look)
        if look and there:
            alike = sum(bool(look.fullmatch(one)) for one in there)
            if alike >= ENOUGH * len(there):
                return target.name
    return ""


def _agreed(targets: Sequence[Target], chosen: dict[str, str]) -> dict[str, str]:
    """Settle what two columns would both say, and what stands alone."""
    there = set(chosen.values())
    by_name = {one.name: one for one in targets}
    settled = {}
    for heading, name in chosen.items():
        target = by_name[name]
        if target.alone and not there & set(target.unless):
            settled[heading] = target.alone
        elif target.unless and not target.alone and there & set(target.unless):
            continue
        else:
            settled[heading] = name
    return settled


def guess_dates(values: Iterable[str]) -> str:
    """Say how days are written in a file; ISO 8601 where nothing tells."""
    fitting = set(DATES)
    seen = False
    for value in values:
        found = _DATE.match(value.strip())
        if found is None:
            continue
        seen = True
        fitting &= _fitting(int(found[1]), found[2], int(found[3]))
    if not seen:
        return DATES[0]
    return next((one for one in DATES if one in fitting), DATES[0])


def _fitting(first: int, sign: str, second: int) -> set[str]:
    if first >= _FIRST_YEAR:
        return {f"%Y{sign}%m{sign}%d"}
    orders = {f"%d{sign}%m{sign}%Y"} if second <= _MONTHS else set()
    if sign == "/" and first <= _MONTHS:
        orders.add("%m/%d/%Y")
    return orders


def guess_decimal(values: Iterable[str]) -> str:
    """Say which sign stands before the decimals: a comma where any number ends so."""
    ends = re.compile(r",\d{1,2}$")
    some = [one.strip() for one in values if _NUMBER.fullmatch(one.strip())]
    return "," if any(ends.search(one) for one in some) else "."

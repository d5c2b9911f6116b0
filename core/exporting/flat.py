"""A row as the cells of a table, under the headings that an import understands."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.imports import ImportKind, Row


def headings(kind: ImportKind) -> list[str]:
    """Name the columns of a kind's table."""
    fields = kind.export.fields if kind.export else ()
    # What has a number has a key, by which rows of other files refer to it.
    found = ["key"] if "id" in fields else []
    for field in fields:
        found += [name for name, _value in _cells(kind.columns.get(field), field, None)]
    return list(dict.fromkeys(found))


def cells_of(kind: ImportKind, row: Row) -> dict[str, Any]:
    """Give the cells of a row by heading."""
    found: dict[str, Any] = {"key": row["key"]} if "key" in row else {}
    for field in kind.export.fields if kind.export else ():
        for name, value in _cells(kind.columns.get(field), field, row.get(field)):
            found[name] = plain(value)
    return found


def _cells(rule: Any, field: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Do backwards what the import's rule for a field does."""
    if isinstance(rule, list):
        values = list(value or [])
        for number, one in enumerate(rule):
            here = values[number] if number < len(values) else None
            yield from _cells(one, field, here)
    elif isinstance(rule, Mapping) and "split" in rule:
        yield rule["from"], rule["split"].join(value or [])
    elif isinstance(rule, Mapping) and not {"from", "value", "template"} & rule.keys():
        for key, part in rule.items():
            yield from _cells(part, key, (value or {}).get(key))
    elif isinstance(rule, str):
        yield rule, value
    else:
        yield field, value


def plain(value: Any) -> Any:
    """Write a value as text, but leave numbers and truth as they are."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else value

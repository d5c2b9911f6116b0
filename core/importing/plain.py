"""The mapping of a file whose headings are the names of the fields."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import Invalid
from core.i18n import _
from core.importing.mapping import SOURCES, FieldMapping, parse_mapping


def plain_mapping(
    kind: str, headings: Iterable[str], fields: Iterable[str], given: Mapping[str, Any]
) -> FieldMapping:
    """Make the mapping of a file whose headings are the names of the fields.

    `given` are the kind's own rules; those whose columns the file lacks fall away.
    Headings match whatever their case, with blanks or hyphens for underscores; a
    column `key` is the row's own key.
    """
    by_name = {re.sub(r"[\s-]+", "_", one.lower()): one for one in headings}
    columns: dict[str, Any] = {
        name: by_name[name] for name in fields if name in by_name
    }
    for name, rule in given.items():
        known = _renamed(rule, by_name)
        if known is not None and name not in columns:
            columns[name] = known
    if not columns:
        raise Invalid(
            _(
                "No column of this file is a field of %(kind)s. There are: %(names)s. "
                "Write a mapping file and name it with --map.",
                kind=kind,
                names=", ".join(sorted({*fields, *given})),
            )
        )
    written: dict[str, Any] = {"kind": kind, "columns": columns}
    if "key" in by_name:
        written["key"] = by_name["key"]
    return parse_mapping(written)


def _renamed(rule: Any, by_name: Mapping[str, str]) -> Any:
    """Write a rule with a file's own headings; None when the file has none of them."""
    if isinstance(rule, str):
        return by_name.get(rule)
    if isinstance(rule, list):
        return [one for r in rule if (one := _renamed(r, by_name)) is not None] or None
    if "from" in rule:
        found = by_name.get(rule["from"])
        return {**rule, "from": found} if found else None
    if SOURCES & rule.keys():
        return rule
    parts = {name: _renamed(part, by_name) for name, part in rule.items()}
    kept = {name: part for name, part in parts.items() if part is not None}
    fixed = all(isinstance(p, Mapping) and "value" in p for p in kept.values())
    return None if fixed else kept

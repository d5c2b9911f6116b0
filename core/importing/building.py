"""From what somebody chose for each column to the mapping of the file."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields as ma

from core.errors import Invalid
from core.i18n import _
from core.importing.guessing import targets_of
from core.imports import ImportKind, Target

KEY = "key"
# Signs that separate the words of a cell, such as tags.
SIGNS = (",", ";", "|", ":::", "/")


def build_mapping(
    kind: ImportKind,
    columns: Mapping[str, str],
    *,
    about: Mapping[str, str],
    dates: str,
    decimal: str,
    split: str,
    source: str,
    charset: str,
    delimiter: str,
) -> dict[str, Any]:
    """Write a mapping, in the language of docs/imports.md; raises `Invalid`.

    `columns` says by heading the name of a target, or "key". Columns that become the
    same are joined in their order, or each an entry of the list.
    """
    by_target: dict[str, list[str]] = {}
    for heading, name in columns.items():
        by_target.setdefault(name, []).append(heading)
    keys = by_target.pop(KEY, [])
    if len(keys) > 1:
        raise Invalid(errors={"columns": [_("Only one column is the key.")]})
    rules = _Rules(kind, dates, decimal, split)
    for target in targets_of(kind):
        if target.name in by_target:
            rules.add(target, by_target[target.name])
    if not rules.columns:
        raise Invalid(errors={"columns": [_("Say what at least one column becomes.")]})
    for name, value in about.items():
        rules.columns.setdefault(name, {"value": value})
    written: dict[str, Any] = {"kind": kind.name, "columns": rules.columns}
    written |= {KEY: keys[0], "source": source} if keys else {}
    written |= {"charset": charset} if charset else {}
    return written | ({"delimiter": delimiter} if delimiter else {})


class _Rules:
    """Gathers the rules of a mapping's fields."""

    def __init__(self, kind: ImportKind, dates: str, decimal: str, split: str):
        self.fields = kind.schema().fields
        self.dates, self.decimal, self.split = dates, decimal, split
        self.columns: dict[str, Any] = {}
        self._groups: dict[str, dict[str, Any]] = {}

    def add(self, target: Target, headings: Sequence[str]) -> None:
        """Add the rules of the columns that become `target`."""
        if target.part:
            self._add_part(target, headings)
        elif target.also:
            for name, word in target.also:
                self.columns.setdefault(name, {"from": headings[0], "word": word})
        else:
            self.columns[target.field] = self._plain(target.field, headings)

    def _add_part(self, target: Target, headings: Sequence[str]) -> None:
        objects = self.columns.setdefault(target.field, [])
        fixed = {name: {"value": one} for name, one in target.fixed}
        if not target.group:
            objects += [{target.part: one, **fixed} for one in headings]
            return
        if target.group not in self._groups:
            self._groups[target.group] = dict(fixed)
            objects.append(self._groups[target.group])
        self._groups[target.group][target.part] = joined(headings)

    def _plain(self, name: str, headings: Sequence[str]) -> Any:
        field = self.fields.get(name)
        if isinstance(field, ma.List):
            sign = self.split or ","
            written = joined(headings, sign)
            rule = {"from": written} if isinstance(written, str) else written
            return {**rule, "split": sign}
        written = joined(headings)
        rule = {"from": written} if isinstance(written, str) else written
        if isinstance(field, ma.Date):
            return {**rule, "date": self.dates}
        if isinstance(field, ma.DateTime):
            return {**rule, "time": self.dates}
        if isinstance(field, ma.Decimal):
            return {**rule, "decimal": self.decimal}
        return written


def joined(headings: Sequence[str], sign: str = " ") -> Any:
    """Write the rule of columns that are joined with a sign between them."""
    if len(headings) == 1:
        return headings[0]
    # Braces name a column in a template; a heading that has some cannot be joined.
    odd = [one for one in headings if re.search(r"[{}]", one)]
    if odd:
        said = _("“%(name)s” cannot be joined with another column.", name=odd[0])
        raise Invalid(errors={"columns": [said]})
    return {"template": sign.join(f"{{{one}}}" for one in headings)}

"""The language of mapping files: which columns become which fields.

docs/imports.md describes it for those who write such a file.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import marshmallow as ma

from core.errors import Invalid
from core.i18n import _
from core.importing.reading import Cells
from core.importing.values import (
    WORDS,
    read_date,
    read_number,
    read_time,
    split_at,
    take_words,
    translate,
)

# What a rule makes of a row; `None` is "nothing there", and the field is left out.
Taker: TypeAlias = Callable[[Cells], Any]

_PLACE = re.compile(r"\{([^{}]+)\}")
SOURCES = {"from", "value", "template"}
_OPTIONS = {"map", "default", "split", "date", "time", "decimal", "word"}
_TOP = {"kind", "source", "key", "null", "zone", "charset", "delimiter", "columns"}
_TOP |= {"skip"}


@dataclass(frozen=True)
class FieldMapping:
    """How the rows of a file become rows of a kind.

    `null` are words that mean an empty cell; `skip` says which words in a column leave
    the row out. `used` are the columns it asks for, `written` what the file says.
    """

    kind: str
    source: str
    fields: Mapping[str, Taker]
    key: Taker
    used: frozenset[str]
    written: Mapping[str, Any]
    skip: Mapping[str, frozenset[str]]
    null: frozenset[str] = frozenset()
    charset: str | None = None
    delimiter: str | None = None

    def row_of(self, cells: Cells) -> tuple[str | None, dict[str, Any]] | None:
        """Turn the cells of a row into its key and its fields; None leaves it out.

        Raises `Invalid` for a cell that cannot be read as the mapping says.
        """
        cells = self._said(cells)
        if any(str(cells.get(name, "")) in words for name, words in self.skip.items()):
            return None
        found: dict[str, Any] = {}
        for name, take in self.fields.items():
            try:
                value = take(cells)
            except ValueError as error:
                raise Invalid(errors={name: [str(error)]}) from error
            if value is not None:
                found[name] = value
        return self._key(cells), found

    def names_in(
        self, cells: Cells, fields: Iterable[str]
    ) -> tuple[str | None, set[str]]:
        """Give the key of a row, and the keys of others that stand in `fields`."""
        cells = self._said(cells)
        named: set[str] = set()
        for name in fields:
            with suppress(ValueError):
                value = self.fields[name](cells)
                many = value if isinstance(value, list) else [value]
                named.update(str(one) for one in many if one is not None)
        return self._key(cells), named

    def _said(self, cells: Cells) -> Cells:
        """Give the cells that say something; what is no text is of a JSON file."""
        found: Cells = {}
        for name, cell in cells.items():
            if not isinstance(cell, str):
                if cell not in (None, [], {}):
                    found[name] = cell
            elif (text := cell.strip()) and text not in self.null:
                found[name] = text
        return found

    def _key(self, cells: Cells) -> str | None:
        key = self.key(cells)
        return None if key is None else str(key)


def schema_of(schema: type[ma.Schema], mapping: FieldMapping) -> ma.Schema:
    """Make the schema of a kind with the fields that a mapping may fill.

    Looking for all the others in each row takes a seventh of an import's time.
    """
    whole = schema()
    filled = {
        name
        for name, field in whole.fields.items()
        if name in mapping.fields
        or field.required
        or field.load_default is not ma.missing
    }
    return schema(only=filled) if filled else whole


def read_mapping(path: Path) -> FieldMapping:
    """Read a mapping file; raises `Invalid` for one that does not make sense."""
    if not path.is_file():
        raise Invalid(_("There is no file %(name)s.", name=path.name))
    try:
        written = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"{path.name}: {error}") from error
    try:
        return parse_mapping(written)
    except Invalid as error:
        raise Invalid(f"{path.name}: {error.message}") from error


def parse_mapping(written: Mapping[str, Any]) -> FieldMapping:
    """Make a mapping of what a TOML file says; raises `Invalid`."""
    _refuse_others(written, _TOP, "")
    columns = written.get("columns")
    if not isinstance(columns, Mapping) or not columns:
        raise Invalid(_("A mapping needs [columns]."))
    used: set[str] = set()
    try:
        maker = _Maker(ZoneInfo(str(written.get("zone", "UTC"))), used)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid(
            _("There is no time zone %(name)s.", name=written["zone"])
        ) from error
    fields = {name: maker.rule(rule, name) for name, rule in columns.items()}
    key = maker.rule(written["key"], "key") if "key" in written else _nothing
    skip = {
        str(name): frozenset(str(one) for one in words)
        for name, words in written.get("skip", {}).items()
    }
    return FieldMapping(
        kind=str(written.get("kind", "")),
        source=str(written.get("source", "")),
        fields=fields,
        key=key,
        used=frozenset(used | skip.keys()),
        written=dict(written),
        skip=skip,
        null=frozenset(str(one) for one in written.get("null", [])),
        charset=written.get("charset"),
        delimiter=written.get("delimiter"),
    )


def _nothing(_cells: Cells) -> None:
    return None


def _refuse_others(given: Mapping[str, Any], known: set[str], where: str) -> None:
    others = sorted(given.keys() - known)
    if others:
        raise Invalid(
            _(
                "%(where)s“%(name)s” is not known here. Known are: %(names)s.",
                where=f"{where}: " if where else "",
                name=others[0],
                names=", ".join(sorted(known)),
            )
        )


class _Maker:
    """Turns what is written into takers, noting which columns they ask for."""

    def __init__(self, zone: ZoneInfo, used: set[str]):
        self.zone = zone
        self.used = used

    def rule(self, written: Any, where: str) -> Taker:
        """Make one rule: a column's name, a list, a rule with options, or an object."""
        if isinstance(written, str):
            return self._column(written)
        if isinstance(written, list):
            return _list_of([self.rule(one, where) for one in written])
        if not isinstance(written, Mapping) or not written:
            raise Invalid(_("%(where)s: name a column.", where=where))
        sources = SOURCES & written.keys()
        if not sources:
            return self._object(written, where)
        _refuse_others(written, _OPTIONS | sources, where)
        if len(sources) > 1:
            raise Invalid(
                _("%(where)s: only one of from, value and template.", where=where)
            )
        return self._with_options(self._source(written), written)

    def _column(self, name: str) -> Taker:
        self.used.add(name)
        return lambda cells: cells.get(name)

    def _source(self, written: Mapping[str, Any]) -> Taker:
        if "value" in written:
            fixed = written["value"]
            return lambda _cells: fixed
        if "from" in written:
            return self._column(str(written["from"]))
        return self._template(str(written["template"]))

    def _template(self, text: str) -> Taker:
        names = _PLACE.findall(text)
        self.used.update(names)

        def fill(cells: Cells) -> str | None:
            if not any(name in cells for name in names):
                return None
            filled = _PLACE.sub(lambda place: str(cells.get(place[1], "")), text)
            return " ".join(filled.split())

        return fill

    def _object(self, written: Mapping[str, Any], where: str) -> Taker:
        parts = {k: self.rule(v, f"{where}.{k}") for k, v in written.items()}
        fixed = {
            k for k, v in written.items() if isinstance(v, Mapping) and "value" in v
        }

        def gather(cells: Cells) -> dict[str, Any] | None:
            found = {
                k: v for k, take in parts.items() if (v := take(cells)) is not None
            }
            # An address of which the file says nothing is none, whatever its label.
            return found if found.keys() - fixed else None

        return gather

    def _with_options(self, take: Taker, written: Mapping[str, Any]) -> Taker:
        steps: list[Callable[[str], Any]] = []
        if "map" in written:
            steps.append(translate(written["map"]))
        if "split" in written:
            steps.append(split_at(str(written["split"])))
        if "word" in written:
            if written["word"] not in WORDS:
                known = ", ".join(WORDS)
                raise Invalid(_("“word” is one of: %(names)s.", names=known))
            steps.append(take_words(written["word"]))
        if "date" in written:
            steps.append(read_date(str(written["date"])))
        if "time" in written:
            steps.append(read_time(str(written["time"]), self.zone))
        if "decimal" in written:
            steps.append(read_number(str(written["decimal"])))
        default = written.get("default")

        def taken(cells: Cells) -> Any:
            value = take(cells)
            for step in steps:
                # Options read text; what is something else already stays so.
                if not isinstance(value, str):
                    break
                value = step(value)
            return default if value is None else value

        return taken


def _list_of(parts: list[Taker]) -> Taker:
    def gather(cells: Cells) -> list[Any] | None:
        return [one for take in parts if (one := take(cells)) is not None] or None

    return gather

"""JSON files: an array of objects, as `rapport export KIND --format json` writes it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import Invalid
from core.i18n import _

_START = re.compile(rb"(\xef\xbb\xbf)?\s*\[\s*[{\]]")
_SAMPLE = 4096
# It is held in memory as a whole, as a workbook is.
MOST_BYTES = 300_000_000


def is_array(path: Path) -> bool:
    """Say whether a file is an array of objects, by how it begins."""
    with path.open("rb") as file:
        return _START.match(file.read(_SAMPLE)) is not None


def read_objects(path: Path, name: str) -> list[Any]:
    """Read the whole array; raises `Invalid` for what is no JSON."""
    if path.stat().st_size > MOST_BYTES:
        raise Invalid(
            _("%(file)s unpacks to more than we can read. Save it as CSV.", file=name)
        )
    try:
        found = json.loads(path.read_bytes(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid(_("%(file)s is not a table.", file=name)) from error
    if not isinstance(found, list):
        raise Invalid(_("%(file)s is not a table.", file=name))
    return found


def _refuse(name: str) -> None:
    raise ValueError(name)


def names_in(found: list[Any]) -> list[str]:
    """Name the fields of all objects, each once, in their order."""
    rows = (one for one in found if isinstance(one, dict))
    return list(dict.fromkeys(name for row in rows for name in row))


def rows_in(found: list[Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Give the objects one by one, each with what is wrong with it, or None."""
    for one in found:
        if not isinstance(one, dict):
            yield {}, str(_("This is no object with fields."))
            continue
        try:
            text = json.dumps(one, ensure_ascii=False)
            text.encode()
            broken = "\\u0000" in text
        except UnicodeEncodeError:
            broken = True
        if not broken:
            yield one, None
            continue
        shown = text.replace("\\u0000", "\ufffd").encode("utf-8", "replace")
        yield json.loads(shown), str(_("This row has signs that are not text."))

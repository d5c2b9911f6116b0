"""Addresses on pages: hundreds a page, and most differ in a number alone."""

import re
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, has_request_context, request
from flask import url_for as flask_url_for

# A pattern is some hundred bytes; words of people, as in a search, make new ones.
_MOST = 5000
# What stands for the first number, the second and so on while an address is built.
_FIRST = 7_770_000_000_000
_STAND_IN = re.compile(r"7770000000\d\d\d")


@dataclass(frozen=True)
class _Pattern:
    """An address with gaps, and which of the numbers given fills each."""

    text: str
    order: tuple[int, ...]


def init_links(app: Flask) -> None:
    """Have the templates of `app` build each kind of address once."""
    app.extensions["rapport_links"] = {}
    app.jinja_env.globals["url_for"] = url_for


def url_for(endpoint: str, **values: Any) -> str:
    """Give the address of `endpoint`, as Flask's function of this name does."""
    # Beside its endpoint and values an address depends on where we are mounted. The
    # names with an underscore are Flask's own, and ask for more than a path.
    plain = not any(name[0] == "_" for name in values)
    if not plain or endpoint[0] == "." or not has_request_context():
        return flask_url_for(endpoint, **values)
    known: dict[Any, _Pattern | None] = current_app.extensions["rapport_links"]
    numbers = [one for one in values.values() if type(one) is int and one >= 0]
    key = request.script_root, endpoint, *_but_for_numbers(values)
    try:
        found = known[key]
    except KeyError:
        if len(known) > _MOST:
            known.clear()
        found = known[key] = _pattern(endpoint, values)
    except TypeError:
        # With a list among the values it is built anew.
        found = None
    if found is None:
        return flask_url_for(endpoint, **values)
    return found.text % tuple([numbers[at] for at in found.order])


def _but_for_numbers(values: dict[str, Any]) -> list[Any]:
    """Name the values with their types, since 1.0 and True are the same key."""
    return [
        (name, int) if type(one) is int and one >= 0 else (name, type(one), one)
        for name, one in values.items()
    ]


def _pattern(endpoint: str, values: dict[str, Any]) -> _Pattern | None:
    """Build an address and leave gaps for its numbers; None if words look like them."""
    numbers = [name for name, one in values.items() if type(one) is int and one >= 0]
    words = [str(one) for name, one in values.items() if name not in numbers]
    if any(_STAND_IN.search(one) for one in words):
        return None
    stand_ins = {name: _FIRST + at for at, name in enumerate(numbers)}
    built = flask_url_for(endpoint, **{**values, **stand_ins})
    order = tuple(int(one) - _FIRST for one in _STAND_IN.findall(built))
    return _Pattern(_STAND_IN.sub("%d", built.replace("%", "%%")), order)

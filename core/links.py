"""Addresses on pages: a page asks for a hundred, and most of them again."""

from typing import Any

from flask import Flask, current_app, has_request_context, request
from flask import url_for as flask_url_for

# An address is some hundred bytes; a list shows fifty records with a few each.
_MOST = 5000


def init_links(app: Flask) -> None:
    """Have the templates of `app` build each address once."""
    app.extensions["rapport_links"] = {}
    app.jinja_env.globals["url_for"] = url_for


def url_for(endpoint: str, **values: Any) -> str:
    """Give the address of `endpoint`, as Flask's function of this name does."""
    # Beside its endpoint and values an address depends on where we are mounted. The
    # names with an underscore are Flask's own, and ask for more than a path.
    plain = not any(name[0] == "_" for name in values)
    if not plain or endpoint[0] == "." or not has_request_context():
        return flask_url_for(endpoint, **values)
    known: dict[Any, str] = current_app.extensions["rapport_links"]
    key = request.script_root, endpoint, *_exactly(values)
    try:
        found = known.get(key)
    except TypeError:
        # With a list among the values it is built anew.
        return flask_url_for(endpoint, **values)
    if found is None:
        if len(known) > _MOST:
            known.clear()
        found = known[key] = flask_url_for(endpoint, **values)
    return found


def _exactly(values: dict[str, Any]) -> list[Any]:
    """Name the values with their types, since 1 and True are the same key."""
    return [(name, type(value), value) for name, value in values.items()]

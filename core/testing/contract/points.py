"""The fourteen points: their titles, and what to do when one is not kept."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

POINTS: dict[int, tuple[str, str]] = {
    1: (
        "starts alone with core, and core starts without it",
        "ask core, not another plugin; hooks of others are optionalhook=True",
    ),
    2: (
        "plugin.py holds hook implementations and nothing else",
        "move everything but imports and @hookimpl functions to the other rooms",
    ),
    3: (
        "imports only itself and the public modules of core",
        "use an event, a hook, a RecordType or a core module instead",
    ),
    4: (
        "one name runs through everything",
        "begin tables, permissions, events, jobs, panels and templates with its name",
    ),
    5: (
        "migrations lead to the models, back to nothing, and leave core alone",
        "write the missing step with rapport db revision NAME WORD; drop what you made",
    ),
    6: (
        "foreign keys stay at home or lead to core with an ondelete",
        "say ondelete on each key into core; never point into another plugin",
    ),
    7: (
        "every route lets the right ones in and the others not",
        "put @requires(...), @signed_in or @public on each route, and call no abort()",
    ),
    8: (
        "every page draws on an empty and on a filled database within its budget",
        "load in one query what the page shows; expect empty lists",
    ),
    9: (
        "the README names what it declares, and it declares what it uses",
        "name each permission, event and setting in README.md as `name`",
    ),
    10: (
        "subscribers and jobs may run twice",
        "look first whether it is done already: by ref, by a unique key, by state",
    ),
    11: (
        "settings load from nothing, and wrong ones are refused",
        "give each field a load_default, and strict types or a validate",
    ),
    12: (
        "records have a title, an address and words, and leave the index when deleted",
        "let RecordType.label never be empty, and delete records through the session",
    ),
    13: (
        "the API is described, its lists go page by page, its errors are problem+json",
        "use ApiBlueprint, @bp.response and PageArguments; raise core.errors",
    ),
    14: (
        "templates live in the house, and every word is marked for translation",
        'extend core/base.html, write {{ _("…") }} around words',
    ),
}


def point(number: int) -> Callable[[F], F]:
    """Say which of the fourteen points a test belongs to."""

    def mark(test: F) -> F:
        test.point = number  # type: ignore[attr-defined]
        return test

    return mark


def nothing_wrong(found: Iterable[str]) -> None:
    """Fail with what was found, one sentence a line, and without a trace."""
    __tracebackhide__ = True
    said = list(dict.fromkeys(found))
    if said:
        raise AssertionError("\n".join(said))

"""What plugins put on pages: menu items, panels, actions, and the rest.

Items carry a weight (lower comes first) and the permission their reader needs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from flask import current_app, flash

from core.kinds import EntryWords as EntryWords
from core.kinds import InteractionKind as InteractionKind
from core.kinds import KindField as KindField
from core.kinds import interaction_kinds as interaction_kinds
from core.kinds import kind_of as kind_of
from core.links import url_for
from core.permissions import Permission, can

if TYPE_CHECKING:
    from sqlalchemy import ScalarSelect
    from werkzeug.datastructures import FileStorage

    from core.interactions.models import Interaction
    from core.statements import Prepared
    from core.users.models import User

Place: TypeAlias = Literal["side", "main", "strip"]


@dataclass(frozen=True)
class MenuItem:
    """A line of the main menu; `portal` says in whose menu it is.

    `count` is the reader's own work, never a total: a number, or a prepared select that
    gives it, which the page sends with others in one statement. Items of one endpoint
    are one line, as the lightest says, with the sum of their counts. `key` goes there
    after `g`.
    """

    title: object
    endpoint: str
    permission: Permission
    icon: str = "circle"
    weight: int = 50
    count: "int | Prepared | None" = None
    portal: bool = False
    key: str = ""

    @property
    def url(self) -> str:
        """The address it leads to."""
        return url_for(self.endpoint)


@dataclass(frozen=True)
class Panel:
    """A part of a record's page, drawn from `template` with `context`.

    `types` are the event types (prefixes) after which the browser asks for it again.
    `main` panels stand beside the facts, `side` panels under them, and `strip` ones
    are one line in the strip under the heading.
    """

    name: str
    title: object
    template: str
    context: Mapping[str, Any]
    permission: Permission
    weight: int = 50
    place: Place = "side"
    types: Sequence[str] = ()
    empty: bool = False
    add_url: str | None = None


@dataclass(frozen=True)
class Action:
    """A button or menu line on a record's page."""

    title: object
    url: str
    permission: Permission
    icon: str = "plus"
    weight: int = 50
    # Whether it also stands beside a contact on "my day": one short act at most.
    day: bool = False
    key: str = ""


@dataclass(frozen=True)
class DayLine:
    """A line of "my day" that is due `at` a moment; `context` is for its block."""

    at: datetime
    context: Mapping[str, Any]


@dataclass(frozen=True)
class DayItem:
    """A block of "my day"; `waits` says whether it is work, or only news.

    With `lines`, the template draws one of them; blocks that name the same list in
    `joins` are one, in the order of their moments, under the lightest one's title.
    `more_url` in the context leads to those that are not shown.
    """

    name: str
    title: object
    template: str
    context: Mapping[str, Any]
    permission: Permission
    weight: int = 50
    waits: bool = True
    lines: Sequence[DayLine] = ()
    joins: str = ""


@dataclass(frozen=True)
class PaletteItem:
    """Something Ctrl-K can do here.

    `group` is "actions", "new" for what begins something new, or "places".
    """

    title: object
    url: str
    permission: Permission
    group: str = "actions"


@dataclass(frozen=True)
class Column:
    """A column of the contact list; `value(contact)` gives its text."""

    name: str
    title: object
    value: Callable[[Any], object]
    weight: int = 50


@dataclass(frozen=True)
class EntryPart:
    """What a plugin adds to every entry of a list, read in the statement of the list.

    `rows(user)` gives a scalar subquery correlated with `Interaction`: one text for
    each entry, as far as `user` may know. `read(text, user)` makes of it what
    `EntryView.parts[name]` holds.
    """

    name: str
    rows: "Callable[[User], ScalarSelect[Any]]"
    read: "Callable[[str | None, User], Any]"


@dataclass(frozen=True)
class EntryFile:
    """A file of an entry, as its readers see it."""

    title: str
    url: str


@dataclass(frozen=True)
class EntryFiles:
    """What keeps the files that come with an entry.

    `may(user)` says whether `user` may add some, each of at most `most()` bytes.
    `keep(entry, files, user)` keeps what a form sent, with the readers of the entry;
    it raises `Invalid` for `files` where one is refused. `part` gives the files of
    each entry as a list of `EntryFile`.
    """

    part: EntryPart
    may: "Callable[[User], bool]"
    most: Callable[[], int]
    keep: "Callable[[Interaction, Sequence[FileStorage], User], None]"


@dataclass(frozen=True)
class NotificationKind:
    """A kind of news that people are told of; each may switch it off under /me.

    `readers` are the kinds of accounts it can reach: staff, customer, vendor.
    """

    name: str
    title: object
    icon: str = "bell"
    readers: Sequence[str] = ("staff",)


@dataclass(frozen=True)
class Check:
    """Something `rapport doctor` and `/readyz` ask; `run` says what is wrong.

    What a `hint` says is good to know, and no reason to be called not ready.
    """

    name: str
    run: Callable[[], str | None]
    hint: bool = False


@dataclass(frozen=True)
class Failure:
    """What stands where a plugin's item failed: the page goes on without it."""

    plugin: str
    title: object


T = TypeVar("T", MenuItem, Panel, Action, DayItem, PaletteItem)
F = TypeVar("F", bound=Callable[..., Any])


def allowed(
    items: Iterable[T],
) -> list[T]:
    """Keep what the current user may use, lightest first."""
    kept = [one for one in items if can(one.permission)]
    return sorted(kept, key=lambda one: getattr(one, "weight", 50))


def flash_undo(text: str, url: str) -> None:
    """Say what was done in a toast whose button takes it back by a POST to `url`."""
    flash({"text": text, "url": url}, "undo")  # type: ignore[arg-type]


def on_refusal(
    draw: Callable[..., Any],
) -> Callable[[F], F]:
    """Have `draw(error, **view_args)` show a form again when its view refuses.

    The view raises `Invalid` or `Conflict`; its transaction is rolled back, then
    `draw` renders the form with `error.errors` beside the fields and what was typed
    still in `request.form`.
    """

    def mark(view: F) -> F:
        view.on_refusal = draw  # type: ignore[attr-defined]
        return view

    return mark


def entry_parts() -> list[EntryPart]:
    """Give what the plugins of the current application add to entries."""
    found: list[EntryPart] = current_app.extensions["rapport_entry_parts"]
    return found


def entry_files() -> EntryFiles | None:
    """Give what keeps files with entries; None where no plugin does."""
    found: EntryFiles | None = current_app.extensions["rapport_entry_files"]
    return found


def notification_kinds() -> dict[str, NotificationKind]:
    """Give the kinds of notifications of the current application by name."""
    found: dict[str, NotificationKind] = current_app.extensions["rapport_notifications"]
    return found

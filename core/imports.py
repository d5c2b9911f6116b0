"""What a plugin declares so that files can be brought in, and what it may ask.

A kind says which fields a row has (a marshmallow schema) and how one row becomes a
record (`bring`). Reading the file, mapping its columns, refusing rows, committing in
steps, remembering keys and taking an import back are core's work (`core.importing`),
the same for every kind.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import marshmallow as ma

from core.db import Model, Record, db
from core.errors import CRMError, Invalid
from core.i18n import _
from core.importing.keys import Keys
from core.importing.marks import key_of as key_of
from core.permissions import Permission
from core.users.models import User

R = TypeVar("R", bound=Record)

Row: TypeAlias = dict[str, Any]
Bring: TypeAlias = Callable[[Row, "ImportContext"], Model | None]


@dataclass(frozen=True, slots=True)
class KeyedRow:
    """A row of a file, and what its source calls it, if it says so."""

    key: str | None
    fields: Row


@dataclass(frozen=True, slots=True)
class Made:
    """The reference of the record a row made; `beside` are others it touched.

    Each of those is a reference, its version, and whether it is new.
    """

    ref: str
    beside: tuple[tuple[str, int, bool], ...] = ()


BringMany: TypeAlias = Callable[
    [Sequence[KeyedRow], "ImportContext"], Sequence[Made | CRMError]
]


@dataclass(frozen=True)
class Export:
    """How the records of a kind go out: `rapport export products --format csv`.

    `rows(records, user)` gives the rows of one page of `model`, of what `user` may
    see; a row has the names of the kind's schema, so that a file that went out can
    come in. It may read the database, and asks for a whole page at once. `fields` are
    the columns of a table, in order; what is nested deeper goes out as JSON only.
    """

    model: type[Record]
    rows: Callable[[Sequence[Any], User], Iterable[Row]]
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """What a column of a file can become, as a choice on the page.

    `field` is the row's field; with `part`, the column is that part of an object in
    a list, beside the parts of `fixed`. Targets of one `group` share an object, others
    make one each. `words` are headings that mean this target, the best first; capitals,
    blanks, signs and numbers do not count. `look` is what its values look like: email,
    phone or url. `also` takes a name apart into fields: (field, first, last, but_first
    or but_last). It is not guessed beside those it is `unless`, and where a file has
    none of `unless`, becomes `alone` instead if that is given.
    """

    name: str
    title: object
    field: str
    part: str = ""
    fixed: tuple[tuple[str, str], ...] = ()
    group: str = ""
    heading: object = ""
    words: tuple[str, ...] = ()
    look: str = ""
    also: tuple[tuple[str, str], ...] = ()
    unless: tuple[str, ...] = ()
    alone: str = ""


@dataclass(frozen=True)
class About:
    """A field with one value for all rows of a file: `choices` are (value, title).

    The first is guessed where a file has one of the fields `hints`, else the last.
    """

    title: object
    choices: tuple[tuple[str, object], ...]
    hints: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ImportKind:
    """A kind of file: `rapport import products prices.csv`.

    `schema` is the schema of one row; a field that the file does not fill is absent
    from the row, so that bringing a file in again never empties what people wrote.
    `bring(row, context)` finds or makes the row's record through the plugin's own
    services and returns it. It flushes and never commits; what it raises (`Invalid`,
    `NotFound`, …) refuses this row alone. `columns` says how the columns of a file
    without a mapping become fields, in the language of docs/imports.md; columns named
    as the fields need no word. `export` says how the same goes out; without `bring` a
    kind only goes out.

    `bring_many(rows, context)` is for kinds that come in great numbers: it makes the
    records of as many leading rows as are plainly new, and says for each what it made
    or why it is refused. The row it stops before goes to `bring`.

    `targets` is what a column can become where somebody maps a file by looking at it;
    without any, the fields of `schema` are. `about` are fields with one value for all
    rows. `doubles` says that `bring` heeds `as_new`. `after` are the fields with keys
    of other rows of this kind; those come first wherever they stand in the file.
    """

    name: str
    title: object
    schema: type[ma.Schema]
    bring: Bring | None
    permission: Permission
    columns: Mapping[str, Any] = field(default_factory=dict)
    export: Export | None = None
    bring_many: BringMany | None = None
    targets: Sequence[Target] = ()
    about: Mapping[str, About] = field(default_factory=dict)
    doubles: bool = False
    after: Sequence[str] = ()


@dataclass
class ImportContext:
    """What `bring` may ask about the row it is given.

    `actor` imports the file; `source` names the system it comes from; `key` is what
    that system calls this row, or None. `shared` lives as long as the run: keep there
    what is dear to compute. `line` is the row's line in the file. With
    `as_new` the row shall make a record of its own, also if it looks like one that is
    here; what its source's key means stays what it is.
    """

    kind: str
    source: str
    actor: User
    keys: Keys
    shared: dict[str, Any]
    line: int = 0
    key: str | None = None
    # Somebody looked and said so: this is another one, whoever it resembles.
    as_new: bool = False
    # Rows refer to the same few records: the session itself forgets what nobody holds.
    _held: set[Record] = field(default_factory=set)

    def existing(self, model: type[R]) -> R | None:
        """Give the record an earlier import made of this very row, if there is one.

        It may have been put into the trash since.
        """
        return None if self.key is None else self.find(model, self.kind, self.key)

    def find(self, model: type[R], kind: str, key: str) -> R | None:
        """Give the record that this source calls `key` among its `kind`, or None."""
        record_id = self.keys.record_id(kind, key, model)
        if record_id is None:
            return None
        found = db.session.get(model, record_id)
        if found is not None:
            self._held.add(found)
        return found

    def need(self, model: type[R], kind: str, key: str, *, field: str) -> R:
        """Give the record this source calls `key`; raises `Invalid` for `field`.

        Kinds that also know another name for a record (a SKU, an e-mail address) use
        `find` first, look for that name next, and end with `need`.
        """
        found = self.find(model, kind, key)
        if found is None:
            self.keys.expect(kind, key)
            said = _("“%(key)s” was not brought in as %(kind)s.", key=key, kind=kind)
            raise Invalid(errors={field: [said]})
        return found

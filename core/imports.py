"""What a plugin declares so that files can be brought in, and what it may ask.

A kind says which fields a row has (a marshmallow schema) and how one row becomes a
record (`bring`). Reading the file, mapping its columns, refusing rows, committing in
steps, remembering keys and taking an import back are core's work (`core.importing`),
the same for every kind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import marshmallow as ma

from core.db import Model, Record, db
from core.errors import CRMError, Invalid
from core.i18n import _
from core.importing.keys import Keys
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
class ImportKind:
    """A kind of file: `rapport import products prices.csv`.

    `schema` is the schema of one row; a field that the file does not fill is absent
    from the row, so that bringing a file in again never empties what people wrote.
    `bring(row, context)` finds or makes the row's record through the plugin's own
    services and returns it. It flushes and never commits; what it raises (`Invalid`,
    `NotFound`, …) refuses this row alone. `columns` says how the columns of a file
    without a mapping become fields, in the language of docs/imports.md; columns named
    as the fields need no word.

    `bring_many(rows, context)` is for kinds that come in great numbers: it makes the
    records of as many leading rows as are plainly new, and says for each what it made
    or why it is refused. The row it stops before goes to `bring`.
    """

    name: str
    title: object
    schema: type[ma.Schema]
    bring: Bring
    permission: Permission
    columns: Mapping[str, Any] = field(default_factory=dict)
    bring_many: BringMany | None = None


@dataclass
class ImportContext:
    """What `bring` may ask about the row it is given.

    `actor` imports the file; `source` names the system it comes from; `key` is what
    that system calls this row, or None. `shared` lives as long as the run: keep there
    what is dear to compute. `line` is the row's line in the file.
    """

    kind: str
    source: str
    actor: User
    keys: Keys
    shared: dict[str, Any]
    line: int = 0
    key: str | None = None
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

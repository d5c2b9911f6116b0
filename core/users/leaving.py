"""When a colleague leaves: what hangs on them, and who takes it over.

A column that says `info={"owner": _l("Contacts")}` names whoever is responsible for
the row: it goes to the colleague who takes over. One that says
`info={"ends": _l("Saved views")}` is about its user alone: the row goes with them.
Authorship is neither, and stays with the name of who wrote.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from marshmallow import Schema, fields

from core.audiences import Audience
from core.db import Model, db
from core.errors import Invalid
from core.events import Event, acting, announce
from core.i18n import _
from core.records import record_types
from core.users.models import ApiToken, User
from core.users.services import disable_user

# Records that change hands in one transaction; the worker goes on with the rest.
STEP = 500


@dataclass(frozen=True)
class Mark:
    """A column that says whose a row is; `key` is its table and name."""

    model: type[Model]
    attribute: str
    title: object

    @property
    def key(self) -> str:
        """Name the column in forms and events: `contact.owner_id`."""
        return f"{self.model.__tablename__}.{self.attribute}"

    def rows(self, user_id: int) -> sa.Select[Any]:
        """Select what hangs on `user_id`, in the order of its keys."""
        keys = sa.inspect(self.model).primary_key
        column = getattr(self.model, self.attribute)
        return sa.select(self.model).where(column == user_id).order_by(*keys)

    def count(self, user_id: int) -> int:
        """Say how many rows hang on `user_id`."""
        rows = self.rows(user_id).order_by(None).subquery()
        return db.session.scalar(sa.select(sa.func.count()).select_from(rows)) or 0


@dataclass(frozen=True)
class Hanging:
    """How many rows of a kind hang on somebody; `key` chooses who takes them."""

    key: str
    title: object
    count: int


@dataclass(frozen=True)
class Belongings:
    """All that hangs on a colleague: what is taken over, what ends, what stays."""

    owned: list[Hanging]
    ending: list[Hanging]
    private: int
    tokens: int


class LeftSchema(Schema):
    """Who takes over, by the key of each kind."""

    to = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


def marks(name: str) -> Iterator[Mark]:
    """Find the columns of all tables, plugins' too, that are marked `name`."""
    mappers = sorted(Model.registry.mappers, key=lambda one: str(one.local_table))
    for mapper in mappers:
        for attribute in mapper.column_attrs:
            title = attribute.columns[0].info.get(name)
            if title is not None:
                yield Mark(mapper.class_, attribute.key, title)


def belongings_of(user: User) -> Belongings:
    """Count what hangs on `user`; of private entries only how many there are."""
    count = sa.select(sa.func.count()).select_from(ApiToken)
    mine = (ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    return Belongings(
        owned=_count("owner", user),
        ending=[one for one in _count("ends", user) if one.count],
        private=sum(_count_private(user)),
        tokens=db.session.scalar(count.where(*mine)) or 0,
    )


def _count(name: str, user: User) -> list[Hanging]:
    found = marks(name)
    return [Hanging(one.key, one.title, one.count(user.id)) for one in found]


def _count_private(user: User) -> Iterator[int]:
    for kind in record_types().values():
        model: Any = kind.model
        if model.readers != "audience":
            continue
        query = (
            sa.select(sa.func.count())
            .select_from(model)
            .join(Audience, Audience.id == model.audience_id)
            .where(model.author_id == user.id, Audience.kind == "private")
        )
        yield db.session.scalar(query) or 0


def close_for_leaver(
    user: User, *, to: User, receivers: Mapping[str, User] | None = None
) -> dict[str, int]:
    """Close the account of who leaves, and end what is theirs alone.

    Gives who takes over each kind, `to` where `receivers` names nobody, for
    `hand_over` and the event. Raises `Invalid` for somebody who cannot take over.
    """
    chosen = {one.key: (receivers or {}).get(one.key, to) for one in marks("owner")}
    for receiver in [to, *chosen.values()]:
        if receiver.kind != "staff" or not receiver.active or receiver.id == user.id:
            said = _("%(name)s cannot take over.", name=receiver.name)
            raise Invalid(said, errors={"to": [said]})
    if user.active:
        disable_user(user)
    for mark in marks("ends"):
        for row in db.session.scalars(mark.rows(user.id)).unique():
            db.session.delete(row)
    db.session.flush()
    return {key: one.id for key, one in chosen.items()}


def hand_over(user: User, to: Mapping[str, int], *, most: int = STEP) -> int:
    """Give at most `most` rows of `user` to who takes over; says how many.

    Each is changed as a record, so that its history and the index tell the truth.
    """
    moved = 0
    for mark in marks("owner"):
        if mark.key not in to or moved >= most:
            continue
        rows = mark.rows(user.id).limit(most - moved)
        for row in db.session.scalars(rows).unique().all():
            setattr(row, mark.attribute, to[mark.key])
            moved += 1
    db.session.flush()
    return moved


def leave(user: User, *, to: User, receivers: Mapping[str, User] | None = None) -> int:
    """Let `user` leave: closed now, a first step handed over, the rest by the worker.

    Gives how many rows have changed hands already.
    """
    chosen = close_for_leaver(user, to=to, receivers=receivers)
    moved = hand_over(user, chosen)
    announce("user.left", user, {"to": chosen})
    return moved


def go_on(event: Event) -> None:
    """Hand over the next step of who left; called by the worker until all is done."""
    user = db.session.get(User, int(event.subject.partition("/")[2]))
    if user is None or user.active:
        # Gone, or back again before all was handed over.
        return
    with acting(event.actor_id):
        if hand_over(user, event.data["to"]) == STEP:
            announce("user.handing_over", user, event.data)

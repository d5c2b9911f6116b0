"""Who stands in for whom while somebody is away.

A deputy finds the absent colleague's work beside their own; what they may read and
change stays exactly what it was.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import g, has_request_context
from sqlalchemy.orm import joinedload, lazyload

from core.db import db, now
from core.errors import Invalid, NotFound
from core.i18n import _
from core.users.models import User, UserDeputy

LONGEST = timedelta(days=366)
_NEAR = (
    UserDeputy.from_on <= sa.bindparam("soon"),
    UserDeputy.until_on >= sa.bindparam("lately"),
)


@dataclass(frozen=True)
class Absence:
    """Until when somebody is away, and the names of those to ask meanwhile."""

    until: date
    ask: tuple[str, ...]


def name_deputy(
    user: User, deputy: User, *, from_on: date, until_on: date
) -> UserDeputy:
    """Have `deputy` stand in for `user` on these days of theirs, both included.

    Raises `Invalid` for days that cannot be, or somebody who cannot stand in.
    """
    errors: dict[str, list[str]] = {}
    if deputy.id == user.id or deputy.kind != "staff" or not deputy.active:
        errors["deputy"] = [_("Choose a colleague.")]
    if until_on < from_on:
        errors["until_on"] = [_("The last day is before the first.")]
    elif until_on < today_of(user):
        errors["until_on"] = [_("These days are over.")]
    elif until_on - from_on > LONGEST:
        errors["until_on"] = [_("A year at most.")]
    if errors:
        raise Invalid(errors=errors)
    found = UserDeputy(
        user_id=user.id, deputy_id=deputy.id, from_on=from_on, until_on=until_on
    )
    db.session.add(found)
    db.session.flush()
    g.pop("rapport_deputies", None)
    return found


def end_deputy(user: User, deputy_id: int) -> None:
    """Have nobody stand in by this line any more; raises `NotFound` for another's."""
    found = db.session.get(UserDeputy, deputy_id) if deputy_id < 2**31 else None
    if found is None or found.user_id != user.id:
        raise NotFound
    db.session.delete(found)
    g.pop("rapport_deputies", None)


def deputies_named_by(user: User) -> list[UserDeputy]:
    """List who stands in for `user`, now and later."""
    query = _lines().where(
        UserDeputy.user_id == user.id, UserDeputy.until_on >= today_of(user)
    )
    return list(db.session.scalars(query))


def deputies_of(user: User) -> list[User]:
    """Name who stands in for `user` today."""
    return [one.deputy for one in _today() if one.user_id == user.id]


def acts_for(user: User) -> frozenset[int]:
    """Give the ids of the colleagues whose work `user` looks after today."""
    if user.kind != "staff":
        return frozenset()
    return frozenset(one.user_id for one in _today() if one.deputy_id == user.id)


def looked_after_by(user: User) -> frozenset[int]:
    """Give the ids of those whose work `user` looks after today, themselves too."""
    return acts_for(user) | {user.id}


def standing_in_for(user_ids: Collection[int]) -> list[UserDeputy]:
    """List who stands in today for any of these colleagues, and for whom."""
    return [one for one in _today() if one.user_id in user_ids]


def absence_of(user: User | None) -> Absence | None:
    """Say until when `user` is away and whom to ask; None while they are here."""
    if user is None:
        return None
    found = [one for one in _today() if one.user_id == user.id]
    if not found:
        return None
    names = dict.fromkeys(one.deputy.name for one in found)
    return Absence(max(one.until_on for one in found), tuple(names))


def _lines() -> sa.Select[UserDeputy]:
    plain = (lazyload(User.roles), lazyload(User.teams))
    return (
        sa.select(UserDeputy)
        .options(
            joinedload(UserDeputy.deputy).options(*plain),
            joinedload(UserDeputy.user).options(*plain),
        )
        .order_by(UserDeputy.from_on, UserDeputy.id)
    )


def _today() -> list[UserDeputy]:
    """Give all who stand in for somebody today; several parts of a page ask."""
    if not has_request_context():
        return _read_today()
    if "rapport_deputies" not in g:
        g.rapport_deputies = _read_today()
    found: list[UserDeputy] = g.rapport_deputies
    return found


def anybody_away() -> sa.Exists:
    """Ask whether there is any line near today; run it with `near_today()`.

    A page that has asked may say so by `know_all_are_here`.
    """
    return sa.exists().where(*_NEAR)


def near_today() -> dict[str, date]:
    """Give the days between which a line counts, before each is judged by its own."""
    # A day begins up to 14 hours sooner and 12 later than here.
    here, day = now().date(), timedelta(days=1)
    return {"soon": here + day, "lately": here - day}


def know_all_are_here() -> None:
    """Take it that nobody is away, which was asked with something else."""
    g.rapport_deputies = []


def _read_today() -> list[UserDeputy]:
    # Each line is judged by the clock of who is away.
    return [
        one
        for one in db.session.scalars(_near(), near_today())
        if one.deputy.active and one.from_on <= today_of(one.user) <= one.until_on
    ]


@lru_cache(maxsize=1)
def _near() -> sa.Select[UserDeputy]:
    return _lines().where(*_NEAR)


def today_of(user: User) -> date:
    """Give the date where `user` is."""
    return now().astimezone(ZoneInfo(user.timezone)).date()

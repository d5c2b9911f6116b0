"""Whether a dossier that was made may still be handed to whoever asked for it."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, TypeVar

import sqlalchemy as sa

from core.audiences import AudienceLabel
from core.contacts.models import Contact
from core.db import db
from core.interactions.models import Interaction
from core.references import seen_by
from core.users.models import User
from core.visibility import labels_of, visible_to
from plugins.interactions.dossiers.models import KeptDossier

_AT_ONCE = 500

T = TypeVar("T")


def mark_of_sight(user: User) -> str:
    """Give a mark of what `user` may do and see, to compare with another day's."""
    seen = [sorted(labels_of(user)), user.reach, sorted(user.permissions)]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def still_theirs(made: KeptDossier, user: User) -> bool:
    """Say whether `user` may read all of a dossier, and nothing in it was changed."""
    if made.sight != mark_of_sight(user) or made.made_at is None:
        return False
    if db.session.scalar(sa.select(erased_since(made.made_at))):
        return False
    # Step by step: a statement takes so many values and no more.
    return all(
        len(seen_by(user, some)) == len(some) for some in _steps(made.refs)
    ) and all(
        _unchanged(made, user, some) == len(some) for some in _steps(made.entries)
    )


def erased_since(moment: Any) -> sa.ColumnElement[bool]:
    """Say whether anybody was erased since: any dossier from before may name them."""
    return sa.exists().where(Contact.erased_at >= moment)


def _steps(whole: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(whole), _AT_ONCE):
        yield whole[start : start + _AT_ONCE]


def _unchanged(made: KeptDossier, user: User, ids: list[int]) -> int:
    query = visible_to(user, Interaction).where(
        Interaction.id.in_(ids), Interaction.updated_at <= made.made_at
    )
    if made.wanted.get("audience") == "shared":
        opened = sa.select(AudienceLabel.audience_id).where(
            AudienceLabel.label == f"shared:{made.contact_id}"
        )
        query = query.where(Interaction.audience_id.in_(opened))
    few = query.with_only_columns(sa.func.count(Interaction.id))
    return db.session.scalar(few) or 0

"""Which hand-over of a contact is under way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core.db import Record, db
from core.users.models import User
from core.visibility import visible_to
from plugins.interactions.hand_overs.models import HandOver, HandOverItem


@dataclass(frozen=True)
class OpenHandOver:
    """A line of a contact's page."""

    id: int
    giver: str
    at: datetime
    receiver: str


def open_on_contact(user: User, contact_id: Any) -> sa.Select[int, str, datetime, str]:
    """Select the latest hand-over of a contact that is not finished.

    Gives id, the giver's name, when, and the receiver's name, as a part of a larger
    statement.
    """
    giver, receiver = aliased(User), aliased(User)
    query: sa.Select[Any] = visible_to(user, HandOver)
    return (
        query.outerjoin(giver, giver.id == HandOver.giver_id)
        .outerjoin(receiver, receiver.id == HandOver.receiver_id)
        .where(HandOver.contact_id == contact_id, HandOver.finished_at.is_(None))
        .with_only_columns(
            HandOver.id, giver.name, HandOver.created_at, receiver.name.label("owner")
        )
        .order_by(HandOver.id.desc())
        .limit(1)
    )


def came_with_customer(record: Record) -> bool:
    """Say whether a record is an item of a hand-over that is not finished."""
    query = (
        sa.select(HandOverItem.id)
        .join(HandOver, HandOver.id == HandOverItem.hand_over_id)
        .where(HandOverItem.ref == record.ref, HandOver.finished_at.is_(None))
    )
    return db.session.scalar(query.limit(1)) is not None

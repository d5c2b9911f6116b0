from typing import Any, TypeVar

import sqlalchemy as sa

from core.db import db

T = TypeVar("T")


def look(query: sa.Select[Any]) -> list[Any]:
    """Read the first column as it is committed now, free of any session."""
    with db.read_only() as session:
        found = list(session.scalars(query).unique())
        session.expunge_all()
    return found


def find(model: type[T], record_id: Any) -> T:
    """Read one record as it is committed now."""
    with db.read_only() as session:
        found = session.get_one(model, record_id)
        session.expunge_all()
    return found

"""Numbers of orders and purchase orders, and the currency they are written in."""

import re

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.db import db
from core.house import house_currency
from plugins.portal.models import Sequence

__all__ = ["house_currency", "is_number", "next_number"]

# The first order of a house is SO-1001: nobody need know it was the first.
_BEFORE_FIRST = 1000


def next_number(series: str) -> str:
    """Give the next number of `series`, such as SO-1042; never the same one twice.

    Locks the series until the transaction ends, so take a number last.
    """
    take = (
        sa.update(Sequence)
        .where(Sequence.name == series)
        .values(last=Sequence.last + 1)
        .returning(Sequence.last)
        .execution_options(synchronize_session=False)
    )
    taken = db.session.scalar(take)
    if taken is None:
        try:
            with db.session.begin_nested():
                db.session.execute(
                    sa.insert(Sequence).values(name=series, last=_BEFORE_FIRST)
                )
        except IntegrityError:
            # Somebody else began the series a moment ago; the next statement waits.
            db.session.expire_all()
        taken = db.session.scalar(take)
    return f"{series}-{taken}"


def is_number(text: str) -> bool:
    """Say whether `text` is written as the numbers of a series are."""
    return re.fullmatch(r"[A-Z]{2}-[0-9]{1,12}", text) is not None

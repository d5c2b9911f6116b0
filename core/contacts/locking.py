"""Letting nobody else change some contacts until this is done."""

from collections.abc import Iterable

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db


def lock_contacts(ids: Iterable[int]) -> None:
    """Wait for whoever changes these contacts, and read them as they are then.

    They are locked in the order of their ids, so that two who want the same wait for
    one another and not for each other.
    """
    db.session.flush()
    query = sa.select(Contact).where(Contact.id.in_(list(ids)))
    query = query.order_by(Contact.id).with_for_update(of=Contact)
    db.session.scalars(query.execution_options(populate_existing=True)).all()

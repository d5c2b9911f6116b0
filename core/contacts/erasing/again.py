"""Erasing again what a restored backup brought back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.contacts.erasing.models import Erasure
from core.contacts.erasing.services import empty_contact
from core.contacts.merging.parting import part
from core.contacts.merging.services import standing_merge
from core.contacts.models import Contact
from core.db import db, table_of
from core.jobs import Job
from core.users.models import User


def erasures_in(connection: Connection) -> list[dict[str, Any]]:
    """Read who was erased in a database that is about to be replaced."""
    if not sa.inspect(connection).has_table(Erasure.__tablename__):
        return []
    erasure, contact = table_of(Erasure), table_of(Contact)
    query = sa.select(erasure, contact.c.created_at).join(
        contact, contact.c.id == erasure.c.contact_id
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def ask_again(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write down in the restored database that these are to be erased; give how many.

    Another house's contact of the same number was made at another moment.
    """
    erasure, contact, user = table_of(Erasure), table_of(Contact), table_of(User)
    asked = 0
    for row in rows:
        values = dict(row)
        made = values.pop("created_at")
        same = sa.select(contact.c.id).where(
            contact.c.id == values["contact_id"],
            contact.c.created_at == made,
            contact.c.id.not_in(sa.select(erasure.c.contact_id)),
        )
        if connection.scalar(same) is None:
            continue
        by = sa.select(user.c.id).where(user.c.id == values["by_id"])
        values["by_id"] = connection.scalar(by)
        connection.execute(sa.insert(erasure).values(values))
        asked += 1
    return asked


def erase_waiting() -> int:
    """Erase who was erased before their data came back; give how many."""
    query = sa.select(Contact, Erasure.with_others).join(
        Erasure, Erasure.contact_id == Contact.id
    )
    found = db.session.execute(query.where(Contact.erased_at.is_(None))).all()
    waiting = {contact.id for contact, _with_others in found}
    for contact, with_others in found:
        _part_from_others(contact, waiting)
        empty_contact(contact, with_others=with_others)
    return len(found)


def _part_from_others(contact: Contact, waiting: Collection[int]) -> None:
    """Part a contact from those it was parted from since: what is theirs stays.

    Where the other one went into a third in turn, that merge is parted first.
    """
    above = []
    merge = standing_merge(contact)
    while merge is not None and merge.kept_id not in waiting:
        above.append(merge)
        merge = standing_merge(merge.kept)
    for one in reversed(above):
        part(one)


def _erase_waiting() -> None:
    erase_waiting()


JOBS = [Job("contacts.erase_again", timedelta(hours=1), _erase_waiting)]

"""The contact itself, and the accounts by which a person signs in from outside."""

from typing import Any

import sqlalchemy as sa

from core.columns import ERASED_ORGANISATION, ERASED_PERSON
from core.contacts.erasing.emptying import emptied, personal_columns
from core.contacts.erasing.reach import Reach, chunks
from core.contacts.models import Contact
from core.db import db, now, table_of
from core.users.models import User
from core.users.services import disable_user


def empty_contacts(reach: Reach) -> None:
    """Take the person out of the contact, and out of those merged into it.

    What is erased lies in the trash too, from where nothing brings it back.
    """
    table = table_of(Contact)
    values: dict[Any, Any] = {one: emptied(one) for one in personal_columns(table)}
    values[table.c.name] = sa.case(
        (table.c.kind == "person", ERASED_PERSON), else_=ERASED_ORGANISATION
    )
    moment = now()
    values |= {
        table.c.next_step_on: None,
        table.c.trashed_at: sa.func.coalesce(table.c.trashed_at, moment),
        table.c.erased_at: sa.func.coalesce(table.c.erased_at, moment),
        table.c.version: table.c.version + 1,
        table.c.updated_at: moment,
    }
    for some in chunks(reach.contacts):
        statement = sa.update(table).where(table.c.id.in_(some)).values(values)
        db.session.execute(statement.execution_options(unrecorded=True))


def close_accounts(reach: Reach) -> None:
    """Sign the person out everywhere, for good, and take them out of their account."""
    table = table_of(User)
    for some in chunks(reach.accounts):
        query = sa.select(User).where(User.id.in_(some), User.active)
        for user in db.session.scalars(query).unique():
            disable_user(user)
        db.session.flush()
        values: dict[Any, Any] = {one: emptied(one) for one in personal_columns(table)}
        values[table.c.version] = table.c.version + 1
        statement = sa.update(table).where(table.c.id.in_(some)).values(values)
        db.session.execute(statement.execution_options(unrecorded=True))

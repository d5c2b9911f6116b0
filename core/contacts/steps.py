"""The next step with a contact: done, or later; and who has gone quiet."""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import lazyload

from core.contacts.lists import Wanted, contact_list, count_up_to
from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.statements import Prepared, prepared
from core.users.deputies import looked_after_by
from core.users.models import User
from core.visibility import visible_to

MOST_DAYS = 366


def due_steps(user: User, today: date, *, most: int) -> list[Contact]:
    """List the steps due by `today` of `user` and of those they stand in for."""
    query = _due(user, Contact.owner_id.in_(looked_after_by(user)), today)
    query = query.order_by(Contact.next_step_on, Contact.sort_name)
    return list(db.session.scalars(query.limit(most)))


def count_due(user: User, today: date) -> Prepared:
    """Count how many there are, as far as a hundred."""
    counted = prepared(user, _count_due)
    return counted.told(due_today=today, due_owners=sorted(looked_after_by(user)))


def _count_due(user: User) -> sa.Select[Any]:
    # One or two; told as an array, PostgreSQL would expect ten, and read all steps.
    owned = Contact.owner_id.in_(sa.bindparam("due_owners", expanding=True))
    due = _due(user, owned, sa.bindparam("due_today", type_=sa.Date))
    few = due.options(lazyload("*")).with_only_columns(Contact.id).limit(100)
    return sa.select(sa.func.count()).select_from(few.subquery("due"))


def _due(user: User, owned: sa.ColumnElement[bool], today: Any) -> sa.Select[Contact]:
    return visible_to(user, Contact).where(owned, Contact.next_step_on <= today)


def quiet_customers(user: User) -> int:
    """Count one's own customers whom nobody has been in touch with for long."""
    wanted = Wanted(role="customer", owner="me", view="quiet")
    return count_up_to(contact_list(user, wanted))


def finish_step(contact: Contact) -> None:
    """Say that the next step is done: there is none until somebody plans one."""
    contact.next_step, contact.next_step_on = "", None
    db.session.flush()


def snooze_step(contact: Contact, *, until: date, today: date) -> None:
    """Put the next step off; raises `Invalid` for a day that is not ahead."""
    if not today < until <= today + timedelta(days=MOST_DAYS):
        raise Invalid(errors={"until": [_("Choose a day from tomorrow on.")]})
    contact.next_step_on = until
    db.session.flush()


def anybody(user: User) -> bool:
    """Say whether there is any contact `user` sees."""
    query = visible_to(user, Contact).with_only_columns(Contact.id).limit(1)
    return db.session.scalar(sa.select(query.exists())) or False

"""Whom an entry is about besides the contact it is written on."""

import re
from collections.abc import Sequence

import sqlalchemy as sa

from core.contacts.finding import fold
from core.contacts.lists import Wanted, contact_list
from core.contacts.models import Contact
from core.contacts.services import contacts_with_email
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.interactions.models import Interaction
from core.permissions import me
from core.users.models import User
from core.visibility import visible_to

# So many are named where a name fits several.
NAMED = 5
MOST = 30
_COMMAS = re.compile(r"[,，、;\n]")


def named_contacts(text: str) -> list[Contact]:
    """Find the contacts that somebody named, with commas between.

    Raises `Invalid` for a name that fits nobody, or more than one.
    """
    names = [one.strip() for one in _COMMAS.split(text) if one.strip()]
    if len(names) > MOST:
        raise Invalid(errors={"with": [_("No more than %(n)s.", n=MOST)]})
    return [_named(one) for one in names]


def _named(name: str) -> Contact:
    if "@" in name:
        found = contacts_with_email(name, actor=me())
    else:
        exactly = visible_to(me(), Contact).where(Contact.sort_name == fold(name)[:200])
        found = list(db.session.scalars(exactly.limit(NAMED)))
        if not found:
            query = contact_list(me(), Wanted(q=name)).order_by(Contact.sort_name)
            found = list(db.session.scalars(query.limit(NAMED)))
    if len(found) == 1:
        return found[0]
    said = _("There is no contact “%(name)s”.", name=name)
    if found:
        said = _(
            "“%(name)s” fits more than one: %(names)s. Write the whole name.",
            name=name,
            names=", ".join(one.name for one in found),
        )
    raise Invalid(errors={"with": [said]})


def participants_of(entry: Interaction, user: User) -> list[tuple[int, str]]:
    """Give whom else an entry is about, as far as `user` sees them: id and name."""
    others = [one for one in entry.contact_ids if one != entry.contact_id]
    return names_of(others, user)


def names_of(ids: Sequence[int], user: User) -> list[tuple[int, str]]:
    """Give the names of contacts that `user` sees; who was erased still took part."""
    if not ids:
        return []
    here = sa.or_(Contact.trashed_at.is_(None), Contact.erased_at.is_not(None))
    query = visible_to(user, Contact, trashed=True).where(Contact.id.in_(ids), here)
    found = db.session.scalars(query.order_by(Contact.sort_name))
    return [(one.id, one.name) for one in found]

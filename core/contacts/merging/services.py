"""Merging two contacts: nothing is lost, and it can be undone."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from core.contacts.affiliations import touch
from core.contacts.finding import index_contact
from core.contacts.locking import lock_contacts
from core.contacts.merging.events import MERGED
from core.contacts.merging.fields import Choice, outcome
from core.contacts.merging.models import Merge
from core.contacts.merging.moving import move_all, plain, tell_of, write_journal
from core.contacts.merging.readers import NewReader, marks_of, new_readers
from core.contacts.models import Contact
from core.db import db, now
from core.errors import Conflict, Invalid, NotFound
from core.events import actor as acting_now
from core.events import announce
from core.i18n import _
from core.users.models import User
from core.visibility import get_visible


class Unconfirmed(Invalid):
    """Somebody would come to see something, and nobody said yes to it."""

    def __init__(self, readers: list[NewReader], *, again: bool):
        """Keep who it is; `again` when the list grew since it was agreed to."""
        said = _("Look who would come to see what, and say that it is right.")
        if again:
            said = _("More would become visible than you agreed to. Look again.")
        super().__init__(said, errors={"readers": [said]})
        self.readers = readers


def check_mergeable(kept: Contact, gone: Contact) -> None:
    """Raise `Invalid` for two that can never be one, `Conflict` for one put away."""
    said = ""
    if kept.id == gone.id:
        said = _("This is the same contact. Choose another one.")
    elif kept.kind != gone.kind:
        said = _("A person and an organisation cannot be merged.")
    if said:
        raise Invalid(said, errors={"contact": [said]})
    for one in (kept, gone):
        if one.merged_into_id is not None:
            raise Conflict(_("%(name)s was merged already.", name=one.name))
        if one.trashed_at is not None:
            said = _("%(name)s is in the trash. Bring it back first.", name=one.name)
            raise Conflict(said)


def merge(
    kept: Contact,
    gone: Contact,
    *,
    actor: User | None,
    choice: Choice | None = None,
    accepted: Collection[str] = (),
    versions: Mapping[int, int] | None = None,
) -> Merge:
    """Make two contacts one: `kept` stays, and gets all that pointed to `gone`.

    `accepted` are the marks of the new readers that somebody said yes to. Raises
    `Unconfirmed` where there are others, `Conflict` when one of `versions`, by id, is
    no longer the current one or one was merged or put away meanwhile, and `Invalid`
    for what cannot be.
    """
    lock_contacts([kept.id, gone.id])
    check_mergeable(kept, gone)
    _check_versions((kept, gone), versions or {})
    changed = outcome(kept, gone, choice or Choice())
    readers = new_readers(kept, gone, changed, actor)
    if not marks_of(readers) <= set(accepted):
        raise Unconfirmed(readers, again=bool(accepted))
    made = Merge(kept_id=kept.id, gone_id=gone.id, merged_by_id=acting_now())
    db.session.add(made)
    db.session.flush()
    _change(made, kept, changed)
    _put_away(gone, kept)
    touched = move_all(made.id, kept.id, gone.id)
    tell_of(touched)
    tell_of({Contact: {gone.id}}, ["merged_into_id"])
    data = {"merge": made.id, "kept": made.kept_id, "gone": made.gone_id}
    announce(MERGED.name, kept, data)
    return made


def _check_versions(contacts: Collection[Contact], versions: Mapping[int, int]) -> None:
    for one in contacts:
        if versions.get(one.id, one.version) != one.version:
            said = _(
                "%(name)s was changed while you were here. Look again.", name=one.name
            )
            raise Conflict(said)


def _change(made: Merge, kept: Contact, changed: Mapping[str, Any]) -> None:
    """Give the one that stays its values; each cell goes into the journal."""
    columns = sa.inspect(Contact).column_attrs
    cells = [
        {
            "table_name": Contact.__tablename__,
            "column_name": columns[name].columns[0].name,
            "key": {"id": kept.id},
            "old": plain(getattr(kept, name)),
            "new": plain(value),
        }
        for name, value in changed.items()
    ]
    for name, value in changed.items():
        setattr(kept, name, value)
    index_contact(kept)
    # Also without a changed value it is another contact now.
    touch(kept)
    db.session.flush()
    write_journal(made.id, cells)


def _put_away(gone: Contact, kept: Contact) -> None:
    """Take the one that goes out of every list; its row keeps all that it had.

    Not by its attributes: that would be a change somebody could take back alone.
    """
    away = (
        sa.update(Contact)
        .where(Contact.id == gone.id)
        .values(merged_into_id=kept.id, trashed_at=now())
        .execution_options(unrecorded=True, synchronize_session=False)
    )
    db.session.execute(away)


def standing_merge(gone: Contact) -> Merge | None:
    """Give the merge by which `gone` went into another contact, if it did."""
    query = sa.select(Merge).where(Merge.gone_id == gone.id, Merge.parted_at.is_(None))
    return db.session.scalar(query)


def merges_into(kept: Contact, user: User) -> list[Merge]:
    """List what went into a contact, as far as `user` sees it, the latest first."""
    query = sa.select(Merge).where(Merge.kept_id == kept.id, Merge.parted_at.is_(None))
    found = []
    for one in db.session.scalars(query.order_by(Merge.id.desc())):
        try:
            get_visible(user, Contact, one.gone_id, trashed=True)
        except NotFound:
            continue
        found.append(one)
    return found


def became(contact: Contact, user: User) -> Contact | None:
    """Give what a merged contact became, as far as `user` sees it."""
    seen = {contact.id}
    while contact.merged_into_id is not None and contact.merged_into_id not in seen:
        seen.add(contact.merged_into_id)
        contact = db.session.get_one(Contact, contact.merged_into_id)
    try:
        return get_visible(user, Contact, contact.id)
    except NotFound:
        return None

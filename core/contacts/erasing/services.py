"""Erasing the data of a person or an organisation, once and for good.

It is one transaction: after it the person is in no row any more, and nothing can be
undone. The search index, open pages and everybody who listens follow by events.
"""

import sqlalchemy as sa

from core.contacts.erasing.emptying import empty_reach
from core.contacts.erasing.mentions import called, theirs_alone
from core.contacts.erasing.models import Erasure
from core.contacts.erasing.people import close_accounts, empty_contacts
from core.contacts.erasing.reach import Reach, reach_of, same_person
from core.contacts.erasing.traces import erase_traces
from core.contacts.finding import fold
from core.contacts.locking import lock_contacts
from core.contacts.models import Contact
from core.db import db
from core.errors import Conflict, Invalid
from core.events import announce
from core.i18n import _
from core.users.models import User

ERASED = "contact.erased"
SHORTEST, LONGEST = 10, 500


def erase_contact(
    contact: Contact,
    *,
    reason: str,
    confirm: str,
    with_others: bool,
    by: User | None,
) -> Erasure:
    """Erase everything that is held about `contact`; nothing brings it back.

    `confirm` is the contact's name, typed again. `with_others` also takes the words of
    entries that concern others too. Raises `Invalid` without a name typed right or a
    reason that says something and names nobody, and `Conflict` the second time.
    """
    lock_contacts(same_person(contact))
    ids = same_person(contact)
    if contact.erased_at is not None:
        raise Conflict(_("This was erased already."))
    if contact.merged_into_id is not None:
        raise Conflict(_("This was merged into another contact. Erase that one."))
    reason = reason.strip()
    _check(contact, reason=reason, confirm=confirm)
    said = {"reason": reason, "with_others": with_others}
    said["by_id"] = by.id if by else None
    # A backup from before may have each of them as a contact of its own.
    db.session.add_all([Erasure(contact_id=one, **said) for one in ids])
    db.session.flush()
    done = db.session.get_one(Erasure, contact.id)
    empty_contact(contact, with_others=with_others)
    announce(ERASED, contact, {"with_others": with_others})
    return done


def empty_contact(contact: Contact, *, with_others: bool) -> Reach:
    """Take a contact's data out of every table; doing so twice is harmless."""
    reach = reach_of(contact, with_others=with_others)
    same = sa.select(Contact).where(Contact.id.in_(reach.contacts))
    accounts = sa.select(User).where(User.id.in_(reach.accounts))
    known_as = called(
        db.session.scalars(same).unique(), db.session.scalars(accounts).unique()
    )
    alone = theirs_alone(known_as.telling, reach.contacts)
    close_accounts(reach)
    empty_reach(reach)
    erase_traces(reach, known_as, alone)
    empty_contacts(reach)
    db.session.flush()
    # What was read before still has the words.
    db.session.expire_all()
    return reach


def _check(contact: Contact, *, reason: str, confirm: str) -> None:
    errors: dict[str, list[str]] = {}
    if fold(confirm) != fold(contact.name) or not confirm.strip():
        errors["confirm"] = [_("Type the name exactly as it stands above.")]
    if not SHORTEST <= len(reason) <= LONGEST:
        errors["reason"] = [_("Say in a sentence why the data is erased.")]
    elif called([contact]).is_in(reason):
        said = _("The reason is kept for good. Leave out the name and addresses.")
        errors["reason"] = [said]
    if errors:
        raise Invalid(errors=errors)


def erasure_of(contact: Contact) -> Erasure | None:
    """Give by whom and why a contact was erased, if it was."""
    if contact.erased_at is None:
        return None
    return db.session.get(Erasure, contact.id)

"""Taking back what was changed of an entry, by whoever changed it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core.audiences import Audience, AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.errors import Conflict
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.interactions import permissions
from core.interactions.linked import linked_records, links_of
from core.interactions.models import Interaction
from core.interactions.opening import lock_waiting
from core.interactions.rules import check_may_change
from core.interactions.services import (
    change_interaction,
    pin_interaction,
    restore_interaction,
    trash_interaction,
)
from core.records import Undo
from core.users.models import User
from core.visibility import visible_to

_FIELDS = {
    "body": _l("Text"),
    "subject": _l("Subject"),
    "kind": _l("Kind"),
    "occurred_at": _l("When"),
    "direction": _l("Direction"),
    "source": _l("Source"),
    "details": _l("Details"),
    "pinned_at": _l("Pinned"),
    "trashed_at": _l("Trash"),
}
# What left and came beside the columns, as the services tell it.
BESIDE = {"about": _l("With"), "linked": _l("Linked to")}


def put_back_interaction(
    interaction: Interaction, values: Mapping[str, Any], actor: User
) -> None:
    """Give an entry former values again; refuses what the other services refuse."""
    rest = dict(values)
    if "trashed_at" in rest:
        back = rest.pop("trashed_at") is None
        (restore_interaction if back else trash_interaction)(interaction, actor=actor)
    if "pinned_at" in rest:
        pin_interaction(interaction, pinned=rest.pop("pinned_at") is not None)
    if "about" in rest:
        rest["contacts"] = _about_before(interaction, rest.pop("about"), actor)
    if "linked" in rest:
        rest["links"] = _linked_before(interaction, rest.pop("linked"), actor)
    if rest:
        change_interaction(interaction, actor=actor, **rest)


def _about_before(
    interaction: Interaction, change: Sequence[list[int]], actor: User
) -> list[Contact]:
    """Give whom the entry was about before, as far as `actor` sees them."""
    gone, new = change
    ids = {*interaction.contact_ids, *gone, *new}
    query = visible_to(actor, Contact).where(Contact.id.in_(ids))
    seen = {one.id: one for one in db.session.scalars(query).unique()}
    is_about = [one for one in interaction.contact_ids if one in seen]
    return [seen[one] for one in _before(is_about, gone, new, seen)]


def _linked_before(
    interaction: Interaction, change: Sequence[list[str]], actor: User
) -> list[str]:
    """Give what the entry was linked to before, as far as `actor` sees it."""
    gone, new = change
    seen = {one.ref for one in linked_records([*gone, *new], actor)}
    return _before(links_of([interaction], actor)[interaction.id], gone, new, seen)


def _before(
    stands: Collection[Any],
    gone: Collection[Any],
    new: Collection[Any],
    seen: Collection[Any],
) -> list[Any]:
    """Take a change of a list back; what its reader does not see is left alone.

    Raises `Conflict` where the list is no longer what the change made of it.
    """
    came = [one for one in new if one in seen]
    left = [one for one in gone if one in seen]
    moved_on = any(one in stands for one in left) or any(
        one not in stands for one in came
    )
    if moved_on or not (came or left):
        raise Conflict(_("This was changed again since. Look at it first."))
    return [*left, *(one for one in stands if one not in came)]


UNDO = Undo(permissions.WRITE, _FIELDS, put_back_interaction, beside=BESIDE)


def take_back_opening(entry: Interaction, *, actor: User) -> Interaction:
    """Take back that an entry was opened to people outside, before they see it.

    One that was open to others before is for those again. A new one goes into the
    trash, for its author alone, so that its words can be sent once more. Raises
    `Conflict` when it is too late.
    """
    check_may_change(actor, entry)
    found = lock_waiting(entry)
    before_id = found.opens_from_id
    before = db.session.get(Audience, before_id) if before_id else None
    if before is None:
        trash_interaction(found, actor=actor)
    alone = AudienceSpec("private", users=frozenset({found.author_id or actor.id}))
    spec = before.spec if before else alone
    # It was for those readers before, so nobody is asked once more.
    change_interaction(found, actor=actor, audience=spec)
    found.opens_at = found.opens_from_id = None
    db.session.flush()
    return found

"""What somebody has arranged for themselves: their keys and their pinned contacts."""

from flask import g

from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.users.models import User, UserDesk

# The single keys that can be changed, and what they do where there is something to do.
KEYS = {
    "n": _l("Write note"),
    "c": _l("Log a call"),
    "t": _l("New ticket"),
    "e": _l("Edit"),
    "r": _l("Reply"),
    "/": _l("Filter"),
    "j": _l("Next line"),
    "k": _l("Previous line"),
    "x": _l("Select the line"),
    "[": _l("Previous record of the list"),
    "]": _l("Next record of the list"),
    "u": _l("To the first unread"),
    "p": _l("Pin"),
    "s": _l("Snooze"),
    "z": _l("Undo the last act"),
    "g": _l("Go to, with a second key"),
    "?": _l("Show the keys"),
}


def desk_of(user: User) -> UserDesk:
    """Give what `user` has arranged; read with the account, and not written."""
    if "rapport_desk" not in g:
        g.rapport_desk = user.desk or UserDesk(
            user_id=user.id, single_keys=True, changed_keys={}, pinned=[]
        )
    desk: UserDesk = g.rapport_desk
    return desk


def _own_desk(user: User) -> UserDesk:
    """Give the row of `user` to be written, adding it if there is none."""
    desk = desk_of(user)
    if desk not in db.session:
        db.session.add(desk)
    return desk


def keys_setting(user: User) -> dict[str, str] | str:
    """Say to the page's scripts which keys are changed; "off" for none at all."""
    desk = desk_of(user)
    return desk.changed_keys if desk.single_keys else "off"


def change_keys(user: User, *, single_keys: bool, chosen: dict[str, str]) -> None:
    """Keep which single keys `user` wants; `chosen` gives one for each usual key.

    Raises `Invalid` for what is no single key, or stands twice.
    """
    errors = {}
    for usual, key in chosen.items():
        if key and (len(key) != 1 or not key.isprintable() or key.isspace()):
            errors[usual] = [_("One letter or sign, or nothing.")]
        elif key and list(chosen.values()).count(key) > 1:
            errors[usual] = [_("This key has two meanings.")]
    if errors:
        raise Invalid(errors=errors)
    desk = _own_desk(user)
    desk.single_keys = single_keys
    desk.changed_keys = {one: key for one, key in chosen.items() if key != one}


def pin(user: User, contact_id: int, *, most: int) -> bool:
    """Pin a contact, or take its pin off; say whether it is pinned now.

    The one pinned first goes when there would be more than `most`.
    """
    desk = _own_desk(user)
    others = [one for one in desk.pinned if one != contact_id]
    pinned = len(others) == len(desk.pinned)
    desk.pinned = [*others, contact_id][-most:] if pinned else others
    return pinned

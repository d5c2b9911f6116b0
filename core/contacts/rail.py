"""The contacts at hand: pinned, seen last, and found while somebody types.

Which ones were seen last is kept in the signed cookie of the browser, so it goes with
it and costs the database nothing; the names are read anew, as far as one may see them.
"""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from flask import session
from sqlalchemy.orm import lazyload

from core.contacts import finding, lists
from core.contacts.models import Contact, ContactKey
from core.contacts.permissions import READ
from core.db import db
from core.i18n import _
from core.links import url_for
from core.permissions import can
from core.sight import among
from core.statements import prepared
from core.users.desk import desk_of
from core.users.models import User
from core.visibility import visible_to

SHOWN: Final = 5
KEPT: Final = 9
_COOKIE: Final = "seen"


def remember(contact: Contact, user: User) -> None:
    """Keep in the browser that `user` opened `contact` just now."""
    before = [one for one in _seen(user) if one != contact.id]
    session[_COOKIE] = [user.id, contact.id, *before][: KEPT + 1]


def _seen(user: User) -> list[int]:
    kept = session.get(_COOKIE)
    # Another account that signs in at this browser begins with nothing.
    if not isinstance(kept, list) or kept[:1] != [user.id]:
        return []
    return [one for one in kept[1:] if isinstance(one, int)]


def visited(user: User, *, most: int) -> list[dict[str, Any]]:
    """Give the contacts `user` saw last, the latest first."""
    return _lines(user, _seen(user))[:most]


def at_hand(user: User) -> dict[str, list[dict[str, Any]]]:
    """Give the rail its contacts in one statement: `pinned`, and `recent` ones."""
    if not can(READ, user):
        return {"pinned": [], "recent": []}
    pinned = desk_of(user).pinned
    lines = {one["id"]: one for one in _lines(user, [*pinned, *_seen(user)])}
    return {
        "pinned": [lines[one] for one in pinned if one in lines],
        "recent": [one for one in lines.values() if one["id"] not in pinned][:SHOWN],
    }


def _lines(user: User, ids: list[int]) -> list[dict[str, Any]]:
    if not ids:
        return []
    found = {one["id"]: one for one in _told(prepared(user, _by_id).rows(ids=ids))}
    return [found[one] for one in dict.fromkeys(ids) if one in found]


def _by_id(user: User) -> sa.Select[Any]:
    return _titles(visible_to(user, Contact).where(among(Contact.id, "ids")))


def _titles(query: sa.Select[Contact]) -> sa.Select[Any]:
    return query.options(lazyload("*")).with_only_columns(
        Contact.id, Contact.name, Contact.kind, Contact.phones
    )


def _told(rows: Sequence[Any], digits: str = "") -> list[dict[str, Any]]:
    return [
        {
            "id": row.id,
            "title": row.name,
            "kind": row.kind,
            "url": url_for("contacts.show", contact_id=row.id),
            "why": _number_with(row.phones, digits),
        }
        for row in rows
    ]


def named(user: User, text: str) -> list[dict[str, Any]]:
    """Find people and organisations by the beginning of a name, mail or number."""
    if not text or not can(READ, user):
        return []
    query = lists.contact_list(user, lists.Wanted(q=text[:100]))
    digits = "".join(one for one in text if one.isdigit()).lstrip("0")
    few = _titles(query.order_by(Contact.sort_name, Contact.id).limit(SHOWN))
    return _told(db.session.execute(few).all(), digits)


def _number_with(phones: list[dict[str, Any]], digits: str) -> str:
    """Give the number that `digits` found: "… 4567 mobile"."""
    for phone in phones if len(digits) > 2 else []:
        number = str(phone.get("number") or "")
        if digits in "".join(one for one in number if one.isdigit()):
            return f"{number} {phone.get('label') or ''}".strip()
    return ""


def tags_like(user: User, text: str = "", *, most: int = SHOWN) -> list[str]:
    """Give the tags that begin with `text` on contacts `user` sees, as folded."""
    start = finding.fold(text)[:60]
    seen = visible_to(user, Contact).options(lazyload("*"))
    query = sa.select(ContactKey.value).where(
        ContactKey.kind == "tag",
        ContactKey.contact_id.in_(seen.with_only_columns(Contact.id)),
    )
    if start:
        query = query.where(ContactKey.value.startswith(start, autoescape=True))
    query = query.distinct().order_by(ContactKey.value).limit(most)
    return list(db.session.scalars(query))


def tagged(user: User, text: str) -> list[dict[str, Any]]:
    """Give the lists of contacts with a tag that begins with `text`."""
    if not can(READ, user):
        return []
    return [
        {"title": f"#{tag}", "url": url_for("contacts.index", tag=tag)}
        for tag in tags_like(user, text)
    ]


def palette_lines(user: User, text: str) -> list[dict[str, Any]]:
    """Give Ctrl-K the contacts for `text`, under the name their type has."""
    return [{"group": _("Contact"), **one} for one in named(user, text)]

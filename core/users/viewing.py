"""View as customer: a colleague sees the portal as one of its users sees it.

It belongs to one sign-in, ends by itself, and only reads: `core.permissions` shuts
every door behind which something would change, and those of what is personal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import g

from core.contacts.models import Contact
from core.db import db, now
from core.errors import NotFound
from core.events import announce
from core.i18n import _, in_language
from core.permissions import me, onlooker
from core.users.models import User, UserSession
from core.users.permissions import VIEW_AS
from core.users.sessions import hash_secret, user_of_session
from core.visibility import get_visible, visible_to

STARTED = "user.viewed_as"
LASTS = timedelta(minutes=30)


@dataclass(frozen=True)
class Strip:
    """What the portal's pages say to who only looks, in that person's own language."""

    language: str
    words: str
    why: str
    stop: str


def reader_of(secret: str) -> User | None:
    """Give whose pages a cookie opens: its owner's, or those they look at just now."""
    user = user_of_session(secret)
    if user is None or user.views_as is None:
        return user
    seen = _found(user, user.views_as)
    if seen is None:
        return user
    # Signing out ends the sign-in of the colleague who looks.
    seen.session_secret = secret
    g.onlooker = user
    return seen


def _found(colleague: User, user_id: int) -> User | None:
    """Find whom `colleague` may look as; asked again with every page."""
    seen = db.session.get(User, user_id)
    if seen is None or VIEW_AS.name not in colleague.permissions:
        return None
    return seen if _who_may_be_seen(colleague, [seen]) else None


def _theirs(user: User) -> set[int]:
    """Give the contacts that somebody outside stands for."""
    return {one for one in (user.contact_id, user.person_id) if one is not None}


def _who_may_be_seen(colleague: User, users: Sequence[User]) -> list[User]:
    """Keep those outside who are active, and whose contacts `colleague` sees."""
    ids = set[int]().union(*(_theirs(one) for one in users))
    query = visible_to(colleague, Contact).where(Contact.id.in_(ids))
    seen = {one.id for one in db.session.scalars(query).unique()}
    outside = (one for one in users if one.kind != "staff" and one.active)
    return [one for one in outside if _theirs(one) and _theirs(one) <= seen]


def people_of(colleague: User, contact: Contact) -> Sequence[User]:
    """List who signs in to the portal for `contact` and may be looked as, by name."""
    query = (
        sa.select(User)
        .where(User.active, User.kind != "staff")
        .where(sa.or_(User.contact_id == contact.id, User.person_id == contact.id))
        .order_by(User.name, User.id)
        .limit(200)
    )
    return _who_may_be_seen(colleague, db.session.scalars(query).unique().all())


def last_seen(users: Sequence[User]) -> dict[int, datetime]:
    """Say when each of `users` was last there, as far as their sign-ins are kept."""
    query = (
        sa.select(UserSession.user_id, sa.func.max(UserSession.seen_at).label("at"))
        .where(UserSession.user_id.in_([one.id for one in users]))
        .group_by(UserSession.user_id)
    )
    return {row.user_id: row.at for row in db.session.execute(query)}


def start(colleague: User, user_id: int) -> User:
    """Look as somebody for half an hour in this browser; raises `NotFound`."""
    seen = get_visible(colleague, User, user_id)
    if not _who_may_be_seen(colleague, [seen]):
        raise NotFound
    _keep(colleague, seen.id, now() + LASTS)
    announce(STARTED, seen)
    return seen


def stop(colleague: User) -> None:
    """See one's own pages again."""
    _keep(colleague, None, None)


def _keep(colleague: User, user_id: int | None, until: datetime | None) -> None:
    held = UserSession.secret_hash == hash_secret(colleague.session_secret or "")
    changes = {"viewing_id": user_id, "viewing_until": until}
    db.session.execute(sa.update(UserSession).where(held).values(changes))


def strip() -> Strip | None:
    """Say what stands above a page of the portal while a colleague looks at it."""
    colleague = onlooker()
    if colleague is None or not me().is_authenticated:
        return None
    name = me().name
    with in_language(colleague.language):
        return Strip(
            language=colleague.language,
            words=_("You see what %(name)s sees. Read only.", name=name),
            why=_("You only look. Press Stop to do something yourself."),
            stop=_("Stop"),
        )

"""Searches that a colleague keeps, and hearing of what is new in them."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

import sqlalchemy as sa

from core.db import db, now
from core.errors import Invalid, NotFound
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.links import url_for
from core.notifications.services import notify
from core.pages import NotificationKind
from core.permissions import can
from core.users.models import User
from plugins.search.asking import Refined
from plugins.search.models import SavedSearch
from plugins.search.permissions import READ
from plugins.search.planning import MAX_QUERY
from plugins.search.services import Found, search

NEWS = NotificationKind("search.news", _l("New hits of a search you keep"), "search")
# More than anybody reads; each with news is asked again and again.
MOST = 50
# So many of the newest hits are looked at.
LOOKED_AT = 50
# What was written just before it was looked for may come into the index after.
LATE = timedelta(minutes=10)


def searches_of(user: User) -> Sequence[SavedSearch]:
    """List what `user` keeps, the oldest first."""
    query = sa.select(SavedSearch).where(SavedSearch.user_id == user.id)
    return db.session.scalars(query.order_by(SavedSearch.id)).all()


def kept_as(user: User, text: str, kind: str) -> SavedSearch | None:
    """Find a search that `user` keeps already."""
    if not _can_be_kept(text, kind):
        return None
    query = sa.select(SavedSearch).where(
        SavedSearch.user_id == user.id,
        SavedSearch.text == text,
        SavedSearch.kind == kind,
    )
    return db.session.scalar(query)


def _can_be_kept(text: str, kind: str) -> bool:
    # PostgreSQL takes no NUL in a text, not even to compare with.
    in_size = 0 < len(text) <= MAX_QUERY and len(kind) <= 60
    return in_size and "\x00" not in text + kind


def own_search(user: User, search_id: int) -> SavedSearch:
    """Give a search that `user` keeps; raises `NotFound` for anybody else's."""
    found = db.session.get(SavedSearch, search_id) if search_id < 2**31 else None
    if found is None or found.user_id != user.id:
        raise NotFound
    return found


def keep_search(user: User, text: str, kind: str = "") -> SavedSearch:
    """Keep a search; twice is once. Raises `Invalid` for none, and for too many."""
    text, kind = text.strip(), kind.strip()
    if not _can_be_kept(text, kind):
        raise Invalid(errors={"q": [_("Write what to look for.")]})
    known = kept_as(user, text, kind)
    if known is not None:
        return known
    if len(searches_of(user)) >= MOST:
        said = _("At most %(num)d searches are kept. Forget one first.", num=MOST)
        raise Invalid(said)
    made = SavedSearch(user_id=user.id, text=text, kind=kind)
    db.session.add(made)
    db.session.flush()
    return made


def want_news(kept: SavedSearch, *, wanted: bool) -> None:
    """Have its owner told of new hits from now on, or not any more."""
    if wanted and not kept.wants_news:
        kept.looked_at = now()
        # What is there already is no news.
        kept.told = [one.ref for one in _fresh(kept) or ()]
    kept.wants_news = wanted
    db.session.flush()


def forget_search(kept: SavedSearch) -> None:
    """Keep a search no longer."""
    db.session.delete(kept)
    db.session.flush()


def tell_news() -> None:
    """Tell who wants to know of the hits that came since they were last told."""
    with db.read_only() as session:
        query = sa.select(SavedSearch.id).where(SavedSearch.wants_news)
        ids = session.scalars(query.order_by(SavedSearch.id)).all()
    for search_id in ids:
        with db.transaction() as session:
            kept = session.get(SavedSearch, search_id)
            if kept is not None and kept.wants_news:
                _tell(kept)


def _fresh(kept: SavedSearch) -> list[Found] | None:
    """Find the hits that came since it was looked; None while nobody can say."""
    types = [kept.kind] if kept.kind else ()
    newest = Refined("newest")
    results = search(kept.user, kept.text, types=types, limit=LOOKED_AT, refined=newest)
    if results.is_degraded or results.is_partial:
        return None
    since = kept.looked_at - LATE
    return [one for one in results.items if one.record.created_at > since]


def _tell(kept: SavedSearch) -> None:
    began, user = now(), kept.user
    fresh = _fresh(kept) if user.active and can(READ, user) else None
    if fresh is None:
        return
    news = [one for one in fresh if one.ref not in kept.told]
    kept.looked_at, kept.told = began, [one.ref for one in fresh]
    if not news:
        return
    words = {"words": kept.text, "title": news[0].title, "count": len(news)}
    one = _l("New for “%(words)s”: %(title)s", **words)
    many = _l("%(count)d new hits for “%(words)s”", **words)
    notify(
        [user],
        kind=NEWS.name,
        text=one if len(news) == 1 else many,
        key=f"{NEWS.name}:{kept.id}:{news[0].ref}:{began.timestamp():.0f}",
        url=f"/search?{urlencode({'q': kept.text, 'type': kept.kind, 'sort': 'new'})}",
    )


def address_of(kept: SavedSearch) -> str:
    """Give the page of a search."""
    return url_for("search.index", q=kept.text, type=kept.kind or None)

"""What lets somebody in: the sessions of browsers and the tokens of programs."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import joinedload

from core import settings
from core.columns import id_in
from core.db import db, now
from core.errors import Invalid, NotFound
from core.i18n import _
from core.permissions import declared_permissions
from core.users import deputies
from core.users.models import ApiToken, FailedSignIn, User, UserSession

SEEN_EVERY = timedelta(minutes=5)
# Failed sign-ins are counted for a quarter of an hour.
FORGOTTEN_AFTER = timedelta(hours=1)
# Enough to tell which token leaked, and nothing to guess from.
SHOWN_OF_A_TOKEN = 4


def hash_secret(secret: str) -> str:
    """Hash a random secret of ours; it needs no salt, since nobody can guess it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def open_session(
    user: User, *, days: int, address: str | None = None, browser: str | None = None
) -> str:
    """Start a sign-in that lasts `days`; gives the secret for the cookie."""
    secret = secrets.token_urlsafe(32)
    db.session.add(
        UserSession(
            secret_hash=hash_secret(secret),
            user_id=user.id,
            expires_at=now() + timedelta(days=days),
            address=address,
            browser=(browser or "")[:200],
        )
    )
    return secret


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, and what was read of the house in the same statement."""

    user: User
    stamp: Any
    is_anybody_away: bool

    def remember(self) -> User:
        """Let this request or look know what was read already; gives the user."""
        settings.know_stamp(self.stamp)
        if not self.is_anybody_away:
            deputies.know_all_are_here()
        return self.user


def user_of_session(secret: str) -> User | None:
    """Find who is signed in with the secret of a cookie, or nobody."""
    if found := users_of_sessions([secret]).get(secret):
        found.user.session_secret = secret
        return found.remember()
    return None


def users_of_sessions(secrets: Sequence[str]) -> dict[str, SignedIn]:
    """Find who is signed in, for many cookies in one statement, by their secrets."""
    by_hash = {hash_secret(one): one for one in secrets}
    hashes = list(by_hash)
    many = len(hashes) > 1
    rows = db.session.execute(
        _signed_in(many),
        {
            "hashes": hashes if many else hashes[0],
            "at": now(),
            "idle": _idle_since(),
            **deputies.near_today(),
        },
    )
    found, unmarked = {}, []
    # Each role and team is a row of its own.
    for row in rows.unique(itemgetter(0)).all():
        session_id, hashed, seen_at, user, viewing_id, until, stamp, away = row
        if seen_at < now() - SEEN_EVERY:
            unmarked.append(session_id)
        if until is not None and until > now():
            user.views_as = viewing_id
        user.viewed_until = until
        found[by_hash[hashed]] = SignedIn(user, stamp, bool(away))
    if unmarked:
        _note_use(UserSession, unmarked, seen_at=now())
    return found


@lru_cache(maxsize=2)
def _signed_in(many: bool) -> sa.Select[Any]:
    # Every request begins with it, so it is put together once.
    hashed = UserSession.secret_hash
    told: sa.BindParameter[str] = sa.bindparam("hashes", expanding=many)
    return (
        sa.select(
            UserSession.id,
            hashed,
            UserSession.seen_at,
            User,
            UserSession.viewing_id,
            UserSession.viewing_until,
            settings.stamp(),
            deputies.anybody_away(),
        )
        .join(User, User.id == UserSession.user_id)
        .where(
            hashed.in_(told) if many else hashed == told,
            UserSession.expires_at > sa.bindparam("at"),
            UserSession.seen_at > sa.bindparam("idle"),
            User.active,
        )
        .options(*map(joinedload, (User.roles, User.teams, User.desk)))
    )


def _note_use(
    model: type[UserSession] | type[ApiToken], row_ids: list[int], **values: datetime
) -> None:
    used = sa.update(model).where(model.id.in_(row_ids)).values(values)
    db.aside(lambda: db.session.execute(used))


def end_session(secret: str) -> None:
    """Sign out: the cookie's secret opens nothing any more."""
    db.session.execute(
        sa.delete(UserSession).where(UserSession.secret_hash == hash_secret(secret))
    )


def end_sessions(user: User, *, but: str | None = None) -> None:
    """Sign `user` out everywhere, or everywhere `but` where this secret is held."""
    ended = sa.delete(UserSession).where(UserSession.user_id == user.id)
    if but is not None:
        ended = ended.where(UserSession.secret_hash != hash_secret(but))
    db.session.execute(ended)


def end_one_session(user: User, session_id: int) -> None:
    """Sign `user` out in one browser; raises `NotFound` when it is not theirs."""
    found = db.session.scalar(_alive(user).where(UserSession.id == _small(session_id)))
    if found is None:
        raise NotFound
    db.session.delete(found)


def open_sessions(user: User) -> list[UserSession]:
    """List where `user` is signed in, the browser used last first."""
    return list(db.session.scalars(_alive(user).order_by(UserSession.seen_at.desc())))


def _alive(user: User) -> sa.Select[UserSession]:
    return sa.select(UserSession).where(UserSession.user_id == user.id, *_not_ended())


def _not_ended() -> tuple[sa.ColumnElement[bool], ...]:
    return UserSession.expires_at > now(), UserSession.seen_at > _idle_since()


def _idle_since() -> datetime:
    idle: float = current_app.config["SESSION_IDLE_DAYS"]
    return now() - timedelta(days=idle)


def _small(number: int) -> int:
    """Take a number from an address only as far as the column goes."""
    if not 0 < number < 2**31:
        raise NotFound
    return number


def create_token(
    user: User, *, scopes: Iterable[str], name: str = "", days: int | None = None
) -> tuple[ApiToken, str]:
    """Make an API token; gives its row and the secret, which is shown only once.

    Raises `Invalid` for a scope that no plugin declares.
    """
    wanted = sorted(set(scopes))
    unknown = [s for s in wanted if s != "*" and s not in declared_permissions()]
    if unknown or not wanted:
        said = _(
            "There is no scope %(names)s. There are: %(known)s",
            names=", ".join(unknown) or "''",
            known=", ".join(["*", *sorted(declared_permissions())]),
        )
        raise Invalid(said, errors={"scopes": [said]})
    secret = f"rap_{secrets.token_urlsafe(32)}"
    token = ApiToken(
        secret_hash=hash_secret(secret),
        ending=secret[-SHOWN_OF_A_TOKEN:],
        user_id=user.id,
        name=name,
        scopes=wanted,
        expires_at=now() + timedelta(days=days) if days else None,
    )
    db.session.add(token)
    db.session.flush()
    return token, secret


def tokens_of(user: User | None) -> list[ApiToken]:
    """List the tokens that open something, newest first; of everybody without one."""
    query = sa.select(ApiToken).where(ApiToken.revoked_at.is_(None), _in_time())
    if user is not None:
        query = query.where(ApiToken.user_id == user.id)
    return list(db.session.scalars(query.order_by(ApiToken.id.desc())))


def _in_time() -> sa.ColumnElement[bool]:
    return sa.or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now())


def revoke_token(user: User | None, token_id: int) -> ApiToken:
    """Make a token of `user`, or of anybody, open nothing from now on.

    Raises `NotFound` when there is none.
    """
    found = db.session.get(ApiToken, _small(token_id))
    if found is None or (user is not None and found.user_id != user.id):
        raise NotFound
    found.revoked_at = found.revoked_at or now()
    return found


def find_token(words: str) -> ApiToken:
    """Find a token by its id or by its secret; raises `Invalid` when there is none."""
    found: ApiToken | None
    number = id_in(words)
    if number is not None:
        found = db.session.get(ApiToken, number)
    else:
        wanted = ApiToken.secret_hash == hash_secret(words.strip())
        found = db.session.scalar(sa.select(ApiToken).where(wanted))
    if found is None:
        said = _("There is no such token.")
        raise Invalid(said, errors={"token": [said]})
    return found


def revoke_tokens(user: User) -> None:
    """Make every token of `user` open nothing from now on."""
    db.session.execute(
        sa.update(ApiToken)
        .where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now())
    )


def user_of_token(secret: str) -> tuple[User, frozenset[str]] | None:
    """Find who acts with a token, and within which scopes; None for a dead one."""
    row = (
        db.session.execute(
            sa.select(ApiToken.id, ApiToken.scopes, ApiToken.used_at, User)
            .join(User, User.id == ApiToken.user_id)
            .where(
                ApiToken.secret_hash == hash_secret(secret),
                ApiToken.revoked_at.is_(None),
                _in_time(),
                User.active,
            )
            .options(joinedload(User.roles), joinedload(User.teams))
        )
        .unique()
        .first()
    )
    if row is None:
        return None
    token_id, scopes, used_at, user = row
    if used_at is None or used_at < now() - SEEN_EVERY:
        _note_use(ApiToken, [token_id], used_at=now())
    return user, frozenset(scopes)


def forget_old_sign_ins() -> None:
    """Delete ended sessions and failed sign-ins that no longer count."""
    db.session.execute(sa.delete(UserSession).where(sa.not_(sa.and_(*_not_ended()))))
    old = now() - FORGOTTEN_AFTER
    db.session.execute(sa.delete(FailedSignIn).where(FailedSignIn.at < old))

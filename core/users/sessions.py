"""What lets somebody in: the sessions of browsers and the tokens of programs."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from core.db import db, now
from core.errors import Invalid
from core.i18n import _
from core.permissions import declared_permissions
from core.users.models import ApiToken, FailedSignIn, User, UserSession

SEEN_EVERY = timedelta(minutes=5)
# Failed sign-ins are counted for a quarter of an hour.
FORGOTTEN_AFTER = timedelta(hours=1)


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


def user_of_session(secret: str) -> User | None:
    """Find who is signed in with the secret of a cookie, or nobody."""
    row = (
        db.session.execute(
            sa.select(UserSession.id, UserSession.seen_at, User)
            .join(User, User.id == UserSession.user_id)
            .where(
                UserSession.secret_hash == hash_secret(secret),
                UserSession.expires_at > now(),
                User.active,
            )
            .options(*map(joinedload, (User.roles, User.teams, User.desk)))
        )
        .unique()
        .first()
    )
    if row is None:
        return None
    session_id, seen_at, user = row
    if seen_at < now() - SEEN_EVERY:
        _note_use(UserSession, session_id, {"seen_at": now()})
    user.session_secret = secret
    return user


def _note_use(
    model: type[UserSession] | type[ApiToken], row_id: int, values: dict[str, datetime]
) -> None:
    db.aside(
        lambda: db.session.execute(
            sa.update(model).where(model.id == row_id).values(values)
        )
    )


def end_session(secret: str) -> None:
    """Sign out: the cookie's secret opens nothing any more."""
    db.session.execute(
        sa.delete(UserSession).where(UserSession.secret_hash == hash_secret(secret))
    )


def end_sessions(user: User) -> None:
    """Sign `user` out everywhere."""
    db.session.execute(sa.delete(UserSession).where(UserSession.user_id == user.id))


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
        user_id=user.id,
        name=name,
        scopes=wanted,
        expires_at=now() + timedelta(days=days) if days else None,
    )
    db.session.add(token)
    db.session.flush()
    return token, secret


def user_of_token(secret: str) -> tuple[User, frozenset[str]] | None:
    """Find who acts with a token, and within which scopes; None for a dead one."""
    row = (
        db.session.execute(
            sa.select(ApiToken.id, ApiToken.scopes, ApiToken.used_at, User)
            .join(User, User.id == ApiToken.user_id)
            .where(
                ApiToken.secret_hash == hash_secret(secret),
                ApiToken.revoked_at.is_(None),
                sa.or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now()),
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
        _note_use(ApiToken, token_id, {"used_at": now()})
    return user, frozenset(scopes)


def forget_old_sign_ins() -> None:
    """Delete ended sessions and failed sign-ins that no longer count."""
    db.session.execute(sa.delete(UserSession).where(UserSession.expires_at < now()))
    old = now() - FORGOTTEN_AFTER
    db.session.execute(sa.delete(FailedSignIn).where(FailedSignIn.at < old))

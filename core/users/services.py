"""Accounts, sign-in, sessions and API tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import joinedload

from core.db import db, now
from core.errors import Invalid, TooMany
from core.events import announce
from core.i18n import _
from core.permissions import declared_permissions
from core.users.models import (
    ApiToken,
    FailedSignIn,
    Role,
    Team,
    User,
    UserKind,
    UserSession,
)

# OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

GUESSES_PER_ACCOUNT, GUESSES_PER_ADDRESS = 10, 50
GUESS_WINDOW = timedelta(minutes=15)
SEEN_EVERY = timedelta(minutes=5)
LEAST_PASSWORD = 10


def normal_email(email: str) -> str:
    """Write an e-mail address the one way we compare it; raises `Invalid`."""
    try:
        found = validate_email(email.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        said = _("This is not an e-mail address: %(email)s", email=email[:100])
        raise Invalid(errors={"email": [said]}) from error
    return found.normalized.lower()


def hash_secret(secret: str) -> str:
    """Hash a random secret of ours; it needs no salt, since nobody can guess it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_user(
    email: str,
    *,
    name: str,
    password: str | None = None,
    kind: UserKind = "staff",
    roles: Iterable[str] = (),
    teams: Iterable[str] = (),
    contact_id: int | None = None,
    person_id: int | None = None,
    language: str = "en",
    timezone: str = "UTC",
) -> User:
    """Make an account; `roles` and `teams` are names, and unknown teams are made.

    Raises `Invalid` for a wrong address, a short password, an unknown role or an
    address that has an account already.
    """
    address = normal_email(email)
    if db.session.scalar(sa.select(User.id).where(User.email == address)):
        said = _("%(email)s has an account already.", email=address)
        raise Invalid(errors={"email": [said]})
    user = User(
        email=address,
        name=name,
        kind=kind,
        contact_id=contact_id,
        person_id=person_id,
        language=language,
        timezone=timezone,
        roles=[_role(one) for one in roles],
        teams=[ensure_team(one) for one in teams],
    )
    if password is not None:
        set_password(user, password)
    db.session.add(user)
    db.session.flush()
    return user


def _role(name: str) -> Role:
    found = db.session.scalar(sa.select(Role).where(Role.name == name))
    if found is None:
        names = ", ".join(db.session.scalars(sa.select(Role.name).order_by(Role.name)))
        said = _(
            "There is no role %(name)s. There are: %(names)s", name=name, names=names
        )
        raise Invalid(errors={"roles": [said]})
    return found


def ensure_role(name: str, permissions: Iterable[str], *, reach: str = "all") -> Role:
    """Find or make a role; an existing one is left as its administrator shaped it."""
    found = db.session.scalar(sa.select(Role).where(Role.name == name))
    if found is None:
        found = Role(name=name, permissions=sorted(permissions), reach=reach)
        db.session.add(found)
        db.session.flush()
    return found


def ensure_team(name: str) -> Team:
    """Find or make a team."""
    found = db.session.scalar(sa.select(Team).where(Team.name == name))
    if found is None:
        found = Team(name=name)
        db.session.add(found)
        db.session.flush()
    return found


def set_password(user: User, password: str) -> None:
    """Give `user` a new password; raises `Invalid` when it is too short."""
    if len(password) < LEAST_PASSWORD:
        said = _("A password has at least %(num)d characters.", num=LEAST_PASSWORD)
        raise Invalid(errors={"password": [said]})
    user.password_hash = _hasher.hash(password)
    if user.id is not None:
        end_sessions(user)


def check_sign_in(email: str, password: str, *, address: str) -> User:
    """Find the account for these words, or refuse.

    Raises `Invalid` for wrong ones, without saying which was wrong, and `TooMany`
    after too many guesses from one address, or at one account from one address.
    """
    account = hash_secret(email.strip().lower())
    _refuse_guessing(account, address)
    user = db.session.scalar(
        sa.select(User).where(User.email == email.strip().lower(), User.active)
    )
    if user is None or not _verify(user.password_hash, password):
        db.aside(
            lambda: db.session.add(FailedSignIn(email_hash=account, address=address))
        )
        said = _("The e-mail address or the password is not right.")
        raise Invalid(said, errors={"password": [said]})
    return user


def _refuse_guessing(account: str, address: str) -> None:
    # Counting an account's failures only together with the address keeps a stranger
    # from locking its owner out.
    recent = (FailedSignIn.address == address, FailedSignIn.at > now() - GUESS_WINDOW)
    both, alone = db.session.execute(
        sa.select(
            sa.func.count().filter(FailedSignIn.email_hash == account),
            sa.func.count(),
        ).where(*recent)
    ).one()
    if both >= GUESSES_PER_ACCOUNT or alone >= GUESSES_PER_ADDRESS:
        said = _("Too many attempts. Wait a quarter of an hour, then try again.")
        raise TooMany(said, retry_after=int(GUESS_WINDOW.total_seconds()))


@lru_cache(maxsize=1)
def _decoy() -> str:
    return _hasher.hash(secrets.token_hex())


def _verify(stored: str | None, password: str) -> bool:
    # An unknown address costs the same time as a known one.
    try:
        _hasher.verify(stored or _decoy(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


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
            .options(joinedload(User.roles), joinedload(User.teams))
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


def disable_user(user: User) -> None:
    """Close an account and everything that is signed in with it."""
    user.active = False
    end_sessions(user)
    db.session.execute(
        sa.update(ApiToken)
        .where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    announce("user.disabled", user)


def create_token(
    user: User, *, scopes: Iterable[str], name: str = "", days: int | None = None
) -> tuple[ApiToken, str]:
    """Make an API token; gives its row and the secret, which is shown only once.

    Raises `Invalid` for a scope that no plugin declares.
    """
    wanted = sorted(set(scopes))
    unknown = [s for s in wanted if s != "*" and s not in declared_permissions()]
    if unknown or not wanted:
        said = _("There is no scope %(names)s.", names=", ".join(unknown) or "''")
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


def find_user(email: str) -> User:
    """Find an account by its address; raises `Invalid` when there is none."""
    found = db.session.scalar(
        sa.select(User).where(User.email == email.strip().lower())
    )
    if found is None:
        said = _("There is no account %(email)s.", email=email)
        raise Invalid(said, errors={"email": [said]})
    return found


def forget_old_sign_ins() -> None:
    """Delete ended sessions and failed sign-ins that no longer count."""
    db.session.execute(sa.delete(UserSession).where(UserSession.expires_at < now()))
    old = now() - 4 * GUESS_WINDOW
    db.session.execute(sa.delete(FailedSignIn).where(FailedSignIn.at < old))

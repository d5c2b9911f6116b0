"""Accounts, sign-in, sessions and API tokens."""

from collections.abc import Iterable
from threading import BoundedSemaphore

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email

from core import settings
from core.db import db
from core.errors import Invalid
from core.events import announce
from core.i18n import _
from core.users.guessing import (
    known_browser,
    network_of,
    note_failure,
    refuse_guessing,
)
from core.users.hashing import hash_password, is_password
from core.users.models import Role, Team, User, UserKind
from core.users.sessions import end_sessions, hash_secret, revoke_tokens

# Each check takes 19 MiB and a core: who guesses waits for the others who do.
_one_by_one = BoundedSemaphore(2)

LEAST_PASSWORD = 10


def normal_email(email: str) -> str:
    """Write an e-mail address the one way we compare it; raises `Invalid`."""
    try:
        found = validate_email(email.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        said = _("This is not an e-mail address: %(email)s", email=email[:100])
        raise Invalid(errors={"email": [said]}) from error
    return found.normalized.lower()


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
    language: str | None = None,
    timezone: str | None = None,
) -> User:
    """Make an account; `roles` and `teams` are names, and unknown teams are made.

    Language and time zone are the house's unless they are given.

    Raises `Invalid` for a wrong address, a short password, an unknown role or an
    address that has an account already.
    """
    address = normal_email(email)
    if db.session.scalar(sa.select(User.id).where(User.email == address)):
        said = _("%(email)s has an account already.", email=address)
        raise Invalid(errors={"email": [said]})
    house = settings.get("house")
    user = User(
        email=address,
        name=name,
        kind=kind,
        contact_id=contact_id,
        person_id=person_id,
        language=language or house["language"],
        timezone=timezone or house["timezone"],
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
    user.password_hash = hash_password(password)
    if user.id is not None:
        end_sessions(user)


def check_sign_in(
    email: str, password: str, *, address: str, browser: str | None = None
) -> User:
    """Find the account for these words, or refuse.

    `browser` names one that the owner is known to use; else its cookie says so.
    Raises `Invalid` for wrong words, without saying which was wrong, and `TooMany`
    after too many guesses; `core.users.guessing` counts them.
    """
    folded = fold_email(email)
    account, network = hash_secret(folded), network_of(address)
    # Looked up aside: hashing takes long, and on SQLite the request's own
    # transaction would keep everybody else from writing meanwhile.
    with db.read_only() as session:
        known = session.scalar(sa.select(User).where(User.email == folded, User.active))
        session.expunge_all()
    browser = browser or known_browser(known)
    with _one_by_one, db.read_only():
        refuse_guessing(account, network, browser)
        # An unknown address costs the same time as a known one.
        right = is_password(known.password_hash if known else None, password)
    user = db.session.get(User, known.id) if known is not None and right else None
    if user is None or not user.active:
        note_failure(account, browser or network)
        said = _("The e-mail address or the password is not right.")
        raise Invalid(said, errors={"password": [said]})
    return user


def fold_email(email: str) -> str:
    """Write what somebody typed as accounts' addresses are written, if it is one."""
    try:
        return normal_email(email)
    except Invalid:
        return email.strip().lower()


def disable_user(user: User) -> None:
    """Close an account and everything that is signed in with it.

    Raises `Invalid` for the last one that may open and close accounts.
    """
    if "admin:users" in user.permissions and not _others_administer(user):
        said = _("Make somebody else an administrator first.")
        raise Invalid(said, errors={"_schema": [said]})
    user.active = False
    end_sessions(user)
    revoke_tokens(user)
    announce("user.disabled", user)


def _others_administer(user: User) -> bool:
    """Say whether the house could still be looked after without `user`."""
    query = sa.select(User).where(
        User.active, User.kind == "staff", User.id != user.id, User.roles.any()
    )
    return any("admin:users" in one.permissions for one in db.session.scalars(query))


def find_user(email: str) -> User:
    """Find an account by its address; raises `Invalid` when there is none."""
    found = db.session.scalar(sa.select(User).where(User.email == fold_email(email)))
    if found is None:
        said = _("There is no account %(email)s.", email=email)
        raise Invalid(said, errors={"email": [said]})
    return found

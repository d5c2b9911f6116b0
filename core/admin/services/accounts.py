"""Accounts: finding, changing, closing and opening them; their sessions and tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from core.admin.services.powers import (
    check_administrator_left,
    check_over,
    check_roles,
    hold_roles,
)
from core.columns import id_in
from core.contacts.models import Contact
from core.db import db, now
from core.errors import Conflict, Invalid, NotFound
from core.events import announce
from core.i18n import _
from core.users import passwords
from core.users import services as users
from core.users.models import ApiToken, Role, Team, User, UserSession
from core.users.sessions import end_sessions
from core.visibility import get_visible, visible_to

PAGE = 50
STATES = ("active", "closed", "no_role", "portal")


@dataclass(frozen=True)
class Account:
    """A line of the list: an account, and when it was last used."""

    user: User
    seen_at: datetime | None


def find_accounts(
    actor: User, *, q: str = "", state: str = "", role: str = "", page: int = 1
) -> tuple[list[Account], int]:
    """Give a page of accounts by name, and how many there are."""
    query = visible_to(actor, User)
    if q:
        wanted = f"%{q.replace('%', '').replace('_', '')}%"
        query = query.where(sa.or_(User.name.ilike(wanted), User.email.ilike(wanted)))
    if role:
        query = query.where(User.roles.any(Role.name == role))
    narrowing = {
        "active": User.active,
        "closed": ~User.active,
        "no_role": sa.and_(User.active, ~User.roles.any()),
        "portal": User.kind != "staff",
    }
    if state in narrowing:
        query = query.where(narrowing[state])
    total = db.session.scalar(
        query.with_only_columns(sa.func.count(User.id)).order_by(None)
    )
    shown = query.order_by(User.name, User.id).limit(PAGE).offset((page - 1) * PAGE)
    found = db.session.scalars(
        shown.options(selectinload(User.roles), selectinload(User.teams))
    ).all()
    rows = db.session.execute(
        sa.select(UserSession.user_id, sa.func.max(UserSession.seen_at).label("at"))
        .where(UserSession.user_id.in_([one.id for one in found]))
        .group_by(UserSession.user_id)
    )
    seen = {row.user_id: row.at for row in rows}
    return [Account(one, seen.get(one.id)) for one in found], total or 0


def sessions_and_tokens(user: User) -> tuple[list[UserSession], list[ApiToken]]:
    """Give where an account is signed in, and its tokens that still open something."""
    sessions = db.session.scalars(
        sa.select(UserSession)
        .where(UserSession.user_id == user.id, UserSession.expires_at > now())
        .order_by(UserSession.seen_at.desc())
        .limit(50)
    )
    tokens = db.session.scalars(
        sa.select(ApiToken)
        .where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.created_at.desc())
    )
    return list(sessions), list(tokens)


def add_account(actor: User, form: dict[str, Any]) -> User:
    """Make an account from the form, or invite without a password; raises `Invalid`."""
    check_roles(actor, _roles(form["roles"]))
    organisation, person = _belonging(actor, form)
    user = users.create_user(
        form["email"],
        name=form["name"],
        password=form["password"] or None,
        kind=form["kind"],
        roles=form["roles"],
        teams=form["teams"] if form["kind"] == "staff" else [],
        contact_id=organisation.id if organisation else None,
        person_id=person.id if person else None,
        language=form["language"],
        timezone=form["timezone"],
    )
    if not form["password"]:
        passwords.invite(user, by=actor)
    return user


def change_account(actor: User, user: User, form: dict[str, Any]) -> None:
    """Change an account by the form; raises `Invalid`, and `Conflict` for an old one.

    A changed address or new password signs the user out everywhere.
    """
    hold_roles()
    check_version(user, form["version"])
    check_over(actor, user)
    roles = _roles(form["roles"])
    check_roles(actor, [one for one in roles if one not in user.roles])
    _change_address(user, form["email"])
    user.name = form["name"]
    user.language = form["language"]
    user.timezone = form["timezone"]
    if set(user.roles) != set(roles):
        user.roles = roles
    if user.kind == "staff":
        teams = _teams(form["teams"])
        if set(user.teams) != set(teams):
            user.teams = teams
    else:
        organisation, person = _belonging(actor, form | {"kind": user.kind})
        user.contact_id = organisation.id if organisation else None
        user.person_id = person.id if person else None
    if form["password"]:
        passwords.change_password(user, form["password"])
    check_administrator_left()


def check_version(record: Any, version: int | None) -> None:
    """Refuse a form that was drawn before somebody else saved; raises `Conflict`."""
    if version is not None and record.version != version:
        said = _(
            "Somebody saved this while you were writing. What you typed is still "
            "here; what they saved is in the page behind “Read it again”."
        )
        raise Conflict(said, errors={"_schema": [said]})


def _change_address(user: User, email: str) -> None:
    address = users.normal_email(email)
    if address == user.email:
        return
    if db.session.scalar(sa.select(User.id).where(User.email == address)):
        said = _("%(email)s has an account already.", email=address)
        raise Invalid(errors={"email": [said]})
    user.email = address
    end_sessions(user)


def _roles(names: list[str]) -> list[Role]:
    found = db.session.scalars(sa.select(Role).where(Role.name.in_(names))).all()
    if len(found) != len(set(names)):
        raise Invalid(errors={"roles": [_("This role is not there any more.")]})
    return list(found)


def _teams(names: list[str]) -> list[Team]:
    found = db.session.scalars(sa.select(Team).where(Team.name.in_(names))).all()
    if len(found) != len(set(names)):
        raise Invalid(errors={"teams": [_("This team is not there any more.")]})
    return list(found)


def _belonging(
    actor: User, form: dict[str, Any]
) -> tuple[Contact | None, Contact | None]:
    """Find whose records a portal user sees and which person they are."""
    if form["kind"] == "staff":
        return None, None
    organisation = find_contact(actor, form["organisation"], field="organisation")
    person = find_contact(actor, form["person"], field="person")
    if organisation is None and person is None:
        said = _("Name the organisation, or the person, whose account this is.")
        raise Invalid(errors={"organisation": [said]})
    return organisation, person


def find_contact(actor: User, words: str, *, field: str) -> Contact | None:
    """Find a contact by its whole name, its address here or its number.

    Raises `Invalid` for `field` when there is none, or more than one.
    """
    if not words:
        return None
    query = visible_to(actor, Contact)
    query = query.where(
        Contact.kind == ("person" if field == "person" else "organisation")
    )
    number = words.rstrip("/").rpartition("/")[2]
    contact_id = id_in(number)
    if contact_id is not None:
        query = query.where(Contact.id == contact_id)
    else:
        query = query.where(sa.func.lower(Contact.name) == words.lower())
    found = db.session.scalars(query.limit(6)).unique().all()
    if not found:
        said = _("No contact has this name: %(name)s", name=words)
        raise Invalid(errors={field: [said]})
    if len(found) > 1:
        addresses = ", ".join(f"/contacts/{one.id}" for one in found)
        said = _(
            "Several contacts have this name. Write the address of one: %(addresses)s",
            addresses=addresses,
        )
        raise Invalid(errors={field: [said]})
    return found[0]


def close_account(actor: User, user: User) -> None:
    """Close an account: signed out everywhere, tokens dead; raises `Invalid`."""
    hold_roles()
    if user.id == actor.id:
        said = _("You cannot close your own account.")
        raise Invalid(said, errors={"_schema": [said]})
    check_over(actor, user)
    users.disable_user(user)
    check_administrator_left()


def open_account(actor: User, user: User) -> None:
    """Let somebody sign in again; their old tokens stay dead."""
    check_over(actor, user)
    user.active = True
    db.session.flush()


def sign_out_everywhere(actor: User, user: User) -> None:
    """End all sign-ins of an account, for the record's history too."""
    check_over(actor, user)
    end_sessions(user)
    announce("user.signed_out", user)


def revoke_token(actor: User, user: User, token_id: int) -> None:
    """Make a token useless; raises `NotFound`."""
    check_over(actor, user)
    found = db.session.scalar(
        sa.select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user.id)
    )
    if found is None or found.revoked_at is not None:
        raise NotFound
    found.revoked_at = now()
    announce("user.token_revoked", user, {"name": found.name})


def account(actor: User, user_id: int) -> User:
    """Give one account with its roles and teams; raises `NotFound`."""
    return get_visible(actor, User, user_id)


def names_of(user: User) -> tuple[str, str]:
    """Name the organisation and the person of a portal user, as the form shows them."""
    ids = [one for one in (user.contact_id, user.person_id) if one]
    rows = db.session.execute(
        sa.select(Contact.id, Contact.name).where(Contact.id.in_(ids))
    )
    found = {row.id: row.name for row in rows}
    return found.get(user.contact_id or 0, ""), found.get(user.person_id or 0, "")

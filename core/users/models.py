"""Accounts and what they may do: users, teams, roles, sessions, API tokens."""

from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.columns import Erasable
from core.db import Model, Readers, Record, now
from core.i18n import lazy_gettext as _l
from core.permissions import expand

UserKind: TypeAlias = Literal["staff", "customer", "vendor"]
ContactReach: TypeAlias = Literal["all", "team", "own"]


class UserRole(Model):
    """Which user has which role."""

    __tablename__ = "user_role"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    role_id: Mapped[int] = mapped_column(
        sa.ForeignKey("role.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class TeamMember(Model):
    """Which user is in which team."""

    __tablename__ = "team_member"

    team_id: Mapped[int] = mapped_column(
        sa.ForeignKey("team.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Team(Record, Model):
    """Colleagues who share what they write: Sales, Support."""

    __tablename__ = "team"

    name: Mapped[str] = mapped_column(sa.String(80), unique=True)

    members: Mapped[list["User"]] = relationship(
        secondary="team_member", back_populates="teams", order_by="User.name"
    )


class Role(Record, Model):
    """What its holders may do, and which contacts they see."""

    __tablename__ = "role"

    name: Mapped[str] = mapped_column(sa.String(80), unique=True)
    permissions: Mapped[list[str]] = mapped_column(default=list)
    # `*` in permissions is everything that is declared, now and later.
    reach: Mapped[str] = mapped_column(sa.String(10), default="all")


class User(Record, Model):
    """Somebody who signs in: a colleague, or a person of a customer or vendor.

    Satisfies what flask-login asks of a user. A portal user's `contact_id` is the
    organisation whose records they see and `person_id` the contact they are.
    """

    __tablename__ = "user"
    __allow_unmapped__ = True
    readers: ClassVar[Readers] = "staff"

    email: Mapped[str] = mapped_column(
        sa.String(254), unique=True, info={"personal": True}
    )
    name: Mapped[str] = mapped_column(Erasable(200), info={"personal": True})
    kind: Mapped[str] = mapped_column(sa.String(10), default="staff")
    password_hash: Mapped[str | None] = mapped_column(
        sa.String(200), info={"personal": True}
    )
    active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str] = mapped_column(sa.String(5), default="en")
    timezone: Mapped[str] = mapped_column(sa.String(50), default="UTC")
    theme: Mapped[str] = mapped_column(sa.String(5), default="auto")
    contact_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="SET NULL", use_alter=True), index=True
    )
    person_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="SET NULL", use_alter=True), index=True
    )

    roles: Mapped[list[Role]] = relationship(secondary="user_role", lazy="selectin")
    teams: Mapped[list[Team]] = relationship(
        secondary="team_member", back_populates="members", lazy="selectin"
    )

    desk: Mapped["UserDesk | None"] = relationship(viewonly=True)

    # The secret of the cookie that let this user in, for flask-login.
    session_secret: str | None = None
    # As whom they look at the portal with this cookie; see `core.users.viewing`.
    views_as: int | None = None
    viewed_until: datetime | None = None
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    @property
    def view_is_over(self) -> bool:
        """Say whether the time to look at the portal ended a while ago."""
        until = self.viewed_until
        return until is not None and until <= now() < until + timedelta(hours=1)

    def get_id(self) -> str | None:
        """Give flask-login what it keeps in the cookie: the session's secret."""
        return self.session_secret

    @property
    def is_active(self) -> bool:
        """Say whether this account may sign in."""
        return self.active

    @cached_property
    def permissions(self) -> frozenset[str]:
        """Name what the roles of this user allow; read once per request."""
        return expand(name for role in self.roles for name in role.permissions)

    @cached_property
    def reach(self) -> ContactReach:
        """Say how far this user sees: the widest of their roles."""
        found = {role.reach for role in self.roles}
        if "all" in found:
            return "all"
        return "team" if "team" in found else "own"

    @property
    def team_ids(self) -> list[int]:
        """The ids of this user's teams."""
        return [team.id for team in self.teams]


class UserSession(Model):
    """One sign-in: a browser holds the secret, we its hash; deleting it signs out."""

    __tablename__ = "user_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"),
        index=True,
        info={"ends": _l("Signed-in browsers")},
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    address: Mapped[str | None] = mapped_column(sa.String(45), info={"personal": True})
    browser: Mapped[str | None] = mapped_column(sa.String(200), info={"personal": True})
    # As whom a colleague looks at the portal in this browser; see `core.users.viewing`.
    viewing_id: Mapped[int | None]
    viewing_until: Mapped[datetime | None]


class UserDesk(Model):
    """How somebody has arranged things for themselves: keys, and pinned contacts.

    It is nobody else's news, so it is no record. `changed_keys` holds the key they
    chose for the key that is usual, "" where they want none.
    """

    __tablename__ = "user_desk"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    single_keys: Mapped[bool] = mapped_column(default=True)
    changed_keys: Mapped[dict[str, Any]] = mapped_column(default=dict)
    pinned: Mapped[list[int]] = mapped_column(default=list)


class ApiToken(Model):
    """A key for a program: acts as its user, within its scopes."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(sa.String(100), default="")
    # The last characters of the secret, by which somebody knows it again.
    ending: Mapped[str] = mapped_column(sa.String(8), default="")
    scopes: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()

    @property
    def shown(self) -> str:
        """Show what everybody may see of the secret: `rap_…4kQx`."""
        return f"rap_…{self.ending}"


class UserDeputy(Model):
    """Who stands in for a colleague, on which days of theirs, both included."""

    __tablename__ = "user_deputy"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"),
        index=True,
        info={"ends": _l("Deputies")},
    )
    deputy_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"),
        index=True,
        info={"ends": _l("Stands in for colleagues")},
    )
    from_on: Mapped[date]
    until_on: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(default=now)

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    deputy: Mapped[User] = relationship(foreign_keys=[deputy_id])


class FailedSignIn(Model):
    """A sign-in that was refused; counted to slow down guessing.

    `address` is a network, or `browser:` and the name of one that is known.
    """

    __tablename__ = "failed_sign_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    email_hash: Mapped[str] = mapped_column(sa.String(64))
    address: Mapped[str] = mapped_column(sa.String(45))
    at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (
        sa.Index("ix_failed_sign_in_email_hash_at", "email_hash", "at"),
        sa.Index("ix_failed_sign_in_address_at", "address", "at"),
    )

"""The audience of an entry: one shared row for each set of readers.

An audience is *interned*: entries with the same readers point at the same row, so
"what may this user read" is one comparison of `audience_id`, however many entries.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, db
from core.errors import Invalid
from core.i18n import lazy_gettext as _l

AudienceKind: TypeAlias = Literal["private", "teams", "staff", "shared", "customers"]

# From narrow to wide; `customers` is the catalogue's, never an entry's.
KINDS: tuple[AudienceKind, ...] = ("private", "teams", "staff", "shared")


@dataclass(frozen=True)
class AudienceSpec:
    """What somebody chose: a kind, and the teams, colleagues or outside readers.

    Beside its teams, an entry for teams may name single colleagues.
    """

    kind: AudienceKind
    teams: frozenset[int] = frozenset()
    users: frozenset[int] = frozenset()
    shared_with: frozenset[int] = frozenset()

    def labels(self) -> frozenset[str]:
        """Name the readers as the database, the index and live know them."""
        if self.kind == "private":
            return frozenset(f"user:{one}" for one in self.users)
        if self.kind == "teams":
            named = {f"user:{one}" for one in self.users}
            return frozenset(named | {f"team:{one}" for one in self.teams})
        if self.kind == "shared":
            return frozenset({"staff", *(f"shared:{c}" for c in self.shared_with)})
        return frozenset({"staff", "portal"} if self.kind == "customers" else {"staff"})


class Audience(Model):
    """One set of readers, stored once."""

    __tablename__ = "audience"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    teams: Mapped[list[int]] = mapped_column(default=list)
    users: Mapped[list[int]] = mapped_column(default=list)
    shared_with: Mapped[list[int]] = mapped_column(default=list)

    @property
    def spec(self) -> AudienceSpec:
        """Give the readers as they were chosen."""
        return AudienceSpec(
            self.kind,  # type: ignore[arg-type]
            frozenset(self.teams),
            frozenset(self.users),
            frozenset(self.shared_with),
        )


class AudienceLabel(Model):
    """Which label opens which audience: the join that decides who sees an entry."""

    __tablename__ = "audience_label"

    audience_id: Mapped[int] = mapped_column(
        sa.ForeignKey("audience.id", ondelete="CASCADE"), primary_key=True
    )
    label: Mapped[str] = mapped_column(sa.String(40), primary_key=True)

    __table_args__ = (sa.Index("ix_audience_label_label", "label", "audience_id"),)


def intern_audience(spec: AudienceSpec) -> Audience:
    """Find or make the row for `spec`.

    Raises `Invalid` when nobody could read it: teams without a team, shared with
    nobody.
    """
    _check(spec)
    lists = [sorted(spec.teams), sorted(spec.users), sorted(spec.shared_with)]
    text = json.dumps([spec.kind, *lists])
    key = hashlib.sha256(text.encode()).hexdigest()
    query = sa.select(Audience).where(Audience.key == key)
    found = db.session.scalar(query)
    if found is not None:
        return found
    made = Audience(
        key=key, kind=spec.kind, teams=lists[0], users=lists[1], shared_with=lists[2]
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
            db.session.flush()
            db.session.add_all(
                AudienceLabel(audience_id=made.id, label=label)
                for label in sorted(spec.labels())
            )
    except IntegrityError:
        # Somebody else wrote the same audience a moment ago; theirs is ours.
        return db.session.scalars(query).one()
    return made


def _check(spec: AudienceSpec) -> None:
    if spec.kind == "teams" and not spec.teams:
        raise Invalid(errors={"teams": [str(_l("Choose at least one team."))]})
    if spec.kind == "shared" and not spec.shared_with:
        raise Invalid(
            errors={"shared_with": [str(_l("Choose who outside will read this."))]}
        )
    if spec.kind == "private" and not spec.users:
        raise Invalid(errors={"users": [str(_l("Choose at least one colleague."))]})


def labels_open(labels: Sequence[str]) -> sa.Select[int]:
    """Select the ids of the audiences that any of `labels` opens."""
    return sa.select(AudienceLabel.audience_id).where(AudienceLabel.label.in_(labels))


def widens(before: AudienceSpec, after: AudienceSpec) -> bool:
    """Say whether `after` opens an entry to somebody `before` did not."""
    if before.kind in {"staff", "shared"} and after.kind in {"private", "teams"}:
        return False
    return not after.labels() <= before.labels() | (
        {"staff"} if before.kind == "shared" else set()
    )

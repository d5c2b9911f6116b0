"""Dossiers that a worker makes, and keeps for whoever asked until they expire."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.contacts.models import Contact
from core.db import Model, now
from core.users.models import User


class KeptDossier(Model):
    """A dossier somebody asked for: what of, how far it is, and where its file is."""

    __tablename__ = "interactions_dossier"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), index=True
    )
    contact_id: Mapped[int] = mapped_column(
        sa.ForeignKey("contact.id", ondelete="CASCADE"),
        index=True,
        info={"erased": "removed"},
    )
    # The form as it was sent, and pdf or json.
    wanted: Mapped[dict[str, Any]] = mapped_column(
        default=dict, info={"personal": True}
    )
    ending: Mapped[str] = mapped_column(sa.String(4))
    # waiting, ready, failed
    state: Mapped[str] = mapped_column(sa.String(10), default="waiting")
    # How many entries are in it so far, and of how many.
    done: Mapped[int] = mapped_column(default=0)
    count: Mapped[int] = mapped_column(default=0)
    # Who of the workers is at it; see `making.py`.
    token: Mapped[str] = mapped_column(sa.String(32), default="")
    leased_until: Mapped[datetime | None]
    # How often one of them began it, also one that was killed over it.
    tries: Mapped[int] = mapped_column(default=0)
    # The column's name keeps the content from being swept away.
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    # What is in it: whoever may no longer read one of them gets none of it.
    entries: Mapped[list[int]] = mapped_column(default=list)
    refs: Mapped[list[str]] = mapped_column(default=list)
    # A mark of how far its reader saw.
    sight: Mapped[str] = mapped_column(sa.String(64), default="")
    asked_at: Mapped[datetime] = mapped_column(default=now)
    made_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)

    user: Mapped[User] = relationship()
    contact: Mapped[Contact] = relationship()

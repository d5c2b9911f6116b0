"""Searches that somebody keeps."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Model, now
from core.users.models import User


class SavedSearch(Model):
    """What a colleague looks for again and again; nobody else sees it.

    Who `wants_news` is told of hits that came since `looked_at`; `told` are the
    references of those they heard of last.
    """

    __tablename__ = "search_saved"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), info={"erased": "kept"}
    )
    text: Mapped[str] = mapped_column(
        sa.String(400), info={"personal": True, "erased": "removed"}
    )
    # The short name of a type, '' for all.
    kind: Mapped[str] = mapped_column(sa.String(60), default="")
    wants_news: Mapped[bool] = mapped_column(default=False)
    looked_at: Mapped[datetime] = mapped_column(default=now)
    told: Mapped[list[Any]] = mapped_column(default=list)

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (sa.UniqueConstraint("user_id", "text", "kind"),)

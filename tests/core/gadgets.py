"""Records of every way to say who reads them, as a plugin would have them."""

from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.audiences import Audience
from core.db import Model, Readers, Record, db


class StaffGadget(Record, Model):
    """For colleagues."""

    __tablename__ = "gadget_staff"
    readers: ClassVar[Readers] = "staff"
    contact_id: Mapped[int | None]


class SharedGadget(Record, Model):
    """For colleagues and the portal users of its contact."""

    __tablename__ = "gadget_shared"
    readers: ClassVar[Readers] = "shared"
    contact_id: Mapped[int | None]


class CatalogueGadget(Record, Model):
    """For colleagues and every customer."""

    __tablename__ = "gadget_catalogue"
    readers: ClassVar[Readers] = "customers"


class AudienceGadget(Record, Model):
    """For the audience its author chose."""

    __tablename__ = "gadget_audience"
    readers: ClassVar[Readers] = "audience"
    contact_id: Mapped[int | None]
    author_id: Mapped[int | None]
    audience_id: Mapped[int] = mapped_column(sa.ForeignKey("audience.id"))
    audience: Mapped[Audience] = relationship()


GADGETS = (StaffGadget, SharedGadget, CatalogueGadget, AudienceGadget)


def make_tables():
    """Make the tables, in place of a plugin's migration."""
    with db.engine.begin() as connection:
        for model in GADGETS:
            model.__table__.create(connection)

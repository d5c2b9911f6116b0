"""What a plugin's `load_demo` is given: the people and firms of the demo company."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import Record, db, now
from core.events import acting
from core.importing.keys import remember_key
from core.importing.models import ImportKey
from core.users.models import User

# Everybody's in the demonstration, and said so in README.md.
PASSWORD = "rapport-demo"  # noqa: S105 - public on purpose
# Where the wholesaler is at home.
ZONE = "Europe/Helsinki"

_SOURCE = "demo"

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Demo:
    """The demo company, for one plugin's part of it, inside one transaction.

    `contacts` are organisations and people by the keys of `core/demo/data`, such as
    `kallio` and `outi`. `users` are accounts by the roles of the sign-ins (`admin`,
    `sales`, `support`, `outsider`, `customer`, `customer2`, `vendor`) and by key
    (`anna`, `mikko`). A part is loaded once, so it need not look for what is there.
    Days count from `today`, so that the company looks alive whenever it is loaded.
    """

    contacts: Mapping[str, Contact]
    users: Mapping[str, User]
    today: date

    def day(self, days: int, at: str = "09:00") -> datetime:
        """Give a moment `days` from today at a time of day there.

        Negative days have gone by, and today's are never later than now.
        """
        on = self.today + timedelta(days=days)
        moment = datetime.combine(on, time.fromisoformat(at), ZoneInfo(ZONE))
        return min(moment, now()) if days <= 0 else moment

    def acting(self, user: str) -> AbstractContextManager[None]:
        """Say who does what follows: `with demo.acting("sales"): …`."""
        return acting(self.users[user].id, bulk=True)


def open_demo() -> Demo:
    """Give the demo company as it stands in the current transaction."""
    return Demo(
        contacts=_cast(Contact, "contacts"),
        users=_cast(User, "users"),
        today=now().astimezone(ZoneInfo(ZONE)).date(),
    )


def cast(kind: str, key: str, record: Record) -> None:
    """Keep what the data file calls `record`."""
    remember_key(_SOURCE, kind, key, record)


def _cast(model: type[R], kind: str) -> dict[str, R]:
    refs = db.session.execute(
        sa.select(ImportKey.key, ImportKey.ref).where(
            ImportKey.source == _SOURCE, ImportKey.kind == kind
        )
    ).all()
    ids = {row.key: int(row.ref.rpartition("/")[2]) for row in refs}
    records = {
        one.id: one
        for one in db.session.scalars(
            sa.select(model).where(model.id.in_(ids.values()))
        )
    }
    return {key: records[one] for key, one in ids.items() if one in records}

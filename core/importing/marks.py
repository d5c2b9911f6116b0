"""What this house itself calls its records in the files it gives away.

A record's reference alone would mean another record in another house. With the moment
it was made it means this one and no other, wherever the file is read.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from core.db import Record, db
from core.records import record_types
from core.users.models import User
from core.visibility import visible_to

_OWN = re.compile(r"(?P<name>[a-z_.]{1,80})/(?P<id>[1-9]\d{0,8})@[0-9a-f]{1,16}\Z")
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


def key_of(record: Record) -> str:
    """Give what a file calls a record, such as `contact/7@63f1a2b3c4d5e`."""
    moment = (record.created_at - _BEGIN) // timedelta(microseconds=1)
    return f"{record.ref}@{moment:x}"


def own_refs(keys: Iterable[str], user: User) -> dict[str, str]:
    """Give which of `keys` mean records here that `user` sees: references by key."""
    wanted: dict[str, dict[int, str]] = {}
    for key in keys:
        found = _OWN.match(key)
        if found is not None:
            wanted.setdefault(found["name"], {})[int(found["id"])] = key
    refs: dict[str, str] = {}
    for name, by_id in wanted.items():
        refs |= _of_one_type(name, by_id, user)
    return refs


def _of_one_type(name: str, by_id: Mapping[int, str], user: User) -> dict[str, str]:
    kind = record_types().get(name)
    if kind is None:
        return {}
    query = visible_to(user, kind.model, trashed=True)
    query = query.where(kind.model.id.in_(by_id))
    found = db.session.scalars(query).unique()
    return {by_id[one.id]: one.ref for one in found if key_of(one) == by_id[one.id]}

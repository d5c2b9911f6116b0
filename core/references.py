"""Records by reference, as far as somebody may read them."""

from collections.abc import Iterable

from core.db import Record, db
from core.permissions import can
from core.records import parse_ref, record_types
from core.users.models import User
from core.visibility import visible_to


def seen_by(user: User, refs: Iterable[str]) -> dict[str, Record]:
    """Give which of these records `user` may read, in their order, by reference."""
    wanted = list(refs)
    by_type: dict[str, list[int]] = {}
    for ref in wanted:
        parsed = parse_ref(ref)
        if parsed is not None:
            by_type.setdefault(parsed[0], []).append(parsed[1])
    found: dict[str, Record] = {}
    for name, ids in by_type.items():
        kind = record_types().get(name)
        if kind is not None and can(kind.permission, user):
            query = visible_to(user, kind.model).where(kind.model.id.in_(ids))
            found |= {one.ref: one for one in db.session.scalars(query).unique()}
    return {ref: found[ref] for ref in wanted if ref in found}

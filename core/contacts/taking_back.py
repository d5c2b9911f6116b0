"""How changes of a contact are taken back."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.contacts import permissions
from core.contacts.affiliations import reopen_affiliation
from core.contacts.forms import MORE_TITLES, TITLES
from core.contacts.merging.events import MERGED
from core.contacts.merging.models import Merge
from core.contacts.merging.parting import part
from core.contacts.models import Affiliation, Contact
from core.contacts.services import change_contact, restore_contact, trash_contact
from core.db import db
from core.errors import NotFound
from core.i18n import lazy_gettext as _l
from core.records import Undo, UndoFact
from core.users.models import User
from core.visibility import get_visible

LEFT = "contact.left"
_COLUMNS = {"owner": "owner_id"}
_FIELDS = {_COLUMNS.get(name, name): title for name, title in TITLES.items()}
_FIELDS |= {name: MORE_TITLES[name] for name in ("parent_id", "custom", "trashed_at")}


def put_back_contact(contact: Contact, values: Mapping[str, Any], actor: User) -> None:
    """Give a contact former values again, as if they were typed into the form."""
    rest = dict(values)
    if "trashed_at" in rest:
        back = rest.pop("trashed_at") is None
        (restore_contact if back else trash_contact)(contact)
    for column, name in {"owner_id": "owner", "parent_id": "parent"}.items():
        if column in rest:
            rest[name] = rest.pop(column)
    if isinstance(rest.get("next_step_on"), date):
        rest["next_step_on"] = rest["next_step_on"].isoformat()
    if rest:
        change_contact(contact, rest, actor=actor)


def _affiliation(contact: Contact, data: Mapping[str, Any]) -> Affiliation | None:
    found = db.session.get(Affiliation, data["affiliation"])
    return found if found and found.person_id == contact.id else None


def has_left(contact: Contact, data: Mapping[str, Any]) -> bool:
    """Say whether the person is still gone."""
    found = _affiliation(contact, data)
    return found is not None and not found.active


def come_back(contact: Contact, data: Mapping[str, Any], actor: User) -> None:
    """Let a person belong to the organisation again; `actor` must see both."""
    found = _affiliation(contact, data)
    if found is None:
        raise NotFound
    get_visible(actor, Contact, found.organisation_id)
    reopen_affiliation(found)


def _merge(data: Mapping[str, Any]) -> Merge | None:
    return db.session.get(Merge, data["merge"])


def is_merged(contact: Contact, data: Mapping[str, Any]) -> bool:
    """Say whether another contact is still in this one, and this one in no other."""
    found = _merge(data)
    apart = found is None or found.parted_at is not None
    return not apart and contact.merged_into_id is None


def part_again(_contact: Contact, data: Mapping[str, Any], actor: User) -> None:
    """Make two of them again; `actor` must see both."""
    found = _merge(data)
    if found is None:
        raise NotFound
    get_visible(actor, Contact, found.gone_id, trashed=True)
    part(found)


UNDO = Undo(
    permissions.WRITE,
    _FIELDS,
    put_back_contact,
    {
        LEFT: UndoFact(_l("Has left"), has_left, come_back),
        MERGED.name: UndoFact(MERGED.title, is_merged, part_again),
    },
)

"""What the one that stays is to say: side by side, field by field.

Several of a kind are united: e-mails, phones, addresses, tags. Of a single value one
is chosen, by default that of the one that stays, and the other's where it has none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core import settings
from core.contacts import finding
from core.contacts.cleaning import MOST_ENTRIES, MOST_TAGS, ROLES, clean
from core.contacts.forms import MORE_TITLES, TITLES
from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid
from core.i18n import _

KEPT, GONE, BOTH, OTHER = "kept", "gone", "both", "other"
SIDES = (KEPT, GONE, BOTH, OTHER)

# Fields of which one is chosen, and the columns that each brings along.
SINGLE: dict[str, tuple[str, ...]] = {
    "name": ("name", "sort_name", "given_name", "family_name"),
    "job_title": ("job_title",),
    "owner": ("owner_id",),
    "team": ("team_id",),
    "parent": ("parent_id",),
    "website": ("website",),
    "language": ("language",),
    "know_first": ("know_first",),
    "next_step": ("next_step", "next_step_on"),
}
SEVERAL = ("phones", "emails", "addresses", "roles", "tags")
CUSTOM = "custom."
_TITLES = TITLES | {"parent": MORE_TITLES["parent_id"], "team": MORE_TITLES["team_id"]}


@dataclass(frozen=True)
class Choice:
    """What somebody chose: per field a side, a name of its own, and what to leave out.

    `left_out` names entries of the united lists by their keys.
    """

    sides: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A single field of two contacts; `side` is what is taken unless one chooses."""

    name: str
    title: object
    kept: Any
    gone: Any
    side: str

    @property
    def differs(self) -> bool:
        """Say whether there is anything to choose."""
        return bool(self.kept and self.gone and self.kept != self.gone)


@dataclass(frozen=True)
class Entry:
    """An entry of a list, by what makes it the same, and whether each side has it."""

    key: str
    value: Any
    kept: bool
    gone: bool


@dataclass(frozen=True)
class United:
    """A field of which both are kept."""

    name: str
    title: object
    entries: Sequence[Entry]

    @property
    def differs(self) -> bool:
        """Say whether one has what the other has not."""
        return any(one.kept != one.gone for one in self.entries)


def rows_of(kept: Contact, gone: Contact) -> list[Row]:
    """Put the single fields of two contacts side by side, those empty in both left out.

    The value of a field is that of its first column.
    """
    found = []
    for name, columns in SINGLE.items():
        ours, theirs = getattr(kept, columns[0]), getattr(gone, columns[0])
        if name == "parent":
            # What is above itself, once the two are one, is above nothing.
            theirs = theirs if _may_stand_above(kept, gone) else None
        found.append((name, _TITLES[name], ours, theirs))
    for key in sorted({*kept.custom, *gone.custom}):
        found.append((CUSTOM + key, key, kept.custom.get(key), gone.custom.get(key)))
    rows = [
        Row(name, title, ours, theirs, _side(name, ours, theirs))
        for name, title, ours, theirs in found
        if ours or theirs
    ]
    if kept.name == gone.name and not (kept.given_name or kept.family_name):
        # The same name, taken apart only there.
        rows = [replace(one, side=GONE) if one.name == "name" else one for one in rows]
    return rows


def _side(name: str, ours: Any, theirs: Any) -> str:
    if name == "know_first" and ours and theirs and ours != theirs:
        # What everybody is to know first may be a warning: none is dropped unseen.
        return BOTH
    return KEPT if ours or not theirs else GONE


def united(kept: Contact, gone: Contact) -> list[United]:
    """Put the lists of two contacts together, each entry once."""
    found = []
    for name in SEVERAL:
        entries: dict[str, Entry] = {}
        same = _SAME.get(name, _folded)
        theirs = {same(one) for one in getattr(gone, name)}
        for one in getattr(kept, name):
            key = same(one)
            entries.setdefault(key, Entry(key, one, True, key in theirs))
        for one in getattr(gone, name):
            key = same(one)
            entries.setdefault(key, Entry(key, one, False, True))
        if entries:
            found.append(United(name, _TITLES[name], list(entries.values())))
    return found


def _folded(value: Any) -> str:
    return finding.fold(str(value))


def _number(phone: Mapping[str, Any]) -> str:
    region = str(settings.get("contacts")["region"])
    number = str(phone.get("number") or "")
    return finding.normal_phone(number, region) or number


def _place(address: Mapping[str, Any]) -> str:
    parts = [str(one) for name, one in sorted(address.items()) if name != "label"]
    return finding.fold(" ".join(parts))


_SAME: dict[str, Callable[[Any], str]] = {
    "emails": lambda one: str(one.get("address") or "").lower(),
    "phones": _number,
    "addresses": _place,
}


def outcome(kept: Contact, gone: Contact, choice: Choice) -> dict[str, Any]:
    """Give the columns of the one that stays that are to change.

    Raises `Invalid` for a field that is not there, a side it does not have, a name
    that cannot be, and for more entries than fit.
    """
    rows = {one.name: one for one in rows_of(kept, gone)}
    wanted: dict[str, Any] = {"custom": dict(kept.custom)}
    _check(choice, rows)
    for one in rows.values():
        side = choice.sides.get(one.name, one.side)
        wanted |= _single(one, side, kept, gone, wanted["custom"])
    if choice.sides.get("name") == OTHER:
        wanted |= _another_name(choice.name)
    for several in united(kept, gone):
        wanted[several.name] = _several(several, choice)
    wanted["do_not_contact"] = kept.do_not_contact or gone.do_not_contact
    wanted["last_interaction_at"] = _later(kept, gone)
    wanted["parent_id"] = _above(kept, gone, wanted.get("parent_id", kept.parent_id))
    return {
        name: value for name, value in wanted.items() if getattr(kept, name) != value
    }


def _check(choice: Choice, rows: Mapping[str, Row]) -> None:
    for name, side in choice.sides.items():
        known = name in SINGLE or name in rows
        also = {"name": {OTHER}, "know_first": {BOTH}}.get(name, set())
        if not known or side not in {KEPT, GONE, *also}:
            raise Invalid(errors={name: [_("Choose one of the two.")]})


def _single(
    row: Row, side: str, kept: Contact, gone: Contact, custom: dict[str, Any]
) -> dict[str, Any]:
    if row.name.startswith(CUSTOM):
        if side == GONE:
            custom[row.name.removeprefix(CUSTOM)] = row.gone
        return {}
    if side == BOTH and row.differs:
        return _cleaned({row.name: f"{row.kept}\n\n{row.gone}"})
    # Where both are empty there is nothing to take, and a choice of either is none.
    taken = gone if side == GONE else kept
    return {column: getattr(taken, column) for column in SINGLE[row.name]}


def _another_name(text: str) -> dict[str, Any]:
    found = _cleaned({"name": text})
    if not found["name"]:
        raise Invalid(errors={"name": [_("Write a name.")]})
    name = found["name"]
    return {"name": name, "sort_name": (finding.fold(name) or name)[:200]}


def _cleaned(values: dict[str, Any]) -> dict[str, Any]:
    found, errors = clean(values)
    if errors:
        raise Invalid(errors=errors)
    return found


def _several(one: United, choice: Choice) -> list[Any]:
    left_out = choice.left_out.get(one.name, frozenset())
    entries = [each.value for each in one.entries if each.key not in left_out]
    most = MOST_TAGS if one.name == "tags" else MOST_ENTRIES
    if len(entries) > most:
        raise Invalid(errors={one.name: [_("At most %(num)d fit here.", num=most)]})
    if one.name == "roles":
        return [role for role in ROLES if role in entries]
    return sorted(entries, key=str.casefold) if one.name == "tags" else entries


def _later(kept: Contact, gone: Contact) -> datetime | None:
    moments = [kept.last_interaction_at, gone.last_interaction_at]
    return max((one for one in moments if one is not None), default=None)


# -- Above and below ---------------------------------------------------------------


def _may_stand_above(kept: Contact, gone: Contact) -> bool:
    """Say whether what is above the one that goes can be above the one that stays."""
    return gone.parent_id != kept.id and not is_below(gone.parent_id, kept.id)


def _above(kept: Contact, gone: Contact, wanted: int | None) -> int | None:
    """Say what stands above the survivor, so that nothing stands above itself."""
    if wanted in {kept.id, gone.id} or is_below(wanted, gone.id):
        # It was below the other, whose place it takes.
        wanted = gone.parent_id
    if wanted == kept.id or is_below(wanted, kept.id):
        return None
    return wanted


def is_below(contact_id: int | None, above_id: int) -> bool:
    """Say whether one organisation stands below another, at any depth."""
    if contact_id is None:
        return False
    parent = aliased(Contact)
    tree = (
        sa.select(Contact.parent_id.label("id"))
        .where(Contact.id == contact_id)
        .cte(recursive=True)
    )
    tree = tree.union(sa.select(parent.parent_id).join(tree, parent.id == tree.c.id))
    query = sa.select(tree.c.id).where(tree.c.id == above_id).limit(1)
    return db.session.scalar(query) is not None

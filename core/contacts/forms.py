"""The contact form: reading what was typed, and joining it with what others saved.

The form carries the values it was drawn with (`base`). When somebody saved first, a
field that only one of the two changed is taken from the one who did; where both did,
the form comes back with both values, and nothing typed is lost.
"""

import json
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from core.contacts.cleaning import ADDRESS_FIELDS
from core.contacts.models import Contact
from core.contacts.services import full_name
from core.i18n import lazy_gettext as _l

# The fields of the form, in its order, and how they are called on screen.
TITLES: dict[str, Any] = {
    "given_name": _l("Given name"),
    "family_name": _l("Family name"),
    "name": _l("Name"),
    "job_title": _l("Job title"),
    "roles": _l("Customer or vendor"),
    "owner": _l("Owner"),
    "phones": _l("Phones"),
    "emails": _l("E-mails"),
    "addresses": _l("Addresses"),
    "website": _l("Website"),
    "language": _l("Language"),
    "know_first": _l("Know this first"),
    "do_not_contact": _l("Do not contact"),
    "next_step": _l("Next step"),
    "next_step_on": _l("Next step on"),
    "tags": _l("Tags"),
}
# What other columns are called where changes are listed.
MORE_TITLES: dict[str, Any] = {
    "owner_id": _l("Owner"),
    "parent_id": _l("Part of"),
    "team_id": _l("Team"),
    "custom": _l("Own fields"),
    "trashed_at": _l("Trash"),
    "merged_into_id": _l("Merged"),
    "kind": _l("Kind"),
}
_PARTS: dict[str, tuple[str, ...]] = {
    "emails": ("address", "label"),
    "phones": ("number", "label"),
    "addresses": ADDRESS_FIELDS,
}
_PERSONAL = {"given_name", "family_name", "job_title"}
_MOST_ROWS = 25

Values = dict[str, Any]


def fields_of(kind: str) -> list[str]:
    """Name the fields of the form for a person or an organisation."""
    return [one for one in TITLES if kind == "person" or one not in _PERSONAL]


def typed(form: MultiDict[str, str], kind: str) -> Values:
    """Read what was typed into the form; rows that were left empty are no rows."""
    found: Values = {}
    for name in fields_of(kind):
        if name in _PARTS:
            found[name] = _rows(form, name)
        elif name == "roles":
            found[name] = [one for one in form.getlist(name) if one]
        elif name == "tags":
            tags = form.get(name, "").replace("，", ",").split(",")
            found[name] = [one.strip() for one in tags if one.strip()]
        elif name == "do_not_contact":
            found[name] = form.get(name) == "1"
        else:
            text = form.get(name, "").replace("\r\n", "\n")
            found[name] = text.strip()
    return found


def _rows(form: MultiDict[str, str], name: str) -> list[dict[str, str]]:
    found = []
    for at in range(_MOST_ROWS):
        row = {
            part: form.get(f"{name}.{at}.{part}", "").replace("\r\n", "\n").strip()
            for part in _PARTS[name]
        }
        if any(value for part, value in row.items() if part != "label"):
            found.append(row)
    return found


def shown(contact: Contact) -> Values:
    """Give the values of `contact` as the form shows them."""
    found: Values = {}
    for name in fields_of(contact.kind):
        if name in _PARTS:
            found[name] = [
                {part: str(row.get(part) or "") for part in _PARTS[name]}
                for row in getattr(contact, name)
            ]
        elif name == "name":
            found[name] = "" if _is_called_by_parts(contact) else contact.name
        elif name == "owner":
            found[name] = str(contact.owner_id or "")
        elif name == "next_step_on":
            day = contact.next_step_on
            found[name] = day.isoformat() if day else ""
        else:
            value = getattr(contact, name)
            found[name] = list(value) if isinstance(value, list) else value
    return found


def _is_called_by_parts(contact: Contact) -> bool:
    by_parts = full_name(contact.given_name, contact.family_name)
    return contact.kind == "person" and contact.name == by_parts


def dump_base(values: Values) -> str:
    """Write down what the form was drawn with."""
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True)
class Joined:
    """Two people's changes of one contact.

    `values` holds mine where I changed, theirs elsewhere; `differing` names the
    fields both changed, each in another way, and `theirs` what only they changed.
    """

    values: Values
    differing: list[str]
    theirs: list[str]


def join_form(form: MultiDict[str, str], contact: Contact) -> Joined:
    """Join what was typed with what stands there now.

    Where "Theirs" was chosen for a field, that is what the form was last drawn with.
    A form that does not say what it was drawn with differs wherever it differs.
    """
    mine, current = typed(form, contact.kind), shown(contact)
    if form.get("version") == str(contact.version):
        base: Values | None = current
    else:
        base = _read_base(form, contact.kind)
    if base is None:
        base = dict.fromkeys(mine, _UNKNOWN)
    else:
        chosen = [one for one in mine if form.get(f"keep.{one}") == "theirs"]
        mine |= {one: base[one] for one in chosen}
    return _join(mine, base, current)


_UNKNOWN = object()


def _read_base(form: MultiDict[str, str], kind: str) -> Values | None:
    try:
        found = json.loads(form.get("base", ""))
    except ValueError:
        return None
    if not isinstance(found, dict) or set(fields_of(kind)) - set(found):
        return None
    return found


def _join(mine: Values, base: Values, current: Values) -> Joined:
    values: Values = {}
    differing, theirs = [], []
    for name, value in mine.items():
        i_did = value != base[name]
        they_did = current[name] != base[name]
        if i_did and they_did and value != current[name]:
            differing.append(name)
        if they_did and not i_did:
            theirs.append(name)
        values[name] = value if i_did else current[name]
    return Joined(values, differing, theirs)


def changed(values: Values, contact: Contact) -> Values:
    """Keep the values that differ from what stands there now."""
    current = shown(contact)
    return {name: one for name, one in values.items() if one != current[name]}

"""The kinds of entries that the house thought of, and what its entries begin with."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from core import settings
from core.errors import Invalid, NotFound
from core.i18n import _
from core.kinds import COLUMNS, declared_kinds, interaction_kinds
from core.problems import flatten

_NOT_NAME = re.compile(r"[^a-z0-9]+")
MOST_NAME = 30


def own_kinds() -> list[dict[str, Any]]:
    """Give the kinds of the house as they are stored, also those that are gone."""
    found: list[dict[str, Any]] = settings.stored("house").get("entry_kinds", [])
    return found


def own_kind(name: str) -> dict[str, Any]:
    """Give one kind of the house; raises `NotFound`."""
    for one in own_kinds():
        if one["name"] == name:
            return one
    raise NotFound


def save_kind(
    name: str | None, *, title: str, icon: str, fields: Sequence[Mapping[str, Any]]
) -> str:
    """Make a kind, or change the one called `name`; give its name.

    A field keeps its name whatever its title becomes, so that what was written stays
    in it. Raises `Invalid` for what the settings refuse, `NotFound` for no such kind.
    """
    settings.hold()
    if name is not None:
        own_kind(name)
    kinds = own_kinds()
    if name is None:
        taken = {
            one.casefold()
            for one in (str(k.title) for k in interaction_kinds().values())
        }
        if title.casefold() in taken:
            raise Invalid(errors={"title": [_("There is such a kind already.")]})
        named = {*interaction_kinds(), *(one["name"] for one in kinds)}
        name = _name_for(title, "kind", named)
        kinds = [*kinds, {"name": name}]
    made = {"name": name, "title": title, "icon": icon, "fields": _named(fields)}
    kinds = [{**one, **made} if one["name"] == name else one for one in kinds]
    _store({"entry_kinds": kinds}, at=[one["name"] for one in kinds].index(name))
    return name


def _named(fields: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    taken = {str(one["name"]) for one in fields if one.get("name")} | set(COLUMNS)
    found = []
    for one in fields:
        name = one.get("name") or _name_for(str(one["title"]), "field", taken)
        taken.add(name)
        found.append({**one, "name": name})
    return found


def _name_for(title: str, otherwise: str, taken: set[str]) -> str:
    """Make a name of Latin letters of a title in any language."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    name = _NOT_NAME.sub("_", plain.lower()).strip("_")[:MOST_NAME].strip("_")
    if not name or not name[0].isalpha():
        name = otherwise
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def remove_kind(name: str, *, gone: bool = True) -> dict[str, Any]:
    """Choose a kind no more, or again; its entries stay as they are."""
    settings.hold()
    found = own_kind(name)
    kinds = own_kinds()
    _store(
        {
            "entry_kinds": [
                {**k, "gone": gone} if k["name"] == name else k for k in kinds
            ]
        }
    )
    return found


def save_beginning(kind: str, text: str) -> None:
    """Store what an entry of `kind` begins with; an empty text takes it away."""
    if kind not in declared_kinds() and kind not in interaction_kinds():
        raise NotFound
    settings.hold()
    texts = dict(settings.stored("house").get("entry_templates", {}))
    # Browsers send both signs; scripts compare with what stands in the field.
    text = text.replace("\r\n", "\n").strip()
    texts[kind] = text
    if not text:
        texts.pop(kind)
    settings.save("house", {"entry_templates": texts})


def _store(values: dict[str, Any], at: int = 0) -> None:
    """Save, and name what is wrong by the fields of the form."""
    try:
        settings.save("house", values)
    except Invalid as error:
        prefix = f"entry_kinds.{at}."
        errors = {
            key.removeprefix(prefix): said
            for key, said in flatten(error.errors).items()
        }
        raise Invalid(error.message, errors=errors) from error

"""The few fields of a kind: which values are right, and how an entry says them."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import Invalid
from core.i18n import _, ngettext
from core.i18n import lazy_gettext as _l
from core.interactions.models import Interaction
from core.kinds import COLUMNS, InteractionKind, KindField, kind_of

MOST_MINUTES = 7 * 24 * 60
MOST_SIGNS = 300
DIRECTIONS = {"in": _l("Incoming"), "out": _l("Outgoing")}


def fields_of(kind: InteractionKind | None) -> dict[str, KindField]:
    """Give the fields that are kept in the details of an entry of `kind`, by name."""
    return (
        {one.name: one for one in kind.fields if one.name not in COLUMNS}
        if kind
        else {}
    )


def read_details(
    kind: str, details: Mapping[str, Any], kept: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Give the details of an entry of `kind` as they are stored; empty ones are not.

    What stands in `kept` already may stay, though its field was removed since. Raises
    `Invalid` that names each field that is wrong, or that this kind does not have.
    """
    declared = kind_of(kind)
    known = fields_of(declared)
    found: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name, value in details.items():
        if value is None or value == "":
            continue
        if name in known:
            problem, found[name] = _read(known[name], value)
        elif kept is not None and kept.get(name) == value:
            problem, found[name] = "", value
        else:
            problem = _unknown(declared, kind, name, known)
        if problem:
            errors[f"details.{name}"] = [problem]
    if errors:
        raise Invalid(errors=errors)
    return found


def _unknown(
    kind: InteractionKind | None, name: str, field: str, known: Mapping[str, KindField]
) -> str:
    title = str(kind.title) if kind else name
    if not known:
        return _(
            "“%(kind)s” has no field “%(field)s”; it has none of its own.",
            kind=title,
            field=field,
        )
    return _(
        "“%(kind)s” has no field “%(field)s”. There are: %(names)s",
        kind=title,
        field=field,
        names=", ".join(known),
    )


def _read(field: KindField, value: Any) -> tuple[str, Any]:
    """Say what is wrong with a value, or nothing, and give it as it is stored."""
    if field.type == "minutes":
        text = str(value).strip()
        if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
            return _("Write how many minutes, such as 15."), None
        if len(text) > 6 or int(text) > MOST_MINUTES:
            return _("That is longer than a week."), None
        return "", int(text)
    if not isinstance(value, str) or "\x00" in value:
        return _("This has to be text."), None
    text = value.strip()
    if field.type == "choice" and text not in field.choices:
        names = ", ".join(field.choices)
        return _("Choose one of these: %(names)s", names=names), None
    if len(text) > MOST_SIGNS:
        return _("At most %(count)d characters.", count=MOST_SIGNS), None
    return "", text


def facts_of(entry: Interaction, kind: InteractionKind | None) -> dict[str, str]:
    """Say the fields of an entry by name, in a few words, in the order of its kind."""
    found = dict(_columns_of(entry)) if entry.direction or entry.source else {}
    if not entry.details:
        return found
    known = fields_of(kind)
    for name in [*known, *sorted(set(entry.details) - set(known))]:
        value = entry.details.get(name)
        if value is not None and value != "":
            # Of a kind or a field that is gone the words remain.
            made = known.get(name) or KindField(name, _spoken(name))
            found[name] = _said(made, value)
    return found


def _columns_of(entry: Interaction) -> Iterator[tuple[str, str]]:
    if entry.direction:
        yield "direction", str(DIRECTIONS.get(entry.direction, entry.direction))
    if entry.source:
        yield "source", _("Source: %(source)s", source=entry.source)


def _said(field: KindField, value: Any) -> str:
    if field.type == "minutes" and isinstance(value, int):
        return ngettext("%(num)d minute", "%(num)d minutes", value)
    if field.type == "choice":
        return str(field.choices.get(str(value), value))
    return f"{field.title}: {value}"


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()

"""The few fields of a kind in the composer: what is drawn, and what was sent."""

from collections.abc import Mapping
from typing import Any

from core.interactions.details import MOST_SIGNS, fields_of
from core.interactions.models import Interaction
from core.kinds import COLUMNS, InteractionKind, KindField, kind_of
from core.pages import interaction_kinds

PREFIX = "details."
# The field that a running clock fills.
TIMED = "duration"
MOST_SOURCE = 100


def kinds_to_choose() -> list[tuple[str, object]]:
    """Give the kinds that people write by hand, as the composer offers them."""
    return [(one.name, one.title) for one in interaction_kinds().values() if one.chosen]


def draw_fields(
    kind: str,
    values: Mapping[str, Any],
    *,
    errors: Mapping[str, Any] | None = None,
    elapsed: int | None = None,
) -> dict[str, Any]:
    """Give a template the fields of `kind` with `values`, and what it begins with."""
    # With the text that the house set, which the declaration does not know.
    found = interaction_kinds().get(kind)
    return {
        "fields": [_drawn(one, values) for one in found.fields] if found else [],
        "errors": errors or {},
        "template": found.template if found else "",
        "wordless": found is not None and found.wordless,
        "elapsed": elapsed,
    }


def _drawn(one: KindField, values: Mapping[str, Any]) -> dict[str, Any]:
    name = one.name if one.name in COLUMNS else PREFIX + one.name
    value = values.get(name, "")
    options = list(one.choices.items())
    if one.type == "choice" and value and value not in one.choices:
        options.append((value, value))
    return {
        "name": name,
        "title": one.title,
        "type": one.type,
        "options": options,
        "value": value,
        "timer": one.name == TIMED,
        "most": MOST_SOURCE if one.name in COLUMNS else MOST_SIGNS,
    }


def values_of(entry: Interaction) -> dict[str, Any]:
    """Give the fields of an entry by the names that the form has for them."""
    details = {PREFIX + name: value for name, value in entry.details.items()}
    return {"direction": entry.direction, "source": entry.source, **details}


def typed_fields(form: Mapping[str, str]) -> dict[str, str]:
    """Give what was typed into the fields of a kind, by the form's names."""
    return {
        name: value
        for name, value in form.items()
        if value and (name in COLUMNS or name.startswith(PREFIX))
    }


def sent_details(
    form: Mapping[str, str], kind: str, entry: Interaction | None = None
) -> dict[str, Any]:
    """Give the details that a form sent for an entry of `kind`.

    What the form does not show, since its field was removed, stays with the entry.
    """
    sent = {
        name.removeprefix(PREFIX): value
        for name, value in form.items()
        if name.startswith(PREFIX)
    }
    if entry is None or entry.kind != kind:
        return sent
    shown = _names(kind_of(kind))
    return {k: v for k, v in entry.details.items() if k not in shown} | sent


def _names(kind: InteractionKind | None) -> set[str]:
    return set(fields_of(kind))

"""Kinds of entries, each with its own few fields: of plugins, and of the house."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

import marshmallow as ma
from flask import current_app, g
from marshmallow import fields, validate

from core import settings
from core.i18n import _
from core.i18n import lazy_gettext as _l

FieldType: TypeAlias = Literal["text", "choice", "minutes"]
FIELD_TYPES: Mapping[FieldType, object] = {
    "text": _l("Text"),
    "choice": _l("Choice"),
    "minutes": _l("Minutes"),
}
# Kept in columns of their own: every kind may have them, a search may ask for them.
COLUMNS = ("direction", "source")
# What the administrator chooses from: each is in the set of icons.
ICONS = (
    "chat-left-text", "telephone", "calendar-event", "geo-alt", "envelope", "tools",
    "box-seam", "truck", "clipboard-check", "camera-video", "shop", "star", "flag",
    "people", "file-earmark-text", "exclamation-triangle",
)  # fmt: skip
MOST_KINDS, MOST_FIELDS = 40, 8
NAME = r"[a-z][a-z0-9_]{0,39}\Z"


@dataclass(frozen=True)
class KindField:
    """One of the few fields of a kind of entry, such as the outcome of a call.

    `direction` and `source` are kept in columns of their own, every other one among
    the entry's details. `choices` are values with their titles.
    """

    name: str
    title: object
    type: FieldType = "text"
    choices: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class EntryWords:
    """What an entry says below its head, in plain values for its kind's renderer.

    `facts` are the fields in words by their names, in the order they stand in; `body`
    is Markdown. `details` are the fields as stored, `parts` what plugins add to entries
    by the name of the `EntryPart`. Of what comes back, only facts and body are shown.
    """

    occurred_at: datetime
    subject: str
    body: str
    facts: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class InteractionKind:
    """A kind of timeline entry: a note, a call, a visit.

    `template` is what the composer begins with; `chosen` says that people write it by
    hand, `wordless` that its fields may say it all: a call that nobody answered.
    `renderer` says an entry its own way to colleagues who may read it, on pages and in
    dossiers; without one, or where it fails, the fields stand in a line above the text.
    """

    name: str
    title: object
    icon: str
    weight: int = 50
    fields: Sequence[KindField] = ()
    chosen: bool = True
    template: str = ""
    wordless: bool = False
    renderer: Callable[[EntryWords], EntryWords] | None = None


def _is_text(value: str) -> None:
    if "\x00" in value:
        raise ma.ValidationError(_("This contains a character that is not text."))


_SHORT: list[Callable[[str], Any]] = [validate.Length(min=1, max=60), _is_text]


class FieldOfKind(ma.Schema):
    """A field that the administrator thought of."""

    name = fields.String(required=True, validate=validate.Regexp(NAME))
    title = fields.String(required=True, validate=_SHORT)
    type = fields.String(load_default="text", validate=validate.OneOf(FIELD_TYPES))
    choices = fields.List(
        fields.String(validate=_SHORT),
        load_default=list,
        validate=validate.Length(max=30),
    )

    @ma.validates_schema
    def choices_of_a_choice(self, data: dict[str, Any], **_kwargs: object) -> None:
        """Refuse a choice that leaves none."""
        if data.get("type") == "choice" and not data.get("choices"):
            said = _("Write what can be chosen, with commas between.")
            raise ma.ValidationError({"choices": [said]})


class KindOfHouse(ma.Schema):
    """A kind that the administrator thought of; `gone` ones are chosen no more."""

    name = fields.String(required=True, validate=validate.Regexp(NAME))
    title = fields.String(required=True, validate=_SHORT)
    icon = fields.String(load_default=ICONS[0], validate=validate.OneOf(ICONS))
    fields_ = fields.List(
        fields.Nested(FieldOfKind),
        data_key="fields",
        load_default=list,
        validate=validate.Length(max=MOST_FIELDS),
    )
    gone = fields.Boolean(load_default=False)


def declared_kinds() -> dict[str, InteractionKind]:
    """Give the kinds that plugins declare, by name."""
    found: dict[str, InteractionKind] = current_app.extensions["rapport_kinds"]
    return found


def interaction_kinds() -> dict[str, InteractionKind]:
    """Give all kinds of timeline entries by name: of plugins, then of the house."""
    house = settings.get("house")
    # Asked for each entry of a list, and the settings are the same for all of them.
    known: tuple[Any, dict[str, InteractionKind]] | None = g.get("rapport_all_kinds")
    if known is None or known[0] is not house:
        declared = declared_kinds()
        own = {one["name"]: _made(one) for one in house["entry_kinds"]}
        known = g.rapport_all_kinds = (house, _with_templates(own | declared, house))
    return known[1]


def kind_of(name: str) -> InteractionKind | None:
    """Give a kind by its name; None for one that nobody knows any more."""
    return declared_kinds().get(name) or interaction_kinds().get(name)


def is_automatic(name: str) -> bool:
    """Say whether entries of a kind are a plugin's, which nobody writes by hand.

    A kind of the house that was removed is chosen no more; its entries were.
    """
    kind = declared_kinds().get(name)
    return kind is not None and not kind.chosen


def kinds_of_plugin(plugin: str) -> list[str]:
    """Name the kinds of timeline entries that one plugin declares."""
    return [name for name, owner in owners_of_kinds().items() if owner == plugin]


def owners_of_kinds() -> dict[str, str]:
    """Say which plugin declares each kind of timeline entries."""
    owners: dict[tuple[str, str], str] = current_app.extensions["rapport_owners"]
    hook = "register_interaction_kinds"
    return {name: owners[hook, name] for name in declared_kinds()}


def _with_templates(
    kinds: dict[str, InteractionKind], house: Mapping[str, Any]
) -> dict[str, InteractionKind]:
    texts: Mapping[str, str] = house["entry_templates"]
    found = {
        name: replace(one, template=texts[name]) if name in texts else one
        for name, one in kinds.items()
    }
    return dict(sorted(found.items(), key=lambda item: item[1].weight))


def _made(stored: Mapping[str, Any]) -> InteractionKind:
    made = [
        KindField(
            one["name"],
            one["title"],
            one["type"],
            {choice: choice for choice in one["choices"]},
        )
        for one in stored["fields_"]
    ]
    return InteractionKind(
        stored["name"],
        stored["title"],
        stored["icon"],
        weight=100,
        fields=made,
        chosen=not stored["gone"],
    )

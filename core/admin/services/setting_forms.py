"""Forms drawn from the settings' schemas: drawing each field, and reading it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, validate
from marshmallow.fields import Field

from core import settings
from core.errors import Invalid
from core.i18n import _

MANY = 60


@dataclass(frozen=True)
class Shown:
    """A setting as its form shows it.

    `kind` is text, number, checkbox, select, offers, many, lines, time or secret.
    """

    name: str
    title: str
    hint: str
    kind: str
    value: Any
    choices: Sequence[tuple[Any, str]]
    limits: Mapping[str, Any]
    pinned: bool
    stored: bool
    default: str


def shown_settings(owner: str, names: Sequence[str] = ()) -> list[Shown]:
    """Give the fields of an owner's form; hidden ones have a form of their own."""
    schema = settings.schemas()[owner]()
    known, pinned = settings.stored(owner), settings.pinned_here(owner)
    defaults = schema.dump(schema.load({}))
    values = schema.dump(settings.get(owner))
    return [
        Shown(
            name=name,
            title=str(field.metadata.get("title") or _words(name)),
            hint=_hint(field),
            kind=_kind(field),
            value=values.get(name),
            choices=_choices(field),
            limits=_limits(field),
            pinned=name in pinned,
            stored=name in known and name not in pinned,
            default=_plain_words(defaults.get(name)),
        )
        for name, field in schema.fields.items()
        if not field.metadata.get("hidden") and (not names or name in names)
    ]


def base_of(found: Sequence[Shown]) -> str:
    """Write down what a form was drawn with, to tell later what was changed in it."""
    return json.dumps({one.name: one.value for one in found if one.kind != "secret"})


def read_form(owner: str, found: Sequence[Shown], form: Any) -> dict[str, Any]:
    """Give the values that were changed in a form.

    Raises `Invalid` for a field that somebody else changed meanwhile.
    """
    schema = settings.schemas()[owner]()
    base = _base(form.get("base", ""))
    changed: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for one in found:
        if one.pinned:
            continue
        typed = _typed(one, schema.fields[one.name], form)
        if one.kind == "secret":
            if typed:
                changed[one.name] = typed
            continue
        if _same(typed, base.get(one.name, one.value)):
            continue
        if one.name in base and not _same(base[one.name], one.value):
            said = _(
                "Somebody saved this meanwhile: %(value)s. Save again to keep yours.",
                value=_plain_words(one.value),
            )
            errors[one.name] = [said]
        changed[one.name] = typed
    if errors:
        raise Invalid(errors=errors)
    return changed


def _base(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) != isinstance(other, str):
        return str(one) == str(other) and not isinstance(one, bool)
    return bool(one == other)


def _typed(one: Shown, field: Field[Any], form: Any) -> Any:
    """Read a field as its schema takes it; the schema refuses nonsense."""
    if one.kind == "checkbox":
        return form.get(one.name) is not None
    inner = field.inner if isinstance(field, fields.List) else field
    if one.kind == "many":
        return [_number(inner, text) for text in form.getlist(one.name)]
    if one.kind == "lines":
        lines = form.get(one.name, "").splitlines()
        return [_number(inner, line.strip()) for line in lines if line.strip()]
    text = form.get(one.name, "").strip()
    if not text and field.allow_none:
        return None
    return _number(field, text)


def _number(field: Field[Any], text: str) -> Any:
    if isinstance(field, fields.Integer | fields.TimeDelta):
        try:
            return int(text)
        except ValueError:
            return text
    if isinstance(field, fields.Float):
        try:
            return float(text)
        except ValueError:
            return text
    return text


def _kind(field: Field[Any]) -> str:
    if field.load_only:
        return "secret"
    tests: list[tuple[bool, str]] = [
        (isinstance(field, fields.Boolean), "checkbox"),
        (isinstance(field, fields.List) and bool(_choices(field)), "many"),
        (isinstance(field, fields.List), "lines"),
        ("offers" in field.metadata, "offers"),
        (bool(_choices(field)), "select"),
        (bool(field.metadata.get("clock")), "time"),
        (isinstance(field, fields.Number | fields.TimeDelta), "number"),
    ]
    return next((kind for holds, kind in tests if holds), "text")


def _validators(field: Field[Any]) -> list[Any]:
    return list(field.validators)


def _choices(field: Field[Any]) -> list[tuple[Any, str]]:
    offers: Callable[[], list[str]] | None = field.metadata.get("offers")
    if offers is not None:
        return [(one, one) for one in offers()]
    inner = field.inner if isinstance(field, fields.List) else field
    for one in _validators(inner):
        if isinstance(one, validate.OneOf):
            labels = [*one.labels] or [str(choice) for choice in one.choices]
            return [
                (choice, str(label))
                for choice, label in zip(one.choices, labels, strict=False)
            ]
    return []


def _limits(field: Field[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in _validators(field):
        if isinstance(one, validate.Range):
            if one.min is not None:
                found["min"] = one.min
            if one.max is not None:
                found["max"] = one.max
        if isinstance(one, validate.Length) and one.max and _kind(field) == "text":
            found["maxlength"] = one.max
    if isinstance(field, fields.Decimal | fields.Float):
        found["step"] = "any"
    return found


def _hint(field: Field[Any]) -> str:
    parts = [str(field.metadata.get("description") or "")]
    limits = _limits(field)
    if isinstance(field, fields.TimeDelta):
        parts.append(str(field.precision).capitalize() + ".")
    if "min" in limits and "max" in limits:
        said = _("From %(least)s to %(most)s.", least=limits["min"], most=limits["max"])
        parts.append(said)
    if isinstance(field, fields.List) and not _choices(field):
        parts.append(_("One a line."))
    if field.load_only:
        parts.append(_("Never shown. Leave it empty to keep what is stored."))
    return " ".join(one for one in parts if one)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _plain_words(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "—"
    return "—" if value in {None, ""} else str(value)

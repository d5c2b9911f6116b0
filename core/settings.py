"""Settings an administrator changes: default < stored < pinned by configuration.

`DOCUMENTS_MAX_UPLOAD` in the configuration pins `documents.max_upload`.
"""

import json
import logging
import os
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, g
from marshmallow import Schema, ValidationError
from marshmallow.fields import Field, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import JSONType, Model, db
from core.errors import Invalid
from core.i18n import _

log = logging.getLogger("rapport.settings")


class Setting(Model):
    """One stored value, named `<plugin>.<field>`."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    value: Mapped[Any] = mapped_column(JSONType, nullable=True)


def _schema(owner: str) -> Schema:
    schemas: dict[str, type[Schema]] = current_app.extensions["rapport_settings"]
    return schemas[owner]()


def from_environment(owner: str, known: Mapping[str, Field[Any]]) -> dict[str, Any]:
    """Give the keys that variables such as RAPPORT_DOCUMENTS_MAX_UPLOAD pin."""
    found = {}
    for name, field in known.items():
        key = f"{owner}_{name}".upper()
        text = os.environ.get(f"RAPPORT_{key}")
        if text is not None:
            found[key] = text if isinstance(field, String) else _plain(text)
    return found


def _plain(text: str) -> Any:
    """Read a number, a list, `true`; a decimal stays text, so that it stays exact."""
    try:
        return json.loads(text, parse_float=str)
    except ValueError:
        return text


def pinned(app: Flask, owner: str, schema: type[Schema]) -> dict[str, Any]:
    """Give the values that the configuration pins, by field name."""
    found = {}
    for name in schema().fields:
        key = f"{owner}_{name}".upper()
        if key in app.config:
            found[name] = app.config[key]
    return found


def get(owner: str) -> dict[str, Any]:
    """Give all settings of a plugin, read once per request."""
    cache: dict[str, dict[str, Any]] = g.setdefault("rapport_settings", {})
    if owner not in cache:
        prefix = f"{owner}."
        rows = db.session.scalars(
            sa.select(Setting).where(Setting.key.startswith(prefix, autoescape=True))
        )
        schema = _schema(owner)
        stored = {row.key.removeprefix(prefix): row.value for row in rows}
        known = {k: v for k, v in stored.items() if k in schema.fields}
        cache[owner] = _load(schema, known | _pinned(owner))
    return cache[owner]


def _pinned(owner: str) -> dict[str, Any]:
    app: Any = current_app
    return pinned(app, owner, type(_schema(owner)))


def _load(schema: Schema, values: dict[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any]
    try:
        loaded = schema.load(values)
    except ValidationError as error:
        # Stored before the plugin's rules changed; pages go on with the default.
        log.warning(
            "stored settings are no longer valid: %s", sorted(error.messages_dict)
        )
        loaded = schema.load(
            {k: v for k, v in values.items() if k not in error.messages}
        )
    return loaded


def save(owner: str, values: dict[str, Any]) -> None:
    """Store `values` of a plugin.

    Raises `Invalid` for a wrong value or one that the configuration pins.
    """
    errors = _schema(owner).validate(values, partial=True)
    for name in set(values) & set(_pinned(owner)):
        errors[name] = [_("This is set in the configuration of the server.")]
    if errors:
        raise Invalid(errors=errors)
    for name, value in values.items():
        db.session.merge(Setting(key=f"{owner}.{name}", value=value))
    g.get("rapport_settings", {}).pop(owner, None)

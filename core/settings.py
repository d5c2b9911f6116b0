"""Settings an administrator changes: default < stored < pinned by configuration.

`DOCUMENTS_MAX_UPLOAD` in the configuration pins `documents.max_upload`.
"""

from typing import Any

import sqlalchemy as sa
from flask import current_app, g
from marshmallow import Schema
from sqlalchemy.orm import Mapped, mapped_column

from core.db import JSONType, Model, db
from core.errors import Invalid


class Setting(Model):
    """One stored value, named `<plugin>.<field>`."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    value: Mapped[Any] = mapped_column(JSONType, nullable=True)


def _schema(owner: str) -> Schema:
    schemas: dict[str, type[Schema]] = current_app.extensions["rapport_settings"]
    return schemas[owner]()


def pinned(owner: str) -> dict[str, Any]:
    """Give the values that the configuration pins, by field name."""
    found = {}
    for name in _schema(owner).fields:
        key = f"{owner}_{name}".upper()
        if key in current_app.config:
            found[name] = current_app.config[key]
    return found


def get(owner: str) -> dict[str, Any]:
    """Give all settings of a plugin, read once per request.

    Raises `marshmallow.ValidationError` when a pinned value is not valid.
    """
    cache: dict[str, dict[str, Any]] = g.setdefault("rapport_settings", {})
    if owner not in cache:
        prefix = f"{owner}."
        rows = db.session.scalars(
            sa.select(Setting).where(Setting.key.startswith(prefix, autoescape=True))
        )
        schema = _schema(owner)
        stored = {row.key.removeprefix(prefix): row.value for row in rows}
        known = {k: v for k, v in stored.items() if k in schema.fields}
        loaded: dict[str, Any] = schema.load(known | pinned(owner))
        cache[owner] = loaded
    return cache[owner]


def save(owner: str, values: dict[str, Any]) -> None:
    """Store `values` of a plugin.

    Raises `Invalid` for a wrong value or one that the configuration pins.
    """
    errors = _schema(owner).validate(values, partial=True)
    for name in set(values) & set(pinned(owner)):
        errors[name] = ["This is set in the configuration of the server."]
    if errors:
        raise Invalid(errors=errors)
    for name, value in values.items():
        db.session.merge(Setting(key=f"{owner}.{name}", value=value))
    g.get("rapport_settings", {}).pop(owner, None)

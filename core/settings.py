"""Settings an administrator changes: default < stored < pinned by configuration.

`DOCUMENTS_MAX_UPLOAD` in the configuration pins `documents.max_upload`. A field may
name another key in its metadata: `HOUSE_NAME` pins the name of the house.
"""

import json
import logging
import os
import secrets
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, g
from marshmallow import Schema, ValidationError
from marshmallow.fields import Field, String
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from core.db import JSONType, Model, db, reading
from core.errors import Invalid
from core.events import write_note
from core.i18n import _

log = logging.getLogger("rapport.settings")

CHANGED = "setting.changed"
# The row that is written anew with every change.
STAMP = "settings.stamp"


class Setting(Model):
    """One stored value, named `<plugin>.<field>`."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    value: Mapped[Any] = mapped_column(JSONType, nullable=True)


def schemas() -> dict[str, type[Schema]]:
    """Give the settings' schemas of the current application by their owner."""
    found: dict[str, type[Schema]] = current_app.extensions["rapport_settings"]
    return found


@lru_cache(maxsize=64)
def _schema_of(schema: type[Schema]) -> Schema:
    # Marshmallow copies every field of a schema for each one that is made.
    return schema()


def config_key(owner: str, name: str, field: Field[Any]) -> str:
    """Name the key of the configuration that pins a setting."""
    return str(field.metadata.get("pin") or f"{owner}_{name}".upper())


def from_environment(owner: str, known: Mapping[str, Field[Any]]) -> dict[str, Any]:
    """Give the keys that variables such as RAPPORT_DOCUMENTS_MAX_UPLOAD pin."""
    found = {}
    for name, field in known.items():
        key = config_key(owner, name, field)
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
    """Give the values that the configuration pins, by field name; None pins nothing."""
    found = {}
    for name, field in _schema_of(schema).fields.items():
        value = app.config.get(config_key(owner, name, field))
        if value is not None:
            found[name] = value
    return found


def get(owner: str) -> dict[str, Any]:
    """Give all settings of a plugin; what is stored is read once per request."""
    cache: dict[str, dict[str, Any]] = g.setdefault("rapport_settings", {})
    if owner not in cache:
        schema = _schema_of(schemas()[owner])
        known = {k: v for k, v in stored(owner).items() if k in schema.fields}
        cache[owner] = _load(schema, known | pinned_here(owner))
    return cache[owner]


def stored(owner: str) -> dict[str, Any]:
    """Give what is stored of a plugin's settings, by field name."""
    prefix = f"{owner}."
    return {
        key.removeprefix(prefix): value
        for key, value in _all_stored().items()
        if key.startswith(prefix)
    }


def _all_stored() -> dict[str, Any]:
    # One statement for all owners: every page asks the house's, and most another's.
    if "rapport_stored_settings" not in g:
        kept = _kept()
        g.rapport_stored_settings = _read() if kept is None else kept
    found: dict[str, Any] = g.rapport_stored_settings
    return found


def stamp() -> sa.ScalarSelect[Any]:
    """Select what changes with every change of a setting; for `know_stamp`."""
    return sa.select(Setting.value).where(Setting.key == STAMP).scalar_subquery()


def know_stamp(found: str | None) -> None:
    """Take it that the settings are those of the stamp `found`, read in this request.

    A process that has read them of this stamp before does not read them again.
    """
    g.rapport_settings_stamp = found


def _kept() -> dict[str, Any] | None:
    kept: tuple[str | None, dict[str, Any]] | None
    kept = current_app.extensions.get("rapport_settings_kept")
    if kept is None or "rapport_settings_stamp" not in g:
        return None
    return kept[1] if g.rapport_settings_stamp == kept[0] else None


def _read() -> dict[str, Any]:
    rows = db.session.execute(sa.select(Setting.key, Setting.value))
    found = {row.key: row.value for row in rows}
    # What is read while writing may yet be rolled back.
    if reading():
        current_app.extensions["rapport_settings_kept"] = (found.get(STAMP), found)
    return found


def do_without_stored() -> None:
    """Go on with defaults and what is pinned: the database may be away."""
    g.rapport_stored_settings = {}
    g.pop("rapport_settings", None)


def forget_read() -> None:
    """Read the settings again when they are next asked for."""
    g.pop("rapport_stored_settings", None)
    g.pop("rapport_settings", None)


def pinned_here(owner: str) -> dict[str, Any]:
    """Give what the configuration of the current application pins, by field name."""
    app: Any = current_app
    return pinned(app, owner, schemas()[owner])


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


def hold() -> None:
    """Keep others from changing settings until this ends, and read what stands there.

    For whoever adds to a list that is stored as one value: without it, of two at once
    one would be lost.
    """
    make = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
    row = {"key": STAMP, "value": secrets.token_hex(8)}
    taking: Any = make(Setting).values(row)
    db.session.execute(
        taking.on_conflict_do_update(
            index_elements=["key"], set_={"value": row["value"]}
        )
    )
    g.pop("rapport_settings_stamp", None)
    forget_read()


def save(owner: str, values: dict[str, Any]) -> None:
    """Store `values` of a plugin.

    Raises `Invalid` for a wrong value or one that the configuration pins.
    """
    errors = schemas()[owner]().validate(values, partial=True)
    for name in set(values) & set(pinned_here(owner)):
        errors[name] = [_("This is set in the configuration of the server.")]
    if errors:
        raise Invalid(errors=errors)
    before = stored(owner)
    for name, value in values.items():
        db.session.merge(Setting(key=f"{owner}.{name}", value=value))
    _note(owner, before, values)


def reset(owner: str, names: Iterable[str]) -> None:
    """Take stored values away, so that the defaults hold again."""
    before = stored(owner)
    gone = sorted(set(names) & set(before))
    for name in gone:
        row = db.session.get(Setting, f"{owner}.{name}")
        if row is not None:
            db.session.delete(row)
    _note(owner, before, dict.fromkeys(gone))


def _note(owner: str, before: dict[str, Any], values: dict[str, Any]) -> None:
    """Write down who changed what; of a secret only that it was changed."""
    db.session.merge(Setting(key=STAMP, value=secrets.token_hex(8)))
    db.session.flush()
    g.pop("rapport_settings_stamp", None)
    forget_read()
    fields = schemas()[owner]().fields
    changed = {k: v for k, v in values.items() if before.get(k) != v}
    told = {
        name: [before.get(name), value]
        for name, value in changed.items()
        if not fields[name].load_only
    }
    if changed:
        facts = {"fields": sorted(changed), "values": told}
        write_note(CHANGED, f"setting/{owner}", facts)

"""What the contract looks at: a plugin's module, folder, routes and rows."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from core.app import CRM
from core.db import Model, Record, db
from core.plugin_manager import installed_plugins

ALL = [point.name for point in installed_plugins()]


def module_of(plugin: str) -> Any:
    """Give the front door of a plugin."""
    [point] = [one for one in installed_plugins() if one.name == plugin]
    return point.load()


def folder_of(plugin: str) -> Path:
    """Give the folder of a plugin's code."""
    return Path(module_of(plugin).__file__).parent


def package_of(plugin: str) -> str:
    """Name the package of a plugin's code."""
    return str(module_of(plugin).__name__.rpartition(".")[0])


def sources(plugin: str) -> Iterator[tuple[Path, ast.Module]]:
    """Read the plugin's own modules, without migrations and tests."""
    folder = folder_of(plugin)
    for path in sorted(folder.rglob("*.py")):
        if not {"migrations", "tests"} & set(path.relative_to(folder).parts):
            yield path, ast.parse(path.read_text("utf-8"))


def templates(plugin: str) -> list[Path]:
    """List the plugin's templates."""
    folder = folder_of(plugin) / "templates"
    return sorted(one for one in folder.rglob("*") if one.is_file())


def asked(plugin: str, hook: str) -> list[Any]:
    """Ask the plugin alone what it declares."""
    function = getattr(module_of(plugin), hook, None)
    return list(function()) if function else []


def own_models(plugin: str) -> list[Any]:
    """List the classes of the plugin's tables."""
    package = package_of(plugin)
    return [
        mapper.class_
        for mapper in Model.registry.mappers
        if mapper.class_.__module__.startswith(f"{package}.")
    ]


def own_routes(app: CRM, plugin: str) -> Iterator[Any]:
    """List the routes of a plugin."""
    names = {plugin, f"{plugin}_api"} | {
        one.name for one in asked(plugin, "register_blueprints")
    }
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in names:
            yield rule


def address_of(app: CRM, rule: Any) -> str:
    """Give an address of a route at which there is nothing."""
    values = {
        name: 999_999 if "Integer" in type(converter).__name__ else "nothing"
        for name, converter in rule._converters.items()
    }
    with app.test_request_context():
        return str(rule.build(values)[1])


@dataclass(frozen=True)
class Answered:
    """What an address answered: its status and kind, or the error that broke it."""

    status: int
    kind: str | None = None
    error: str = ""

    def __str__(self) -> str:
        """Write the status, with the error if there was one."""
        return f"{self.status} ({self.error})" if self.error else str(self.status)


def ask(browser: FlaskClient, address: str, method: str = "GET") -> Answered:
    """Open an address; an error in a view is an answer with 500, as it is to people."""
    try:
        answer = browser.open(address, method=method)
    except Exception as error:
        return Answered(500, error=f"{type(error).__name__}: {error}"[:200])
    return Answered(answer.status_code, answer.content_type)


def row_counts(*skipped: str) -> dict[str, int]:
    """Count the rows of every table but those of the plugins `skipped`."""
    with db.engine.connect() as connection:
        return {
            name: connection.scalar(
                sa.select(sa.func.count()).select_from(sa.table(name))
            )
            or 0
            for name in sa.inspect(connection).get_table_names()
            if not name.startswith(tuple(f"{one}_" for one in skipped))
        }


def fill(plugin: str) -> None:
    """Give each record type of the plugin that has no row yet one row.

    What cannot be made without knowing its rules is left out: the demo company is
    then the place for it.
    """
    for model in own_models(plugin):
        if not issubclass(model, Record):
            continue
        try:
            with db.transaction() as session:
                if session.scalar(sa.select(model.id).limit(1)) is None:
                    session.add(model(**_values(model)))
        except (sa.exc.SQLAlchemyError, LookupError):
            continue


def _values(model: Any) -> dict[str, Any]:
    found = {}
    for attribute in sa.inspect(model).column_attrs:
        column = attribute.columns[0]
        given = column.default is not None or column.server_default is not None
        if column.primary_key or given or column.nullable:
            continue
        found[attribute.key] = _value(column)
    return found


def _value(column: Any) -> Any:
    for key in column.foreign_keys:
        return db.session.scalars(sa.select(key.column).limit(1)).one()
    python = column.type.python_type
    made = {
        int: 1,
        str: "Xylophone",
        bool: False,
        float: 1.0,
        Decimal: Decimal(1),
        datetime: datetime(2026, 1, 1, tzinfo=UTC),
        date: date(2026, 1, 1),
        dict: {},
        list: [],
    }
    return made[python]

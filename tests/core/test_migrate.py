"""Migrations go up, down and up again, on empty and on filled databases."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from core import migrate
from core.app import CRM
from core.db import Model, db
from core.ddl import MigrationError

AppMaker = Callable[..., CRM]

FIRST = """
import sqlalchemy as sa
from alembic import op

revision = "0001_first"
down_revision = None


def upgrade():
    op.create_table(
        "shelf_item",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "contact_id",
            sa.Integer,
            sa.ForeignKey("contact.id", name="fk_item_contact", ondelete="CASCADE"),
        ),
        sqlite_autoincrement=True,
    )


def downgrade():
    op.drop_table("shelf_item")
"""

SECOND = """
import sqlalchemy as sa
from alembic import op

revision = "0002_second"
down_revision = "0001_first"


def upgrade():
    {upgrade}


def downgrade():
    pass
"""

# What SQLite has to do for most changes of a table, done to all of them.
REBUILD = """
    for name in sa.inspect(op.get_bind()).get_table_names():
        if not name.endswith("_alembic_version"):
            with op.batch_alter_table(name, recreate="always"):
                pass
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Callable[..., tuple[str, ModuleType]]:
    """Make a plugin `shelf` that consists of migrations; one of its own, or more."""
    folder = tmp_path / "shelf"

    def make(*, second: str = "", first: str = FIRST) -> tuple[str, ModuleType]:
        (folder / "migrations").mkdir(parents=True, exist_ok=True)
        if first:
            (folder / "migrations" / "0001_first.py").write_text(first)
        if second:
            text = SECOND.format(upgrade=second)
            (folder / "migrations" / "0002_second.py").write_text(text)
        module = ModuleType("shelf.plugin")
        module.__file__ = str(folder / "plugin.py")
        return "shelf", module

    return make


def test_every_database_at_its_head_equals_the_models(app: CRM) -> None:
    for lineage in migrate.lineages(app):
        assert migrate.differences(app, lineage.name) == [], lineage.name


def test_every_migration_has_its_number_and_its_name(app: CRM) -> None:
    for lineage in migrate.lineages(app):
        if lineage.script is None:
            continue
        files = {one.name for one in lineage.path.iterdir()} - {"__pycache__"}
        found = {f"{one.revision}.py" for one in lineage.script.walk_revisions()}
        assert files == found
        assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", one) for one in files)
        assert lineage.head == max(files).removesuffix(".py")


def test_a_plugin_taken_back_leaves_everybody_elses_tables_alone(app: CRM) -> None:
    fill()
    for lineage in migrate.lineages(app)[1:]:
        before = counts()
        migrate.downgrade(app, lineage.name)
        others = {name for name in before if not name.startswith(f"{lineage.name}_")}
        assert counts() == {name: before[name] for name in others}
        migrate.upgrade(app, lineage.name)
        assert counts().keys() == before.keys()
        assert migrate.differences(app, lineage.name) == []
        fill()


def test_all_go_back_to_nothing_and_come_again(app: CRM) -> None:
    before = counts().keys()
    migrate.downgrade(app)
    assert counts() == {}
    assert {one.current for one in migrate.status(app)} == {None}
    migrate.upgrade(app)
    assert counts().keys() == before
    assert all(one.current == one.head for one in migrate.status(app))
    assert migrate.upgrade(app) == []


def test_no_migration_loses_a_row(app: CRM) -> None:
    migrate.downgrade(app)
    for lineage in migrate.lineages(app):
        revisions = list(lineage.script.walk_revisions()) if lineage.script else []
        for revision in reversed(revisions):
            before = counts()
            migrate.upgrade(app, lineage.name, revision.revision)
            after = counts()
            assert all(after[name] >= rows for name, rows in before.items())
            fill()


def test_a_filled_database_goes_back_and_comes_again_as_before(
    app: CRM,
) -> None:
    fill()
    migrate.downgrade(app)
    migrate.upgrade(app)
    for lineage in migrate.lineages(app):
        assert migrate.differences(app, lineage.name) == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_rebuilt_table_keeps_its_rows_its_children_and_its_last_id(
    make_app: AppMaker, shelf: Callable[..., tuple[str, ModuleType]]
) -> None:
    app = make_app(extra_plugins=[shelf()])
    migrate.upgrade(app)
    with app.app_context():
        fill()
        with db.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM failed_sign_in")
        before, ids = counts(), last_ids()
    assert before["shelf_item"] == 1
    shelf(second=REBUILD)
    migrate.upgrade(app)
    with app.app_context():
        assert counts() == before
        assert last_ids() == ids
        assert ids["failed_sign_in"] == 1000
        assert migrate.differences(app) == []
        assert kept_for_ever("contact")
        assert kept_for_ever("shelf_item")


def test_a_migration_that_fails_leaves_nothing_behind(
    make_app: AppMaker, shelf: Callable[..., tuple[str, ModuleType]]
) -> None:
    app = make_app(extra_plugins=[shelf(second='op.drop_table("nowhere")')])
    with app.app_context():
        before = counts()
        with pytest.raises(MigrationError, match=r"shelf, after 0001_first: .*nowhere"):
            migrate.upgrade(app)
        assert counts() == before


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_migration_that_would_leave_rows_pointing_to_nothing_is_refused(
    make_app: AppMaker, shelf: Callable[..., tuple[str, ModuleType]]
) -> None:
    second = 'op.execute("INSERT INTO shelf_item (contact_id) VALUES (404)")'
    app = make_app(extra_plugins=[shelf(second=second)])
    with app.app_context():
        before = counts()
        with pytest.raises(MigrationError, match="shelf_item"):
            migrate.upgrade(app)
        assert counts() == before


def test_core_stays_while_a_plugin_stands_on_it(
    make_app: AppMaker, shelf: Callable[..., tuple[str, ModuleType]]
) -> None:
    migrate.upgrade(make_app(extra_plugins=[shelf()]))
    app = make_app()
    with app.app_context():
        before = counts()
        with pytest.raises(MigrationError, match="shelf"):
            migrate.downgrade(app)
        assert counts() == before


def test_core_goes_on_without_the_code_of_a_plugin(
    make_app: AppMaker, shelf: Callable[..., tuple[str, ModuleType]]
) -> None:
    migrate.upgrade(make_app(extra_plugins=[shelf()]))
    app = make_app()
    assert migrate.differences(app) == []
    assert migrate.upgrade(app) == []


def test_a_database_of_a_newer_version_is_named(
    make_app: AppMaker, shelf: Callable[..., tuple[str, ModuleType]], tmp_path: Path
) -> None:
    app = make_app(extra_plugins=[shelf(second="pass")])
    migrate.upgrade(app)
    (tmp_path / "shelf" / "migrations" / "0002_second.py").unlink()
    with pytest.raises(MigrationError, match="0002_second"):
        migrate.upgrade(app)


def test_two_that_follow_the_same_revision_are_named(
    make_app: AppMaker, shelf: Callable[..., tuple[str, ModuleType]], tmp_path: Path
) -> None:
    app = make_app(extra_plugins=[shelf(second="pass")])
    other = SECOND.format(upgrade="pass").replace("0002_second", "0002_other")
    (tmp_path / "shelf" / "migrations" / "0002_other.py").write_text(other)
    with pytest.raises(MigrationError, match="0002_other, 0002_second"):
        migrate.upgrade(app)


def test_an_unknown_plugin_is_named_with_the_ones_there_are(app: CRM) -> None:
    with pytest.raises(MigrationError, match="no nobody here, only: core, documents"):
        migrate.upgrade(app, "nobody")


def test_two_processes_may_upgrade_at_once(app: CRM, tmp_path: Path) -> None:
    migrate.downgrade(app)
    environment = os.environ | {
        "RAPPORT_DATABASE_URL": app.config["DATABASE_URL"],
        "RAPPORT_INSTANCE": str(tmp_path),
        "RAPPORT_SECRET_KEY": "test",
    }
    code = "from core.cli import main; main()"
    command = [sys.executable, "-c", code, "db", "upgrade"]
    both = [
        subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert sorted("Nothing to do." in out for out, _ in said) == [False, True]
    assert all(one.current == one.head for one in migrate.status(app))


def test_a_revision_is_written_from_the_models_and_is_complete(
    make_app: AppMaker, shelf: Callable[..., tuple[str, ModuleType]]
) -> None:
    app = make_app(extra_plugins=[shelf(first="")])
    tables = shelf_tables()
    try:
        path = migrate.new_revision(app, "shelf", "first", "The first tables")
        assert path.name == "0001_first.py"
        assert path.read_text().startswith('"""The first tables."""\n')
        assert "core.db" not in path.read_text()
        with pytest.raises(MigrationError, match="upgrade"):
            migrate.new_revision(app, "shelf", "second", "Too early")
        assert migrate.upgrade(app) == ["shelf 0001_first"]
        assert migrate.differences(app, "shelf") == []
        with pytest.raises(MigrationError, match="as the models say"):
            migrate.new_revision(app, "shelf", "second", "Nothing")
        tables[0].append_column(sa.Column("size", sa.Integer))
        path = migrate.new_revision(app, "shelf", "second", "Sizes")
        assert 'down_revision = "0001_first"' in path.read_text()
        migrate.upgrade(app)
        assert migrate.differences(app, "shelf") == []
        migrate.downgrade(app, "shelf")
        with app.app_context():
            assert not any(name.startswith("shelf_") for name in counts())
    finally:
        for table in tables:
            Model.metadata.remove(table)


def test_a_name_with_other_signs_than_letters_is_refused(app: CRM) -> None:
    with pytest.raises(MigrationError, match="small letters"):
        migrate.new_revision(app, "core", "Second Try", "No")


def shelf_tables() -> list[sa.Table]:
    """Make two tables that point to each other, with every kind of column we use."""
    kinds = Model.type_annotation_map
    return [
        sa.Table(
            "shelf_box",
            Model.metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("best_id", sa.ForeignKey("shelf_thing.id", use_alter=True)),
            sa.Column("at", kinds[datetime], nullable=False),
            sqlite_autoincrement=True,
        ),
        sa.Table(
            "shelf_thing",
            Model.metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("box_id", sa.ForeignKey("shelf_box.id", ondelete="CASCADE")),
            sa.Column("price", kinds[Decimal], index=True),
            sa.Column("words", kinds[list[str]], nullable=False),
            sa.Column("name", sa.String(20), unique=True),
            sqlite_autoincrement=True,
        ),
    ]


def counts() -> dict[str, int]:
    """Count the rows of every table but those that hold revisions."""
    with db.engine.connect() as connection:
        return {
            name: connection.scalar(
                sa.select(sa.func.count()).select_from(sa.table(name))
            )
            or 0
            for name in sa.inspect(connection).get_table_names()
            if not name.endswith("_alembic_version")
        }


def last_ids() -> dict[str, int]:
    """Tell the highest id each table of SQLite ever gave."""
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, seq FROM sqlite_sequence")
        return {row.name: row.seq for row in rows}


def kept_for_ever(table: str) -> bool:
    """Say whether SQLite gives each id of `table` only once."""
    with db.engine.connect() as connection:
        created = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = ?", (table,)
        ).scalar_one()
    return "AUTOINCREMENT" in created


def fill() -> None:
    """Put a row in every table that has none, parents first."""
    metadata = sa.MetaData()
    with db.engine.begin() as connection:
        metadata.reflect(connection)
        waiting = [
            table
            for name, table in metadata.tables.items()
            if not name.endswith("_alembic_version")
        ]
        while waiting:
            ready = [table for table in waiting if not needs(table) & set(waiting)]
            assert ready, f"{waiting} wait for each other"
            for table in ready:
                waiting.remove(table)
                if (
                    connection.scalar(sa.select(sa.func.count()).select_from(table))
                    == 0
                ):
                    connection.execute(
                        table.insert().values(row_for(table, connection))
                    )


def needs(table: sa.Table) -> set[sa.Table]:
    """Name the tables without whose rows one of `table` cannot be."""
    return {
        key.column.table
        for key in table.foreign_keys
        if not key.parent.nullable and key.column.table is not table
    }


def row_for(table: sa.Table, connection: sa.Connection) -> dict[str, Any]:
    """Make a row; ids are high, so that they do not meet those of migrations."""
    row: dict[str, Any] = {}
    for column in table.columns:
        key = next(iter(column.foreign_keys), None)
        if key is not None:
            row[column.name] = connection.scalar(sa.select(key.column).limit(1))
        elif column.primary_key and isinstance(column.type, sa.Integer):
            row[column.name] = 1000
        else:
            row[column.name] = value_for(column.type)
    return row


def value_for(kind: sa.types.TypeEngine[Any]) -> object:
    """Make a value of a reflected type."""
    if isinstance(kind, sa.JSON):
        return []
    by_python: dict[type, object] = {
        bool: True,
        bytes: b"x",
        date: date(2026, 1, 2),
        datetime: datetime(2026, 1, 2, tzinfo=UTC),
        str: "x",
    }
    return by_python.get(kind.python_type, 1)

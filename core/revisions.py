"""What a new migration file says, written from what Alembic found."""

import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import render_python_code
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.types import TypeDecorator

TEMPLATE = '''\
"""{message}"""

import sqlalchemy as sa
from alembic import op
{imports}
revision = "{revision}"
down_revision = {down_revision}


def upgrade() -> None:
{upgrade}


def downgrade() -> None:
{downgrade}
'''


def compose(
    made: ops.MigrationScript,
    context: MigrationContext,
    revision: str,
    follows: str | None,
    message: str,
) -> str:
    """Write the text of the migration file `revision` from what Alembic found."""
    _close_circles(made)
    bodies = [
        _lines(part, context)
        for part in (made.upgrade_ops, made.downgrade_ops)
        if part is not None
    ]
    used = [one for one in ("postgresql", "sqlite") if f"{one}." in "".join(bodies)]
    imports = f"from sqlalchemy.dialects import {', '.join(used)}\n" if used else ""
    return TEMPLATE.format(
        message=message.rstrip(".") + ".",
        imports=imports,
        revision=revision,
        down_revision=f'"{follows}"' if follows else None,
        upgrade=bodies[0],
        downgrade=bodies[1],
    )


def write(path: Path, text: str) -> None:
    """Save a migration, formatted as the project's code where ruff is installed."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff:
        subprocess.run([ruff, "format", "--quiet", path], check=True)  # noqa: S603


def _close_circles(made: ops.MigrationScript) -> None:
    """Add the foreign keys between tables that point to each other when both stand.

    PostgreSQL cannot make the first of them with its key, and Alembic drops the key.
    """
    if made.upgrade_ops is None or made.downgrade_ops is None:
        return
    for table in [o for o in made.upgrade_ops.ops if isinstance(o, ops.CreateTableOp)]:
        name = table.table_name
        added = [
            ops.CreateForeignKeyOp.from_constraint(key)
            for key in table.to_table().foreign_key_constraints
            if key.use_alter
        ]
        if not added:
            continue
        added.sort(key=lambda one: str(one.constraint_name))
        for one in added:
            one.kw.pop("use_alter")
        dropped = [
            ops.DropConstraintOp(one.constraint_name, name, "foreignkey")
            for one in added
        ]
        made.upgrade_ops.ops.append(ops.ModifyTableOps(name, added))
        made.downgrade_ops.ops.insert(0, ops.ModifyTableOps(name, dropped))


def _lines(part: ops.OpContainer, context: MigrationContext) -> str:
    code = render_python_code(
        part,  # type: ignore[arg-type] # one of the two it takes
        render_as_batch=True,
        render_item=render_item,
        migration_context=context,
    )
    # Alembic's "please adjust" is for who writes the file, not for who reads it.
    kept = [line for line in code.splitlines() if "# ###" not in line]
    text = "\n".join(kept).replace("astext_type=Text()", "astext_type=sa.Text()")
    return indent(dedent(text), "    ")


def render_item(kind: str, value: object, _context: object) -> Any:
    """Write our own column types as plain ones, so that a migration stays valid.

    `False` leaves the rest to Alembic; `None` leaves out a foreign key that closes a
    circle, which `compose` adds later.
    """
    if isinstance(value, sa.ForeignKeyConstraint) and value.use_alter:
        return None
    if kind != "type" or not isinstance(value, TypeDecorator):
        return False
    if type(value).__module__.startswith("sqlalchemy."):
        return False
    plain = value.load_dialect_impl(DefaultDialect())
    text = f"sa.{plain!r}"
    for dialect in (postgresql.dialect(), sqlite.dialect()):  # type: ignore[no-untyped-call]
        if value.compile(dialect=dialect) != plain.compile(dialect=dialect):
            variant = value.load_dialect_impl(dialect).as_generic()
            text += f".with_variant(sa.{variant!r}, {dialect.name!r})"
    return text

"""`rapport export KIND`: take records out as a file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
import sqlalchemy as sa

from core.app import CRM
from core.command import with_app
from core.db import db
from core.exporting import Progress, export_kind, export_rows
from core.exporting.writers import WRITERS
from core.users.models import User
from core.users.services import find_user

_PARTS = 1000


@click.command()
@click.argument("kind")
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(WRITERS)),
    default="csv",
    show_default=True,
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; standard output without it.",
)
@click.option("--as", "email", help="Only what this user may see.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@with_app
def export(
    app: CRM, kind: str, form: str, out: Path | None, email: str | None, quiet: bool
) -> None:
    """Take records out as a file: contacts, products, orders and what plugins add.

    Example: rapport export contacts --format xlsx --out contacts.xlsx
    """
    declared = export_kind(app, kind)
    user = _reader(email)
    with _bar(kind, quiet=quiet or out is None) as progress:
        rows = export_rows(declared, user, progress)
        if out is None:
            WRITERS[form](declared, rows, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        with _whole(out) as file:
            WRITERS[form](declared, rows, file)


@contextmanager
def _whole(out: Path) -> Iterator[BinaryIO]:
    """Write beside `out` and rename at the end: a file cut off looks whole."""
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _reader(email: str | None) -> User:
    """Find whose eyes choose: those of `--as`, else of the first administrator."""
    with db.read_only() as session:
        if email is not None:
            user = find_user(email)
        else:
            query = sa.select(User).where(User.active, User.kind == "staff")
            staff = session.scalars(query.order_by(User.id)).all()
            every = [one for one in staff if "admin:users" in one.permissions]
            if not every:
                raise click.UsageError("Say with --as whose eyes choose.")
            user = every[0]
        # Read while the session is there: the rows come one page after the other.
        _known = user.permissions, user.team_ids, user.reach
        session.expunge_all()
    return user


@contextmanager
def _bar(label: str, *, quiet: bool) -> Iterator[Progress | None]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=_PARTS, label=label, file=sys.stderr) as bar:
        yield lambda _rows, part: bar.update(int(part * _PARTS) - bar.pos)

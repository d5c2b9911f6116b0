"""`rapport import …`: bring a file in, list what came in, take it back, go on."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask, current_app

from core.db import db
from core.importing.mapping import read_mapping
from core.importing.models import ImportRun
from core.importing.reports import Report
from core.importing.running import Progress, import_kinds, resume_import, run_import
from core.importing.undoing import recent_runs, undo_import
from core.permissions import Permission, can
from core.users.models import User
from core.users.services import find_user

# The progress bar goes in thousandths of the file.
_PARTS = 1000

_file = click.argument("file", type=click.Path(path_type=Path))
_as = click.option(
    "--as", "email", help="Who brings it in; by default an administrator."
)
_json = click.option(
    "--json", "as_json", is_flag=True, help="Print the report as JSON."
)
_quiet = click.option("--quiet", is_flag=True, help="No progress bar.")


def _app() -> Flask:
    found: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return found


class _Kinds(click.Group):
    """The commands named below, and one for each kind of file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, then the kinds that plugins bring in."""
        return [*super().list_commands(ctx), *sorted(import_kinds(_app()))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command; any other name is taken for a kind of file."""
        return super().get_command(ctx, cmd_name) or _bring(cmd_name)


@click.group(name="import", cls=_Kinds, subcommand_metavar="KIND FILE | COMMAND …")
def imports() -> None:
    """Bring in files: contacts, products, orders and what plugins add.

    Example: rapport import contacts customers.csv --map customers.toml --dry-run
    """


def _bring(kind: str) -> click.Command:
    declared = import_kinds(_app()).get(kind)
    about = str(declared.title) if declared else kind

    example = f"Example: rapport import {kind} {kind}.csv --dry-run"

    @click.command(name=kind, help=f"Bring in a file: {about}.\n\n{example}")
    @_file
    @click.option(
        "--map", "mapping", type=click.Path(path_type=Path), help="A mapping file."
    )
    @click.option("--source", default="", help="The system its keys come from.")
    @click.option(
        "--dry-run", is_flag=True, help="Say what would happen, change nothing."
    )
    @_as
    @_json
    @_quiet
    def bring(
        file: Path,
        mapping: Path | None,
        source: str,
        dry_run: bool,
        email: str | None,
        as_json: bool,
        quiet: bool,
    ) -> None:
        with _Bar(file, quiet=quiet) as progress:
            report = run_import(
                _app(),
                kind,
                file,
                read_mapping(mapping) if mapping else None,
                actor_id=_actor(email, declared.permission if declared else None),
                dry_run=dry_run,
                source=source,
                progress=progress,
            )
        _tell(report, as_json=as_json)

    return bring


@imports.command(name="list")
@_json
def list_imports(as_json: bool) -> None:
    """List what was brought in. Example: rapport import list."""
    with db.read_only():
        rows = [_described(run) for run in recent_runs()]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        counts = "{created} new, {updated} changed, {refused} refused".format(**row)
        click.echo(
            f"{row['id']:>5}  {row['state']:<8} {row['started_at'][:16]}  "
            f"{row['kind']:<16} {row['file']}: {counts}"
        )


def _described(run: ImportRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "kind": run.kind,
        "file": run.file_name,
        "state": run.state,
        "started_at": run.started_at.isoformat(),
        "created": run.created,
        "updated": run.updated,
        "same": run.same,
        "refused": run.refused,
    }


@imports.command()
@click.argument("run_id", type=int)
@_as
@_json
def undo(run_id: int, email: str | None, as_json: bool) -> None:
    """Delete what an import made and nobody touched since.

    Example: rapport import undo 7
    """
    report = undo_import(_app(), run_id, actor_id=_actor(email, _permission_of(run_id)))
    if as_json:
        click.echo(json.dumps(asdict(report)))
        return
    click.echo(
        f"{report.deleted} deleted, {report.left} kept, {report.gone} gone before."
    )
    if report.changed:
        click.echo(
            f"{report.changed} were there before the import and stay as they are."
        )
    for one in report.kept:
        click.echo(f"{one.ref}: {one.reason}", err=True)


@imports.command()
@click.argument("run_id", type=int)
@_file
@_json
@_quiet
def resume(run_id: int, file: Path, as_json: bool, quiet: bool) -> None:
    """Go on with an import that was cut off.

    Example: rapport import resume 7 customers.csv
    """
    with _Bar(file, quiet=quiet) as progress:
        report = resume_import(_app(), run_id, file, progress=progress)
    _tell(report, as_json=as_json)


def _permission_of(run_id: int) -> Permission | None:
    with db.read_only() as session:
        run = session.get(ImportRun, run_id)
    kind = import_kinds(_app()).get(run.kind) if run else None
    return kind.permission if kind else None


def _actor(email: str | None, permission: Permission | None) -> int:
    """Find who imports: whom `--as` names, else the first colleague who may."""
    with db.read_only() as session:
        if email is not None:
            return find_user(email).id
        query = sa.select(User).where(User.active, User.kind == "staff")
        for user in session.scalars(query.order_by(User.id)):
            if permission is None or can(permission, user):
                return user.id
    raise click.UsageError("Nobody here may bring in files. Name somebody with --as.")


class _Bar:
    """A progress bar on a terminal, and nothing elsewhere."""

    def __init__(self, file: Path, *, quiet: bool):
        shown = sys.stderr.isatty() and not quiet
        self._bar = (
            click.progressbar(length=_PARTS, label=file.name, file=sys.stderr)
            if shown
            else None
        )
        self._done = 0

    def __enter__(self) -> Progress | None:
        if self._bar is None:
            return None
        self._bar.__enter__()
        return self._advance

    def _advance(self, _rows: int, part: float) -> None:
        if self._bar is not None:
            here = int(part * _PARTS)
            self._bar.update(here - self._done)
            self._done = here

    def __exit__(self, *what: Any) -> None:
        if self._bar is not None:
            self._bar.__exit__(*what)


def _tell(report: Report, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(report)))
        return
    begin = "Would bring in" if report.trial else "Brought in"
    click.echo(
        f"{begin} {report.file_name}: {report.created} new, {report.updated} changed, "
        f"{report.same} as before, {report.refused} refused."
    )
    if report.unused:
        click.echo(f"Columns left out: {', '.join(report.unused)}")
    for one in report.refusals:
        click.echo(f"line {one.line}: {one.reason}", err=True)
    more = report.refused - len(report.refusals)
    if more:
        click.echo(f"and {more} more refused rows", err=True)
    if report.run_id is not None:
        click.echo(f"Take it back with: rapport import undo {report.run_id}")

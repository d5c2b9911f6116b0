"""`rapport backup` and `rapport restore`."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from core.app import CRM
from core.backup.archive import Watch, unwatched
from core.backup.restoring import restore_backup
from core.backup.taking import make_backup
from core.command import application, with_app
from core.config import instance_folder

_quiet = click.option("--quiet", is_flag=True, help="Say nothing but what is wrong.")
_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


def _watch(quiet: bool) -> Watch:
    if quiet or not sys.stderr.isatty():
        return unwatched

    def shown(label: str, items: list[Any]) -> Iterable[Any]:
        def steps() -> Iterator[Any]:
            with click.progressbar(items, label=label, file=sys.stderr) as bar:
                yield from bar

        return steps()

    return shown


@click.command()
@_file
@_quiet
@with_app
def backup(app: CRM, file: Path, quiet: bool) -> None:
    """Write database, files and settings of one moment to FILE, while people work.

    FILE holds everything, secrets included (the secret key, passwords' hashes, what
    is in config.py): only its owner may read it, and so should every copy of it. The
    search index is not in it; it is made anew after a restore.

    Example: rapport backup /var/backups/rapport-$(date +%F).rapport
    """
    taken = make_backup(app, file, _watch(quiet))
    for sha256, table in taken.missing.items():
        click.echo(f"Missing or damaged: file {sha256} of {table}.", err=True)
    if not quiet:
        click.echo(
            f"{file}: {taken.rows} rows, {taken.files} files, "
            f"{taken.size / 1e6:.1f} MB. It holds secrets: keep it safe."
        )


@click.command()
@_file
@click.option(
    "--replace",
    is_flag=True,
    help="Take the place of the data that is here, of which a backup is made first.",
)
@click.option(
    "--without",
    multiple=True,
    metavar="PLUGIN",
    help="Leave out the tables of a plugin that is not installed.",
)
@_quiet
def restore(file: Path, replace: bool, without: tuple[str, ...], quiet: bool) -> None:
    """Bring back what `rapport backup` wrote to FILE, into this installation.

    Stop web servers and workers first. FILE is read through before anything is
    changed. It may come from an older version or from the other kind of database;
    which database it goes into, this installation's own settings say.

    Example: RAPPORT_INSTANCE=/srv/rehearsal rapport restore monday.rapport
    """
    if not file.is_file():
        raise click.UsageError(f"There is no file {file}.")
    instance_folder().mkdir(parents=True, exist_ok=True)
    app = application()
    done = restore_backup(
        app, file, replace=replace, without=without, watch=_watch(quiet)
    )
    for remark in done.remarks:
        click.echo(remark, err=True)
    if not quiet:
        if done.steps:
            click.echo(f"Brought up to date: {', '.join(done.steps)}.")
        click.echo(
            f"{done.rows} rows and {done.files} files are back. The worker makes the "
            "search index anew; at once with: rapport search rebuild"
        )

"""`rapport search …`."""

import json

import click

from core.db import db
from core.users.services import find_user
from plugins.search import indexing
from plugins.search import services as found
from plugins.search.backend import IndexBroken
from plugins.search.engine import backend
from plugins.search.reconciling import compare

# So many of those that could not be indexed are named; the log names all.
SHOWN = 20


@click.group()
def search() -> None:
    """Look after the search index.

    Example: rapport search rebuild
    """


@search.command()
def rebuild() -> None:
    """Make the index anew, while the old one answers.

    Example: rapport search rebuild
    """
    stats, left_out = indexing.rebuild()
    click.echo(f"{stats.documents} records, {stats.size / 1e6:.1f} MB.")
    if left_out:
        named = ", ".join(left_out[:SHOWN]) + (", …" if left_out[SHOWN:] else "")
        click.echo(f"{len(left_out)} could not be indexed: {named}", err=True)


@search.command()
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """Say how the index is. Example: rapport search status --json."""
    try:
        stats = backend().stats()
    except IndexBroken as error:
        raise click.ClickException(f"{error} Run: rapport search rebuild") from error
    if as_json:
        click.echo(json.dumps({"documents": stats.documents, "counts": stats.counts}))
        return
    click.echo(f"{stats.name}: {stats.documents} records, {stats.size / 1e6:.1f} MB")
    for name, count in sorted(stats.counts.items()):
        click.echo(f"  {name:<28} {count}")


@search.command()
def verify() -> None:
    """Compare the index with its files and with the database; mends nothing.

    The worker does this once a day, and mends. Example: rapport search verify
    """
    try:
        found = compare()
    except IndexBroken as error:
        raise click.ClickException(f"{error} Run: rapport search rebuild") from error
    for one in found.problems:
        click.echo(f"{one.file}: {one.message}", err=True)
    if found.problems:
        raise click.ClickException("The index is damaged. Run: rapport search rebuild")
    differing = [*found.stale, *found.orphans]
    if not differing:
        click.echo("The index is as the database is.")
        return
    named = ", ".join(differing[:SHOWN]) + (", …" if differing[SHOWN:] else "")
    raise click.ClickException(
        f"Records that differ: {len(differing)} ({named}). What just changed is on its "
        "way; the rest the worker mends within a day, or: rapport search rebuild"
    )


@search.command()
@click.argument("text")
@click.option("--as", "email", required=True, help="Search as this account.")
@click.option("--json", "as_json", is_flag=True)
def query(text: str, email: str, as_json: bool) -> None:
    """Search as somebody would.

    Example: rapport search query pallet --as anna@example.com
    """
    with db.read_only():
        refs = found.refs_for(find_user(email), text)
    if as_json:
        click.echo(json.dumps(refs))
        return
    click.echo("\n".join(f"{ref}  {title}" for ref, title in refs) or "Nothing.")

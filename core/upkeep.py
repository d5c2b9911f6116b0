"""`rapport db …` and `rapport doctor`: looking after the house."""

import json
import sys

import click

from core import migrate
from core.app import CRM
from core.checkup import examine
from core.command import with_app


@click.group(name="db")
def database() -> None:
    """Bring the tables up to date.

    Example: rapport db upgrade
    """


_plugin_option = click.option("--plugin", help="One lineage only, such as core.")


@database.command()
@_plugin_option
@with_app
def upgrade(app: CRM, plugin: str | None) -> None:
    """Upgrade core's tables, then the plugins'. Example: rapport db upgrade."""
    steps = migrate.upgrade(app, plugin)
    click.echo("\n".join(steps) if steps else "Nothing to do.")


@database.command()
@_plugin_option
@click.option("--to", "target", default="base", show_default=True)
@click.confirmation_option(prompt="Tables go, with their rows. Go on?")
@with_app
def downgrade(app: CRM, plugin: str | None, target: str) -> None:
    """Take tables back. Example: rapport db downgrade --plugin documents."""
    click.echo("\n".join(migrate.downgrade(app, plugin, target)) or "Nothing to do.")


@database.command()
@click.option("--json", "as_json", is_flag=True)
@with_app
def status(app: CRM, as_json: bool) -> None:
    """Say which tables are at which revision. Example: rapport db status."""
    found = migrate.status(app)
    if as_json:
        click.echo(json.dumps([vars(one) for one in found]))
        return
    for one in found:
        state = "up to date" if one.current == one.head else "run: rapport db upgrade"
        click.echo(f"{one.name:<14} {one.current or '-':<24} {state}")


@database.command()
@click.argument("plugin")
@click.argument("slug")
@with_app
def revision(app: CRM, plugin: str, slug: str) -> None:
    """Write a migration from the models. Example: rapport db revision portal tags."""
    words = slug.replace("_", " ").capitalize()
    click.echo(str(migrate.new_revision(app, plugin, slug, f"{words}.")))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@with_app
def doctor(app: CRM, as_json: bool) -> None:
    """Say what is wrong with this installation, and what to do.

    Ends with 2 when something is wrong; a warning alone ends with 0.

    Example: rapport doctor
    """
    found = examine(app)
    wrong = [one for one in found if one.level == "wrong"]
    if as_json:
        click.echo(json.dumps([vars(one) for one in found]))
    else:
        for one in found:
            mark = "" if one.level == "wrong" else " (warning)"
            click.echo(f"{one.name}: {one.said}{mark}", err=True)
        if not found:
            click.echo("All is well.")
        elif not wrong:
            click.echo("Nothing is wrong.")
    if wrong:
        sys.exit(2)

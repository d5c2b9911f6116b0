"""`rapport plugin …`: list, make, check, switch, remove and put back plugins."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from core.app import CRM, create_app
from core.command import with_app
from core.config import instance_folder, load_config
from core.db import db
from core.events import acting
from core.plugin_life import (
    Plan,
    archives_of,
    plan_removal,
    put_back,
    remove_plugin,
    turn_off,
    turn_on,
)
from core.plugin_manager import PluginError, installed_plugins, plugin_names

_RESTART = "A running Rapport does not notice: restart rapport run and rapport worker."
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_PLACES = {
    "menu_items": "menu lines",
    "record_panels": "panels",
    "record_actions": "buttons",
    "day_items": "blocks of my day",
    "palette_items": "things Ctrl-K does",
    "contact_columns": "columns of the contact list",
}


@click.group()
def plugin() -> None:
    """Look after plugins, and make new ones.

    Example: rapport plugin new visits
    """


@plugin.command(name="list")
@_json
@with_app
def plugin_list(app: CRM, as_json: bool) -> None:
    """List the installed plugins. Example: rapport plugin list."""
    on = plugin_names(app)
    rows = [
        {"name": point.name, "module": point.value, "on": point.name in on}
        for point in installed_plugins()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(
            f"{row['name']:<14} {'on' if row['on'] else 'off':<4} {row['module']}"
        )


@plugin.command()
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The folder to make it in; the one you are in by default.",
)
@click.option("--package", help="Its import name; rapport_NAME by default.")
def new(name: str, into: Path, package: str | None) -> None:
    """Write a plugin that works, to start yours from.

    NAME is the plugin's one name, and a plural noun: its page is at /NAME.
    Example: rapport plugin new visits --into ~/work
    """
    from core.scaffold import write_plugin

    folder = write_plugin(name, into=into, package=package)
    click.echo(f"Your plugin is in {folder}. Next:")
    click.echo(f"  pip install --no-deps --no-build-isolation -e {folder}")
    click.echo("  rapport db upgrade")
    click.echo(f"  rapport plugin check {name}")
    click.echo("  rapport run")


@plugin.command()
@click.argument("name")
@_json
def check(name: str, as_json: bool) -> None:
    """Run the contract that every plugin passes.

    Example: rapport plugin check visits
    """
    _refuse_unknown(name)
    try:
        from core.testing.contract.report import check_plugin
    except ImportError as error:
        raise click.UsageError(
            "The contract needs what the tests need: install rapport-crm[test]."
        ) from error
    points = check_plugin(name)
    if as_json:
        click.echo(json.dumps([vars(one) for one in points]))
    else:
        for one in points:
            click.echo(f"{one.number:>2}  {'ok' if one.ok else 'NO':<3} {one.title}")
            for said in one.wrong:
                click.echo(f"        wrong: {said}")
            if not one.ok:
                click.echo(f"        to do: {one.advice}")
    if not all(one.ok for one in points):
        sys.exit(2)


@plugin.command()
@click.argument("name")
@_json
def plan(name: str, as_json: bool) -> None:
    """Say what removing a plugin would take away.

    Example: rapport plugin plan support
    """
    found = plan_removal(_app_with(name), name)
    if as_json:
        click.echo(json.dumps(found.as_dict()))
        return
    _show(found)


@plugin.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for the name again.")
@_json
def remove(name: str, yes: bool, as_json: bool) -> None:
    """Archive a plugin's data and take the plugin away; restore puts it back.

    Example: rapport plugin remove support
    """
    app = _app_with(name)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Nobody is here to ask. Say --yes to remove it.")
        _show(plan_removal(app, name))
        typed = click.prompt(f"Type {name} to remove it", default="", err=True)
        if typed != name:
            raise click.UsageError("That is not its name: nothing was removed.")
    gone = _at_work(app, lambda: remove_plugin(app, name))
    if as_json:
        about = vars(gone) | {"archive": str(gone.archive)}
        click.echo(json.dumps(about))
        return
    rows = sum(gone.tables.values())
    click.echo(f"{name} is removed: {rows} rows of {len(gone.tables)} tables.")
    click.echo(f"They are kept in {gone.archive}.")
    click.echo(f"Put it back with: rapport plugin restore {name}")
    click.echo(_RESTART)


@plugin.command()
@click.argument("name")
@click.option(
    "--archive",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Which archive; the newest by default.",
)
@_json
def restore(name: str, archive: Path | None, as_json: bool) -> None:
    """Put a removed plugin back with its data.

    Example: rapport plugin restore support
    """
    app = _app_with(name)
    found = archives_of(Path(app.config["INSTANCE"]), name)
    if archive is None and not found:
        raise PluginError(f"there is no archive of {name!r} in the instance folder")
    path = archive or found[-1]
    back = _at_work(app, lambda: put_back(app, path, name))
    if as_json:
        click.echo(json.dumps(vars(back)))
        return
    if back.already:
        click.echo(f"The tables of {name} are there already; it is on again.")
    else:
        rows = sum(back.tables.values())
        click.echo(f"{name} is back: {rows} rows of {len(back.tables)} tables.")
    if back.lost:
        click.echo(f"{back.lost} rows hung on what is gone and stay in {path}.")
    click.echo(_RESTART)


@plugin.command()
@click.argument("name")
def off(name: str) -> None:
    """Switch a plugin off; its data stay. Example: rapport plugin off support."""
    turn_off(_plain_app(), name)
    click.echo(f"{name} is off; its data stay. {_RESTART}")


@plugin.command(name="on")
@click.argument("name")
def switch_on(name: str) -> None:
    """Switch a plugin on again. Example: rapport plugin on support."""
    turn_on(_plain_app(), name)
    click.echo(f"{name} is on. Run rapport db upgrade. {_RESTART}")


def _refuse_unknown(name: str) -> None:
    known = [point.name for point in installed_plugins()]
    if name not in known:
        raise PluginError(
            f"no plugin {name!r} is installed; there are: {', '.join(known)}"
        )


def _plain_app() -> CRM:
    """Build an application without any plugin: a broken one must not be in the way."""
    config = load_config(instance_folder())
    app = CRM("core")
    app.config.update(config)
    return app


def _app_with(name: str) -> CRM:
    """Build an application in which the plugin is on, whatever else is off."""
    _refuse_unknown(name)
    off = load_config(instance_folder())["PLUGINS_DISABLED"]
    return create_app({"PLUGINS_DISABLED": [one for one in off if one != name]})


def _at_work(app: CRM, work: Callable[[], Any]) -> Any:
    with app.app_context(), acting(None):
        try:
            return work()
        finally:
            db.engine.dispose()


def _show(found: Plan) -> None:
    click.echo(f"Removing {found.plugin} would take away:")
    _lines("pages", found.pages)
    _lines("API", found.api)
    for hook, titles in found.on_pages.items():
        _lines(_PLACES[hook], titles)
    _lines(
        "permissions",
        [
            f"{one} ({', '.join(r) or 'no role'})"
            for one, r in found.permissions.items()
        ],
    )
    _lines("settings stored", found.settings)
    _lines("kinds of import", found.imports)
    _lines("jobs", found.jobs)
    _lines(
        "subscriptions",
        [f"{one} ({n} deliveries wait)" for one, n in found.subscriptions.items()],
    )
    _lines("tables", [f"{one} ({n} rows)" for one, n in found.tables.items()])
    if found.links:
        click.echo(f"  links: {found.links}")
    if found.files:
        click.echo(f"  files: {found.files} ({found.file_bytes} bytes)")
    click.echo(f"{found.rows} rows would be archived first, and can be put back.")


def _lines(title: str, lines: list[str]) -> None:
    if lines:
        click.echo(f"  {title}:")
        for line in lines:
            click.echo(f"    {line}")

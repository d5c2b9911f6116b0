"""The `rapport` command; plugins add their own groups by `register_commands`."""

import json
import logging
import os
import secrets
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from marshmallow import ValidationError

from core import __version__, migrate
from core.app import CRM, create_app
from core.config import instance_folder
from core.db import db
from core.errors import CRMError
from core.events import acting
from core.pages import Check
from core.plugin_manager import PluginError, installed_plugins, plugin_names
from core.problems import flatten
from core.users.defaults import ensure_default_roles
from core.users.models import User
from core.users.services import create_user


class RapportGroup(click.Group):
    """The built-in commands, and those that plugins bring."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands, plugins' included."""
        return sorted({*super().list_commands(ctx), *_plugin_commands()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command; plugins are loaded only when it is not a built-in one."""
        built_in = super().get_command(ctx, cmd_name)
        if built_in is not None:
            return built_in
        found = _plugin_commands().get(cmd_name)
        if found is not None:
            # Plugins' commands find the application there, as Flask's do.
            ctx.with_resource(_app().app_context())
        return found


def _plugin_commands() -> dict[str, click.Command]:
    found: dict[str, click.Command] = _app().extensions["rapport_commands"]
    return found


def _app() -> CRM:
    """Build the application once per command."""
    context = click.get_current_context(silent=True)
    root = context.find_root() if context else None
    if root is None:
        return create_app()
    if not isinstance(root.obj, CRM):
        root.obj = create_app()
    return root.obj


def with_app(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the application as its first argument, its context pushed."""

    @wraps(command)
    def run(*args: object, **kwargs: object) -> object:
        app = _app()
        with app.app_context(), acting(None):
            return command(app, *args, **kwargs)

    return run


@click.group(cls=RapportGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rapport")
def rapport() -> None:
    """Rapport: a CRM for teams that share their customers.

    Example: rapport init && rapport run
    """


@rapport.command()
@click.option("--email", help="Sign-in of the first administrator.")
@click.option("--name", default="Administrator", show_default=True)
@click.option("--password", help="Asked for when it is left out.")
def init(email: str | None, name: str, password: str | None) -> None:
    """Make an instance: folder, secret key, database, first administrator.

    Example: rapport init --email you@example.com
    """
    folder = instance_folder()
    prepare_instance(folder)
    app = create_app()
    migrate.upgrade(app)
    with app.app_context(), db.transaction():
        ensure_default_roles()
        has_admin = db.session.scalar(sa.select(User.id).limit(1))
    click.echo(f"The instance is in {folder}.")
    if has_admin:
        click.echo("It has accounts already; none was added.")
        return
    email = email or click.prompt("E-mail of the first administrator")
    password = password or click.prompt(
        "Password (10 characters or more)", hide_input=True, confirmation_prompt=True
    )
    with app.app_context(), db.transaction():
        create_user(str(email), name=name, password=password, roles=["admin"])
    click.echo(f"{email} may sign in. Start with: rapport run")


def prepare_instance(folder: Path) -> None:
    """Make the folder of a deployment and its secret key, if they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "secret_key"
    if not key.exists():
        descriptor = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))


@rapport.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--no-worker", is_flag=True, help="Workers run elsewhere.")
def run(host: str, port: int, no_worker: bool) -> None:
    """Run the web server, with a worker beside it.

    Example: rapport run --host 0.0.0.0 --port 8000
    """
    from core.serve import serve

    app = _app()
    _refuse_old_tables(app)
    click.echo(f"Rapport is at http://{host}:{port}/ (Ctrl-C stops it)", err=True)
    serve(app, host=host, port=port, with_worker=not no_worker, pid=os.getpid())


def _refuse_old_tables(app: CRM) -> None:
    behind = [one.name for one in migrate.status(app) if one.current != one.head]
    with app.app_context():
        db.engine.dispose()
    if behind:
        raise click.UsageError(
            f"The database is not up to date ({', '.join(behind)}). "
            "Run: rapport db upgrade"
        )


@rapport.command()
@click.option("--parent", type=int, hidden=True)
def worker(parent: int | None) -> None:
    """Run a separate worker: deliveries and scheduled jobs.

    Example: rapport worker
    """
    from core.worker import work

    app = _app()
    _refuse_old_tables(app)
    work(app, parent=parent)


@rapport.command()
@click.option("--reset", is_flag=True, help="Start over: what you changed is lost.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Bring in a folder of CSV files instead of the demo company.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the sign-ins as JSON.")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True)
def demo(reset: bool, data: Path | None, as_json: bool, url: str) -> None:
    """Load the demo company and print its sign-ins.

    Example: rapport demo --reset
    """
    from core.demo import load_demo_company
    from core.worker import deliver_due, run_due_jobs

    prepare_instance(instance_folder())
    app = _app()
    click.echo("Loading, and preparing search: half a minute the first time.", err=True)
    signs = load_demo_company(app, reset=reset, data=data, url=url)
    # What the company's past announced is delivered now, so that search knows it.
    run_due_jobs(app)
    while deliver_due(app):
        continue
    if as_json:
        rows = [
            {"role": s.role, "email": s.email, "password": s.password, "url": s.url}
            for s in signs
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    click.echo(f"\nSign in at {url}")
    for one in signs:
        click.echo(f"  {one.role:<10} {one.email:<36} {one.password}")


@rapport.group(name="db")
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


@rapport.group()
def plugin() -> None:
    """Look after plugins.

    Example: rapport plugin list
    """


@plugin.command(name="list")
@click.option("--json", "as_json", is_flag=True)
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


@rapport.command()
@with_app
def doctor(app: CRM) -> None:
    """Say what is wrong with this installation, and what to do.

    Example: rapport doctor
    """
    wrong = [
        f"tables of {one.name}: run rapport db upgrade"
        for one in migrate.status(app)
        if one.current != one.head
    ]
    if not wrong:
        checks: list[Check] = app.extensions["rapport_checks"]
        wrong = [f"{one.name}: {said}" for one in checks if (said := one.run())]
    for line in wrong:
        click.echo(line, err=True)
    if wrong:
        sys.exit(2)
    click.echo("All is well.")


def main() -> None:
    """Run the command; bad input ends with one sentence and exit code 2."""
    logging.basicConfig(
        level=os.environ.get("RAPPORT_LOG", "INFO"),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    for noisy in ("alembic", "whoosh"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        rapport(standalone_mode=True)
    except (CRMError, PluginError, ValidationError, ValueError) as error:
        click.echo(f"rapport: {_sentence(error)}", err=True)
        sys.exit(2)


def _sentence(error: Exception) -> str:
    details = getattr(error, "errors", None) or getattr(error, "messages", None)
    if isinstance(details, dict) and details:
        return " ".join(
            f"{field}: {' '.join(messages)}"
            for field, messages in flatten(details).items()
        )
    return str(getattr(error, "message", error))


if __name__ == "__main__":
    main()

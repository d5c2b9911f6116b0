"""The `rapport` command; plugins add their own groups by `register_commands`."""

import json
import logging
import os
import secrets
import socket
import sys
from pathlib import Path

import click
import sqlalchemy as sa

from core import __version__, migrate
from core.app import CRM, create_app
from core.backup.cli import backup, restore
from core.checkup import missing_plugins, missing_sentence
from core.command import RapportGroup, application
from core.config import instance_folder
from core.db import db
from core.export_cli import export
from core.logs import FACTS, configure_logs
from core.plugin_cli import plugin
from core.upkeep import database, doctor
from core.users.defaults import ensure_default_roles
from core.users.models import User
from core.users.services import create_user

log = logging.getLogger("rapport.run")


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
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--no-worker", is_flag=True, help="Workers run elsewhere.")
def run(host: str, port: int, no_worker: bool) -> None:
    """Run the web server, with a worker beside it.

    Example: rapport run --host 0.0.0.0 --port 8000
    """
    from core.serve import serve

    configure_logs()
    app = application()
    _refuse_old_tables(app)
    _tell_missing_plugins(app)
    _refuse_taken_port(host, port)
    click.echo(f"Rapport is at http://{host}:{port}/ (Ctrl-C stops it)", err=True)
    serve(app, host=host, port=port, with_worker=not no_worker, pid=os.getpid())


def _refuse_taken_port(host: str, port: int) -> None:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind) as one:
        # A server that has just stopped leaves its port waiting, which is no harm.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except (OSError, OverflowError) as error:
            raise click.UsageError(
                f"Port {port} at {host} cannot be used ({error}). "
                "Choose another with --port."
            ) from error


def _refuse_old_tables(app: CRM) -> None:
    behind = [one.name for one in migrate.status(app) if one.current != one.head]
    with app.app_context():
        db.engine.dispose()
    if behind:
        raise click.UsageError(
            f"The database is not up to date ({', '.join(behind)}). "
            "Run: rapport db upgrade"
        )


def _tell_missing_plugins(app: CRM) -> None:
    for one in missing_plugins(app):
        log.warning("%s", missing_sentence(one), extra={FACTS: {"plugin": one}})
    with app.app_context():
        db.engine.dispose()


@rapport.command()
@click.option("--parent", type=int, hidden=True)
def worker(parent: int | None) -> None:
    """Run a separate worker: deliveries and scheduled jobs.

    Example: rapport worker
    """
    from core.worker import work

    configure_logs()
    app = application()
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
    app = application()
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


rapport.add_command(database)
rapport.add_command(plugin)
rapport.add_command(export)
rapport.add_command(doctor)
rapport.add_command(backup)
rapport.add_command(restore)


def main() -> None:
    """Run the command, with its log on standard error."""
    try:
        configure_logs(usual="WARNING")
    except ValueError as error:
        click.echo(f"rapport: {error}", err=True)
        sys.exit(2)
    rapport()

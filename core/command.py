"""What every command shares: the application, built once, and plugins' commands."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from marshmallow import ValidationError
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

from core.app import CRM, create_app
from core.errors import CRMError
from core.events import acting
from core.plugin_manager import PluginError
from core.problems import flatten

# What is wrong with the input or the installation, not with our code.
_REFUSALS = (
    CRMError,
    PluginError,
    ValidationError,
    ValueError,
    OSError,
    ArgumentError,
    OperationalError,
    ProgrammingError,
)


class RapportGroup(click.Group):
    """The built-in commands, and those that plugins bring."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command; a refusal ends it with one sentence and exit code 2."""
        try:
            return super().main(*args, **kwargs)
        except _REFUSALS as error:
            click.echo(f"rapport: {_sentence(error)}", err=True)
            sys.exit(2)

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
            ctx.with_resource(application().app_context())
        return found


def _sentence(error: Exception) -> str:
    if isinstance(error, ArgumentError):
        return f"DATABASE_URL is no address of a database. {error}"
    if isinstance(error, OperationalError | ProgrammingError):
        said = str(error.orig).strip().partition("\n")[0].rstrip(".")
        return (
            f"The database does not answer: {said}. A new installation needs "
            "rapport init, a new version rapport db upgrade."
        )
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    details = getattr(error, "errors", None) or getattr(error, "messages", None)
    if isinstance(details, dict) and details:
        return " ".join(
            f"{field}: {' '.join(messages)}"
            for field, messages in flatten(details).items()
        )
    return str(getattr(error, "message", error))


def _plugin_commands() -> dict[str, click.Command]:
    found: dict[str, click.Command] = application().extensions["rapport_commands"]
    return found


def application() -> CRM:
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
        app = application()
        with app.app_context(), acting(None):
            return command(app, *args, **kwargs)

    return run

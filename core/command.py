"""What every command shares: the application, built once, and plugins' commands."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from core.app import CRM, create_app
from core.events import acting


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
            ctx.with_resource(application().app_context())
        return found


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

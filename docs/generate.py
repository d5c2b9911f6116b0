"""Write the reference pages from the code: `python docs/generate.py`.

A test fails when a page is not what this would write.
"""

import inspect
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import click

from core import hookspecs
from core.app import CRM, create_app
from core.cli import rapport

FOLDER = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py; change the code, not this page. -->\n\n"


def hooks() -> list[FunctionType]:
    """List the hooks in the order of the file."""
    found = [
        one
        for one in vars(hookspecs).values()
        if inspect.isfunction(one) and hasattr(one, "rapport_spec")
    ]
    return sorted(found, key=lambda one: one.__code__.co_firstlineno)


def hooks_page() -> str:
    """Write what every hook asks, from its specification."""
    parts = [NOTE, "# Hooks\n\n", inspect.getdoc(hookspecs) or "", "\n"]
    for hook in hooks():
        signature = str(inspect.signature(hook)).replace("'", "")
        parts.append(f"\n## `{hook.__name__}{signature}`\n\n{inspect.getdoc(hook)}\n")
    return "".join(parts)


def events_page(app: CRM) -> str:
    """Write which facts are announced beyond created, updated and deleted."""
    lines = [
        NOTE,
        "# Events\n\n",
        "Every record announces `<record>.created`, `.updated` and `.deleted`. Beyond "
        "those:\n\n| type | what |\n|---|---|\n",
    ]
    types = app.extensions["rapport_events"].types
    lines += [f"| `{name}` | {types[name].title} |\n" for name in sorted(types)]
    lines.append("\n## Records\n\n| record | what |\n|---|---|\n")
    records = app.extensions["rapport_records"]
    lines += [f"| `{name}` | {records[name].title} |\n" for name in sorted(records)]
    return "".join(lines)


def permissions_page(app: CRM) -> str:
    """Write the permissions, which are also the scopes of API tokens."""
    found = app.extensions["rapport_permissions"]
    lines = [NOTE, "# Permissions\n\n| permission | what it allows |\n|---|---|\n"]
    lines += [f"| `{name}` | {found[name].title} |\n" for name in sorted(found)]
    return "".join(lines)


def settings_page(app: CRM) -> str:
    """Write the settings an administrator may change."""
    lines = [NOTE, "# Settings\n\n| setting | default | pinned by |\n|---|---|---|\n"]
    for owner, schema in sorted(app.extensions["rapport_settings"].items()):
        for name, value in sorted(schema().load({}).items()):
            key = f"{owner}_{name}".upper()
            lines.append(f"| `{owner}.{name}` | `{value!r}` | `{key}` |\n")
    return "".join(lines)


def commands(
    command: click.Command, context: click.Context, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Walk a command and all below it, each with the words one types."""
    yield words, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from commands(found, context, (*words, name))


def commands_page(app: CRM) -> str:
    """Write what every command does, with its example."""
    lines = [
        NOTE,
        "# Commands\n\n",
        "`--help` after any of them says what else it takes.\n\n",
        "| command | what it does | for example |\n|---|---|---|\n",
    ]
    with click.Context(rapport, obj=app) as root:
        for words, command in commands(rapport, root, ("rapport",)):
            said = " ".join(
                inspect.cleandoc(command.help or "").split("\n\n")[0].split()
            )
            first = said.partition(" Example: ")[0]
            _before, _word, rest = (command.help or "").partition("Example: ")
            example = rest.partition("\n")[0].removesuffix(".")
            cells = [f"`{' '.join(words)}`", first, f"`{example}`"]
            # A bar would end its cell.
            row = " | ".join(one.replace("|", "\\|") for one in cells)
            lines.append(f"| {row} |\n")
    return "".join(lines)


def pages() -> dict[str, str]:
    """Give every reference page by its file name."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"SECRET_KEY": "docs"}, instance=Path(folder))
        with app.app_context():
            return {
                "hooks.md": hooks_page(),
                "events.md": events_page(app),
                "permissions.md": permissions_page(app),
                "settings.md": settings_page(app),
                "commands.md": commands_page(app),
            }


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Plugins made up by a test, for its own process or for one that it starts.

`make_app((("probe", make_plugin(menu_items=lambda user: [...])),))` has one.
"""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from core import hookimpl
from core.plugin_manager import installed_plugins

# For `PLUGINS_DISABLED`: leaves core alone with the test's own plugin.
INSTALLED = [point.name for point in installed_plugins()]


def make_plugin(**hooks: Callable[..., Any]) -> SimpleNamespace:
    """Make a plugin that implements `hooks`, each by the function given for it."""
    return SimpleNamespace(**{name: hookimpl(one) for name, one in hooks.items()})


def install_plugin(folder: Path, name: str, code: str) -> None:
    """Write a distribution into `folder` that brings one plugin, as pip would.

    A process with `folder` on its PYTHONPATH finds it by its entry point.
    """
    module = f"{name}_plugin"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(code, "utf-8")
    describe_distribution(folder, module, {name: module})


def describe_distribution(folder: Path, name: str, plugins: dict[str, str]) -> None:
    """Write into `folder` what an installer writes: a distribution and its plugins.

    `plugins` says for each plugin's name which module is its front door.
    """
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8"
    )
    lines = [f"{plugin} = {module}\n" for plugin, module in plugins.items()]
    (about / "entry_points.txt").write_text(
        "[rapport.plugins]\n" + "".join(lines), "utf-8"
    )

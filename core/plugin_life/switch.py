"""Which plugins are switched off by command: `plugins.json` in the instance folder."""

import json
import os
from pathlib import Path

from flask import Flask

from core.config import SWITCHES, switched_off
from core.plugin_manager import PluginError, installed_plugins


def turn_off(app: Flask, name: str) -> None:
    """Keep a plugin off from the next start on; its tables stay."""
    _refuse_unknown(name)
    folder = Path(app.config["INSTANCE"])
    _write(folder, {*switched_off(folder), name})


def turn_on(app: Flask, name: str) -> None:
    """Let a plugin run again from the next start on.

    Raises `PluginError` when the configuration itself switches it off.
    """
    _refuse_unknown(name)
    folder = Path(app.config["INSTANCE"])
    off = set(switched_off(folder))
    if name not in off and name in app.config["PLUGINS_DISABLED"]:
        raise PluginError(
            f"{name!r} is off by PLUGINS_DISABLED in the configuration: take it out"
        )
    _write(folder, off - {name})


def _refuse_unknown(name: str) -> None:
    known = [point.name for point in installed_plugins()]
    if name not in known:
        raise PluginError(
            f"no plugin {name!r} is installed; there are: {', '.join(known)}"
        )


def _write(folder: Path, off: set[str]) -> None:
    """Replace the file whole: a power failure leaves the old list or the new one."""
    path = folder / SWITCHES
    fresh = path.with_suffix(".part")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump({"off": sorted(off)}, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` outlive a power failure."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

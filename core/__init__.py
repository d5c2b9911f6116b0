"""Rapport's core: the shared models and the front doors that plugins use."""

from pluggy import HookimplMarker

from core._version import __version__

hookimpl = HookimplMarker("rapport")

__all__ = ["__version__", "hookimpl"]

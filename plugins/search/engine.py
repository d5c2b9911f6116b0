"""The engine and the analyser of the current application."""

from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app

from core.errors import WrongConfiguration
from plugins.search.analysis import Analyser
from plugins.search.backend import SearchBackend
from plugins.search.postgres_backend import PostgresBackend
from plugins.search.whoosh_backend import WhooshBackend


@lru_cache(maxsize=8)
def _analyser(folder: Path) -> Analyser:
    """Share one analyser per folder of dictionaries: it is costly and never changes."""
    return Analyser(lemma_folder=folder)


def open_engine(app: Flask) -> None:
    """Give `app` its engine; nothing is read from the disk until somebody searches."""
    root = Path(app.config["SEARCH_FOLDER"])
    words = Path(app.config.get("SEARCH_LEMMAS") or root / "dictionaries")
    analyser = _analyser(words)
    app.extensions["search_analyser"] = analyser
    app.extensions["search_backend"] = _backend(app, root, analyser.version)


def _backend(app: Flask, root: Path, version: str) -> SearchBackend:
    chosen = app.config.get("SEARCH", "whoosh")
    if chosen == "whoosh":
        return WhooshBackend(root / "index", analysis_version=version)
    if chosen != "postgresql":
        raise WrongConfiguration(
            f"SEARCH (RAPPORT_SEARCH) is {chosen!r}: set it to whoosh or postgresql."
        )
    engine = app.extensions["rapport_engine"]
    if engine.dialect.name != "postgresql":
        raise WrongConfiguration(
            "SEARCH (RAPPORT_SEARCH) is postgresql, and DATABASE_URL leads to SQLite: "
            "set SEARCH to whoosh, or move to PostgreSQL (docs/running.md)."
        )
    return PostgresBackend(engine, analysis_version=version)


def backend() -> SearchBackend:
    """Give the engine of the current application."""
    found: SearchBackend = current_app.extensions["search_backend"]
    return found


def analyser() -> Analyser:
    """Give the analyser of the current application."""
    found: Analyser = current_app.extensions["search_analyser"]
    return found

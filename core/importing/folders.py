"""A folder of files from one system, and the set of mappings kept for it.

A set is a folder below `data/` with an `index.toml`, which names the files in the
order they come in and the mapping of each.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Flask

from core.errors import Invalid
from core.i18n import _
from core.importing.mapping import read_mapping
from core.importing.reports import Report
from core.importing.running import Progress, run_import

SETS = Path(__file__).parent / "data"


@dataclass(frozen=True)
class FolderStep:
    """One file of a folder, brought in by one mapping."""

    file: str
    mapping: Path


@dataclass(frozen=True)
class MappingSet:
    """What is kept for the files of one system.

    `sign_ins` pairs the roles of a demonstration with the e-mail addresses of those
    who come in with the files.
    """

    name: str
    title: str
    steps: tuple[FolderStep, ...]
    sign_ins: tuple[tuple[str, str], ...]

    @property
    def files(self) -> frozenset[str]:
        """The names of the files that a folder must have."""
        return frozenset(step.file for step in self.steps)


@lru_cache(maxsize=1)
def mapping_sets() -> tuple[MappingSet, ...]:
    """Read the index of every set we have."""
    return tuple(_read(path) for path in sorted(SETS.glob("*/index.toml")))


def _read(path: Path) -> MappingSet:
    written = tomllib.loads(path.read_text("utf-8"))
    return MappingSet(
        name=path.parent.name,
        title=written["title"],
        steps=tuple(
            FolderStep(step["file"], path.parent / step["map"])
            for step in written["steps"]
        ),
        sign_ins=tuple(
            (one["role"], one["email"]) for one in written.get("sign_ins", [])
        ),
    )


def find_set(folder: Path) -> MappingSet:
    """Find the mappings for the files in `folder`; raises `Invalid` without any.

    Of several that fit, the one that uses most of the files.
    """
    present = {one.name for one in folder.iterdir()} if folder.is_dir() else set()
    fitting = [one for one in mapping_sets() if one.files <= present]
    if fitting:
        return max(fitting, key=lambda one: len(one.files))
    known = "; ".join(
        f"{one.title} ({', '.join(sorted(one.files))})" for one in mapping_sets()
    )
    raise Invalid(
        _(
            "No mappings fit the files in %(folder)s. There are some for: %(known)s.",
            folder=str(folder),
            known=known,
        )
    )


def load_folder(
    app: Flask,
    folder: Path,
    *,
    actor_id: int,
    progress: Callable[[FolderStep], Progress | None] | None = None,
    rest: bool = True,
) -> list[Report]:
    """Bring in a folder by the mappings that fit its files, one file after the other.

    `progress` is asked before each file what to tell how far it is; `rest` is that of
    `run_import`. Raises `Invalid` when no mappings fit.
    """
    with app.app_context():
        chosen = find_set(folder)
        return [
            run_import(
                app,
                mapping.kind,
                folder / step.file,
                mapping,
                actor_id=actor_id,
                progress=progress(step) if progress else None,
                rest=rest,
            )
            for step in chosen.steps
            for mapping in [read_mapping(step.mapping)]
        ]

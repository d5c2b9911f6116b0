"""The words the benchmark's company is made of, in three languages."""

import random
import tomllib
from pathlib import Path

_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))

GIVEN: list[str] = _WORDS["given"]
FAMILY: list[str] = _WORDS["family"]
TITLES: list[str] = _WORDS["titles"]
PAPERS: list[str] = _WORDS["papers"]
GOODS: list[str] = _WORDS["goods"]


def firm(number: int, rng: random.Random) -> str:
    """Name an organisation; the number makes it the only one of its name."""
    place, trade = rng.choice(_WORDS["places"]), rng.choice(_WORDS["trades"])
    return f"{place} {trade} {number} {rng.choice(_WORDS['forms'])}"


def paragraph(rng: random.Random) -> str:
    """Write some sentences as a colleague would, about 150 characters."""
    said = (rng.choice(_WORDS["talk"]) for _ in range(rng.randint(2, 6)))
    return ". ".join(one.capitalize() for one in said)

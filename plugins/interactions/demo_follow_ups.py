"""The follow-ups of the demo company: promised, overdue, handed over."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from core.demo import Demo
from core.interactions.models import Interaction
from plugins.interactions.follow_ups.moments import DAY
from plugins.interactions.follow_ups.services import plan_follow_up
from plugins.interactions.follow_ups.words import repeat_of

_FILE = Path(__file__).parent / "data" / "follow_ups.toml"


def plan_follow_ups(demo: Demo, entries: Mapping[str, Interaction]) -> None:
    """Plan what `_FILE` says; `entries` are those of demo.toml by their keys."""
    for one in tomllib.loads(_FILE.read_text("utf-8"))["follow_ups"]:
        every, unit = repeat_of(one.get("repeat", ""))
        on_entry = "entry" in one
        with demo.acting(one["by"]):
            plan_follow_up(
                demo.contacts[one["on"]],
                author=demo.users[one["by"]],
                owner=demo.users[one["for"]],
                text=one["text"],
                entry=entries[one["entry"]] if on_entry else None,
                after_minutes=one["after"] * DAY if on_entry else None,
                due_at=None if on_entry else demo.day(one["day"], one["at"]),
                repeat_every=every,
                repeat_unit=unit,
            )

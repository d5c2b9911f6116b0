"""The follow-ups of the demo company, and who passed which customer on."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from core.demo import Demo
from core.interactions.models import Interaction
from plugins.interactions.follow_ups.moments import DAY
from plugins.interactions.follow_ups.services import plan_follow_up
from plugins.interactions.follow_ups.words import repeat_of
from plugins.interactions.hand_overs.services import acknowledge, hand_over

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


def pass_on(demo: Demo) -> None:
    """Hand over the customers that `_FILE` says, and look at a part of it."""
    for one in tomllib.loads(_FILE.read_text("utf-8"))["hand_overs"]:
        giver, receiver = demo.users[one["by"]], demo.users[one["to"]]
        with demo.acting(one["by"]):
            made = hand_over(
                demo.contacts[one["on"]], receiver, actor=giver, word=one["word"]
            )
        with demo.acting(one["to"]):
            for item in made.items[: one["looked"]]:
                acknowledge(made, item.id, actor=receiver)

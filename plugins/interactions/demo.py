"""The notes of the demo company: what its people said, did and planned."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.demo import Demo
from core.interactions.models import Interaction
from core.interactions.services import write_interaction
from core.readers import choose_audience
from core.users.models import User
from plugins.interactions.demo_follow_ups import pass_on, plan_follow_ups
from plugins.interactions.demo_stories import tell_stories

_FILE = Path(__file__).parent / "data" / "demo.toml"


def load(demo: Demo) -> None:
    """Write two years of stories, then the entries of these days and what follows."""
    tell_stories(demo)
    written: dict[str, Interaction] = {}
    entries = tomllib.loads(_FILE.read_text("utf-8"))["entries"]
    for said in entries:
        contacts = [demo.contacts[key] for key in said["on"]]
        author = demo.users[said["by"]]
        with demo.acting(said["by"]):
            entry = write_interaction(
                contacts,
                author=author,
                body=said["body"].strip(),
                kind=said.get("kind", "note"),
                subject=said.get("subject", ""),
                audience=_audience(said, author, contacts[0], demo),
                occurred_at=demo.day(said["day"], said["at"]),
                parent=written[said["answers"]] if "answers" in said else None,
            )
        if "key" in said:
            written[said["key"]] = entry
    plan_follow_ups(demo, written)
    pass_on(demo)


def _audience(
    said: Mapping[str, Any], author: User, contact: Contact, demo: Demo
) -> AudienceSpec | None:
    if "audience" not in said:
        return None
    return choose_audience(
        author,
        said["audience"],
        teams=said.get("teams", []),
        users=[demo.users[key].id for key in said.get("users", [])],
        contact=contact,
    )

"""What of a story is asked for: by whom it was written, what it is, and when."""

from datetime import datetime
from typing import TypedDict

import sqlalchemy as sa

from core.audiences import labels_open
from core.interactions.models import Interaction, InteractionTag
from core.kinds import kinds_of_plugin
from core.marks import tag_of
from core.users.models import TeamMember


class Wanted(TypedDict, total=False):
    """Filters of entries; what is left out or empty does not narrow.

    `team` and `author` are ids; `plugin` is the one whose kinds of entries are meant;
    from `since` on and before `until`; `q` are words that all stand in the text, and
    `tag` is one of its tags. With `unseen` it is what others than `reader` wrote after
    the entry of this id; with `shared_with` only what is open to this contact itself.
    """

    kind: str | None
    team: int | None
    author: int | None
    plugin: str
    since: datetime | None
    until: datetime | None
    q: str
    tag: str
    unseen: int | None
    reader: int
    shared_with: int


def conditions_of(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """Say as conditions on `Interaction` which entries are wanted."""
    found: list[sa.ColumnElement[bool]] = []
    if kind := wanted.get("kind"):
        found.append(Interaction.kind == kind)
    if plugin := wanted.get("plugin"):
        found.append(Interaction.kind.in_(kinds_of_plugin(plugin)))
    if team := wanted.get("team"):
        members = sa.select(TeamMember.user_id).where(TeamMember.team_id == team)
        found.append(Interaction.author_id.in_(members))
    if author := wanted.get("author"):
        found.append(Interaction.author_id == author)
    if since := wanted.get("since"):
        found.append(Interaction.occurred_at >= since)
    if until := wanted.get("until"):
        found.append(Interaction.occurred_at < until)
    if tag := wanted.get("tag"):
        tagged = sa.select(InteractionTag.interaction_id)
        tagged = tagged.where(InteractionTag.tag == tag_of(tag))
        found.append(Interaction.id.in_(tagged))
    if (unseen := wanted.get("unseen")) is not None:
        found.append(Interaction.id > unseen)
        found.append(Interaction.author_id.is_distinct_from(wanted.get("reader")))
    if contact := wanted.get("shared_with"):
        opened = labels_open([f"shared:{contact}"])
        found.append(Interaction.audience_id.in_(opened))
    for word in wanted.get("q", "").split():
        anywhere = (
            column.icontains(word, autoescape=True)
            for column in (Interaction.body, Interaction.subject)
        )
        found.append(sa.or_(*anywhere))
    return found

"""Bringing in what was said and done, with its own author and time."""

from marshmallow import fields

from core.contacts.permissions import IMPORT
from core.errors import Invalid
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.imports import Export, ImportContext, ImportKind, KeyedRow, Row
from core.interactions.bringing import prepare
from core.interactions.called import INTERACTIONS, look_up
from core.interactions.exports import rows_of_interactions
from core.interactions.many import bring_interactions, store_one
from core.interactions.models import Interaction
from core.interactions.services import change_interaction
from core.schemas import Moment, Schema, Text

_TABLE = (
    "id", "kind", "subject", "body", "occurred_at", "direction", "contact",
    "contact_keys", "author", "parent_key", "audience", "teams", "users",
    "shared_with_keys", "source", "details", "links", "pinned_at", "edited_at",
)  # fmt: skip
_VALUES = (
    "kind", "subject", "body", "occurred_at", "direction", "source", "details",
)  # fmt: skip


class InteractionRow(Schema):
    """One entry. `contact` is a name or an e-mail address, `author` likewise.

    `contact_keys`, `author_key`, `parent_key` and `shared_with_keys` are what the
    source itself calls them, and so are `links` to records; with `contact_keys` nobody
    looks for the name. `users` are colleagues who read it too, by address or name.
    Without an `audience` it is for the teams of its author, or for every
    colleague when its author has no account here; a reply is for those who read
    what it answers.
    """

    kind = Text(most=40)
    subject = Text(most=300)
    body = Text(most=100_000)
    occurred_at = Moment()
    direction = Text(most=10)
    contact = Text()
    contact_keys = fields.List(Text())
    author = Text()
    author_key = Text()
    parent_key = Text()
    audience = Text(most=10)
    teams = fields.List(Text())
    users = fields.List(Text())
    shared_with_keys = fields.List(Text())
    source = Text(most=100)
    details = fields.Dict(keys=Text(most=40))
    links = fields.List(Text())
    pinned_at = Moment()
    edited_at = Moment()


def bring_interaction(row: Row, context: ImportContext) -> Interaction:
    """Write the entry of a row as its author, or change what was brought in before.

    Of an entry that is here its words, time and fields change; who reads it, whom it
    is about and what it answers stay as they were made, here or by an earlier import.
    """
    found = context.existing(Interaction)
    if found is None:
        step = look_up([KeyedRow(context.key, row)], context)
        return store_one(prepare(KeyedRow(context.key, row), step))
    if found.trashed_at is not None:
        raise Invalid(_("This entry is in the trash. Take it out first."))
    values = {
        name: row[name]
        for name in _VALUES
        if name in row and row[name] != getattr(found, name)
    }
    if not values:
        return found
    # The house itself brings it in: its author need not be the one who imports. What
    # was written here is its author's, also in a file.
    own = context.keys.is_own(INTERACTIONS, context.key or "")
    return change_interaction(found, actor=context.actor if own else None, **values)


KIND = ImportKind(
    name=INTERACTIONS,
    title=_l("Notes, calls and messages"),
    schema=InteractionRow,
    bring=bring_interaction,
    permission=IMPORT,
    bring_many=bring_interactions,
    after=("parent_key", "links"),
    columns={
        "occurred_at": {"from": "date", "time": "%Y-%m-%d"},
        "teams": {"from": "team", "split": ","},
        "users": {"from": "user", "split": ","},
        "contact_keys": {"from": "contact_key", "split": ","},
        "shared_with_keys": {"from": "shared_with_key", "split": ","},
        "links": {"from": "link", "split": ","},
        # A table has a column for each of these; JSON has what the house thought of.
        "details": {name: name for name in ("outcome", "duration", "place", "channel")},
    },
    export=Export(Interaction, rows_of_interactions, _TABLE),
)

"""Interactions as programs send and read them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from marshmallow import fields, validate

from core.audiences import KINDS
from core.contacts.models import Contact
from core.db import db
from core.i18n import _, reader
from core.interactions.entries import name_of_author
from core.interactions.linked import links_of
from core.interactions.models import Interaction, InteractionContact
from core.opening import waits_for_outside
from core.schemas import Moment, PageArguments, Schema, Text, page_schema
from core.users.models import Team, User
from core.visibility import visible_to

MOST_TEXT = 100_000
MOST_NAMED = 100
_AN_ID = validate.Range(1, 2**31 - 1)
_DIRECTION = validate.OneOf(["", "in", "out"])


def _details(**kwargs: Any) -> fields.Dict:
    """Make the field for the few fields of a kind, such as the outcome of a call."""
    return fields.Dict(
        keys=Text(most=40), validate=validate.Length(max=MOST_NAMED), **kwargs
    )


def _links(**kwargs: Any) -> fields.List[str]:
    """Make the field for references of records, such as `support.ticket/12`."""
    limit = validate.Length(max=MOST_NAMED)
    return fields.List(Text(most=100, least=1), validate=limit, **kwargs)


class Ids(fields.List[int]):
    """A list of ids, each once."""

    def __init__(self, **kwargs: Any):
        """Take at most a hundred ids."""
        number = fields.Integer(strict=True, validate=validate.Range(1, 2**31 - 1))
        super().__init__(number, validate=validate.Length(max=MOST_NAMED), **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> list[int | None]:
        found = super()._deserialize(value, attr, data, **kwargs)
        return list(dict.fromkeys(found))


class AuthorSchema(Schema):
    """Who wrote an entry; outside the house only by name."""

    id = fields.Integer(allow_none=True)
    name = fields.String()


class InteractionSchema(Schema):
    """An entry: a note, a call, a meeting, a message."""

    id = fields.Integer()
    kind = fields.String()
    subject = fields.String()
    body = fields.String(metadata={"description": "Markdown"})
    audience = fields.String(validate=validate.OneOf(KINDS))
    teams = fields.List(fields.String(), metadata={"description": "Names of teams"})
    users = fields.List(fields.Integer())
    shared_with = fields.List(fields.Integer())
    contacts = fields.List(fields.Integer())
    links = fields.List(
        fields.String(),
        metadata={"description": "Records it is linked to: `support.ticket/12`"},
    )
    occurred_at = Moment()
    parent = fields.Integer(allow_none=True)
    author = fields.Nested(AuthorSchema)
    direction = fields.String()
    source = fields.String()
    details = fields.Dict(
        keys=fields.String(), metadata={"description": "The few fields of its kind"}
    )
    pinned = fields.Boolean()
    created_at = Moment()
    edited_at = Moment(allow_none=True)
    version = fields.Integer()
    # Until then it can be taken back, by narrowing it or by the trash.
    opens_outside_at = Moment(allow_none=True)


class ChosenReaders(Schema):
    """Who reads it: `audience` names the kind, the lists whom."""

    audience = fields.String(validate=validate.OneOf(KINDS))
    teams = fields.List(Text(most=80), validate=validate.Length(max=MOST_NAMED))
    users = Ids()
    shared_with = Ids()

    @ma.validates_schema
    def lists_fit_the_kind(self, data: dict[str, Any], **_kwargs: object) -> None:
        """Refuse a list of readers that the kind of audience would not use."""
        chosen = data.get("audience")
        fitting = {"teams": "teams", "users": "private", "shared_with": "shared"}
        # Single colleagues may read beside the teams.
        beside = {("users", "teams")}
        errors = {
            name: [_("This goes with the audience “%(kind)s”.", kind=kind)]
            for name, kind in fitting.items()
            if data.get(name)
            and chosen not in {None, kind}
            and (name, chosen) not in beside
        }
        if errors:
            raise ma.ValidationError(errors)

    @ma.post_load
    def name_the_kind(self, data: dict[str, Any], **_kwargs: object) -> dict[str, Any]:
        """Take `teams` alone as the audience "teams", and the other lists alike."""
        if not data.get("audience"):
            lists = (
                ("shared_with", "shared"),
                ("teams", "teams"),
                ("users", "private"),
            )
            given = [kind for name, kind in lists if data.get(name)]
            if len(given) == 1:
                data["audience"] = given[0]
        return data


class NewInteraction(ChosenReaders):
    """What a program sends to write an entry."""

    kind = Text(most=40, least=1)
    subject = Text(most=300, load_default="")
    body = Text(most=MOST_TEXT, required=True)
    contacts = Ids(load_default=list)
    occurred_at = Moment()
    parent = fields.Integer(
        strict=True, allow_none=True, validate=validate.Range(1, 2**31 - 1)
    )
    direction = fields.String(load_default="", validate=_DIRECTION)
    source = Text(most=100, load_default="")
    details = _details(load_default=dict)
    links = _links(load_default=list)


class InteractionChange(ChosenReaders):
    """What a program sends to change an entry; what is left out stays."""

    kind = Text(most=40, least=1)
    subject = Text(most=300)
    body = Text(most=MOST_TEXT)
    occurred_at = Moment()
    direction = fields.String(validate=_DIRECTION)
    source = Text(most=100)
    details = _details()
    contacts = Ids()
    links = _links()


class Edge(fields.Field[datetime | None]):
    """Where a period begins or ends: a day in the reader's zone, or a moment.

    A period that ends with a day has that day in it.
    """

    def __init__(self, *, end: bool = False, **kwargs: Any):
        """Take the beginning of a day, or with `end` the beginning of the next one."""
        self.end = end
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> datetime | None:
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(str(value))
            if len(str(value)) <= len("2026-03-05"):
                moment += timedelta(days=self.end)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=reader()[0])
            return moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            said = _("Write a day such as 2026-03-05.")
            raise ma.ValidationError(said) from error


class FilterArguments(PageArguments):
    """Which entries are asked for; nothing narrows by itself."""

    kind = Text(most=40, load_default="")
    team = fields.Integer(load_default=None, allow_none=True, validate=_AN_ID)
    author = fields.Integer(load_default=None, allow_none=True, validate=_AN_ID)
    plugin = Text(most=40, load_default="")
    since = Edge(load_default=None, data_key="from")
    until = Edge(load_default=None, data_key="to", end=True)
    q = Text(most=200, load_default="")
    tag = Text(most=80, load_default="")


class TimelineArguments(FilterArguments):
    """How the story of a contact is asked for."""


class ListArguments(FilterArguments):
    """How all entries are asked for."""

    contact = fields.Integer(validate=validate.Range(1, 2**31 - 1), load_default=None)
    parent = fields.Integer(validate=validate.Range(1, 2**31 - 1), load_default=None)


InteractionPage = page_schema(InteractionSchema)


def as_items(found: Sequence[Interaction], reader: User) -> list[dict[str, Any]]:
    """Write entries as `reader` may read them, with a constant number of statements.

    Portal users learn of themselves and of nobody else an entry is shared with, and
    of its author only the name.
    """
    inside = reader.kind == "staff"
    own = {reader.contact_id, reader.person_id}
    teams = _team_names(found) if inside else {}
    links = links_of(found, reader) if inside else {}
    contacts = _contact_ids(found, reader)
    return [
        _item(one, contacts.get(one.id, []))
        | _readers(one, teams)
        | {"links": links.get(one.id, [])}
        if inside
        else _item(one, contacts.get(one.id, []), open_to=own)
        for one in found
    ]


def _item(
    entry: Interaction, contacts: list[int], *, open_to: set[int | None] | None = None
) -> dict[str, Any]:
    item = {
        "id": entry.id,
        "kind": entry.kind,
        "subject": entry.subject,
        "body": entry.body,
        "audience": entry.audience.kind,
        "contacts": sorted(contacts, key=lambda one: (one != entry.contact_id, one)),
        "occurred_at": entry.occurred_at,
        "parent": entry.parent_id,
        "edited_at": entry.edited_at,
        "version": entry.version,
    }
    if open_to is not None:
        shared = [one for one in entry.audience.shared_with if one in open_to]
        author = {"name": name_of_author(entry)}
        return item | {"shared_with": shared, "teams": [], "author": author}
    return item


def _readers(entry: Interaction, teams: dict[int, str]) -> dict[str, Any]:
    audience = entry.audience
    return {
        "teams": sorted(teams[one] for one in audience.teams if one in teams),
        "users": audience.users,
        "shared_with": audience.shared_with,
        "author": {"id": entry.author_id, "name": name_of_author(entry)},
        "direction": entry.direction,
        "source": entry.source,
        "details": entry.details,
        "pinned": entry.pinned,
        "created_at": entry.created_at,
        "opens_outside_at": entry.opens_at if waits_for_outside(entry) else None,
    }


def _team_names(found: Sequence[Interaction]) -> dict[int, str]:
    wanted = {team for one in found for team in one.audience.teams}
    if not wanted:
        return {}
    rows = db.session.execute(sa.select(Team.id, Team.name).where(Team.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def _contact_ids(found: Sequence[Interaction], reader: User) -> dict[int, list[int]]:
    if not found:
        return {}
    link = InteractionContact
    visible = visible_to(reader, Contact).with_only_columns(Contact.id)
    rows = db.session.execute(
        sa.select(link.interaction_id, link.contact_id)
        .where(link.interaction_id.in_([one.id for one in found]))
        .where(link.contact_id.in_(visible))
    )
    gathered: dict[int, list[int]] = {}
    for entry_id, contact_id in rows:
        gathered.setdefault(entry_id, []).append(contact_id)
    return gathered

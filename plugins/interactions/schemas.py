"""What the forms of entries send."""

import re
from datetime import UTC, datetime
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate
from werkzeug.datastructures import MultiDict

from core.audiences import KINDS
from core.dates import read_date
from core.db import now
from core.i18n import _, locale_code, reader
from core.interactions.details import DIRECTIONS
from core.interactions.mentions import Of
from core.interactions.schemas import MOST_NAMED, MOST_TEXT, FilterArguments
from core.schemas import Schema, Text

_NUMBER = re.compile(r"[0-9]{1,9}")
LISTS = ("teams", "users", "shared_with", "contacts", "seen", "also", "links")


def moment_in_words(text: str) -> datetime | None:
    """Read "tomorrow 14:00" in the writer's zone and language; None when it is none."""
    here = now().astimezone(reader()[0])
    return read_date(text, here, locale_code())


class LocalTime(fields.Field[datetime | None]):
    """A moment in the writer's zone: as a date field sends it, or in words."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> datetime | None:
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError as error:
            found = moment_in_words(str(value))
            if found is None:
                said = _("Write a date such as 5.3. or tomorrow")
                raise ma.ValidationError(said) from error
            moment = found
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=reader()[0])
        return moment.astimezone(UTC)


class _Ids(fields.List[int]):
    def __init__(self) -> None:
        number = fields.Integer(validate=validate.Range(1, 2**31 - 1))
        limit = validate.Length(max=MOST_NAMED)
        super().__init__(number, load_default=list, validate=limit)


class _Reader(fields.Field[tuple[Of, int]]):
    """A colleague or a team beside those of the audience: `user:7`, `team:3`."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> tuple[Of, int]:
        of, _colon, number = str(value).partition(":")
        if of not in {"user", "team"} or not _NUMBER.fullmatch(number):
            raise ma.ValidationError(_("This colleague is not known."))
        return ("user" if of == "user" else "team"), int(number)


class AudienceForm(Schema):
    """Who is to read an entry.

    `also` are readers whom the writer added since the text calls them.
    """

    class Meta:
        """Take no notice of what else the form sends, such as its token."""

        unknown = ma.EXCLUDE

    audience = fields.String(load_default=None, validate=validate.OneOf(KINDS))
    teams = fields.List(
        Text(most=80), load_default=list, validate=validate.Length(max=MOST_NAMED)
    )
    users = _Ids()
    shared_with = _Ids()
    contacts = _Ids()
    also = fields.List(
        _Reader(), load_default=list, validate=validate.Length(max=MOST_NAMED)
    )


class EntryForm(AudienceForm):
    """An entry as the composer sends it.

    `looked` says that its readers outside were listed, `seen` are their accounts, and
    `sure` which readers somebody has agreed to on a page in between.
    """

    kind = Text(most=40, load_default="note")
    body = Text(most=MOST_TEXT, load_default="")
    with_ = Text(most=500, load_default="", data_key="with")
    links = fields.List(
        Text(most=100), load_default=list, validate=validate.Length(max=MOST_NAMED)
    )
    direction = fields.String(
        load_default="", validate=validate.OneOf(["", *DIRECTIONS])
    )
    source = Text(most=100, load_default="")
    occurred_at = LocalTime(load_default=None)
    parent = fields.Integer(load_default=None, validate=validate.Range(1, 2**31 - 1))
    version = fields.Integer(load_default=None)
    looked = fields.Boolean(load_default=False)
    seen = _Ids()
    sure = Text(most=10_000, load_default="")


class FilterForm(FilterArguments):
    """Which entries a page shows.

    `new` is how far the reader had read when the page was drawn: an entry and the
    microsecond; with `unseen` only what came since is shown.
    """

    new = fields.String(
        load_default="", validate=validate.Regexp(r"[0-9]{1,9}\.[0-9]{1,16}\Z")
    )
    unseen = fields.Boolean(load_default=False)


class DossierForm(FilterArguments):
    """What a dossier holds: all its reader may read, or only what is shared."""

    audience = fields.String(
        load_default="inside", validate=validate.OneOf(["inside", "shared"])
    )


class SeenForm(Schema):
    """Up to which entry a page was before its reader's eyes."""

    class Meta:
        """Take no notice of the form's token."""

        unknown = ma.EXCLUDE

    upto = fields.Integer(load_default=0, validate=validate.Range(0, 2**31 - 1))


class HistoryForm(Schema):
    """Where older changes of an entry begin."""

    class Meta:
        """An old link with another argument still works."""

        unknown = ma.EXCLUDE

    before = fields.Integer(load_default=None, validate=validate.Range(1, 2**31 - 1))


class ReactionForm(Schema):
    """Which sign somebody leaves on an entry."""

    class Meta:
        """Take no notice of the form's token."""

        unknown = ma.EXCLUDE

    reaction = Text(most=20, required=True)


def sent(form: MultiDict[str, str]) -> dict[str, Any]:
    """Turn a form or a query into a dictionary; empty fields count as left out."""
    lists = {name: form.getlist(name) for name in LISTS if name in form}
    single = {key: value for key, value in form.items() if value and key not in LISTS}
    # One button adds several readers.
    also = [one for some in lists.get("also", ()) for one in some.split(",") if one]
    return single | lists | ({"also": also} if also else {})

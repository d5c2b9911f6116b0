"""What comes in from forms and the API, and what goes out."""

from collections.abc import Sequence
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from flask import url_for
from flask_smorest.fields import Upload
from marshmallow import fields, validate

from core.audiences import KINDS
from core.db import db
from core.i18n import _
from core.schemas import Moment, PageArguments, Schema, Text, page_schema
from core.users.models import Team, User
from plugins.documents.finding import versions_for
from plugins.documents.models import TITLE_LENGTH, Document, Version

_ID = validate.Range(1, 2**31 - 1)
_MANY = validate.Length(max=100)
# With which kind of audience each list of readers goes.
_KIND_OF = {"teams": "teams", "users": "private", "shared_with": "shared"}


class _Readers(Schema):
    """Who reads it: `audience` names the kind, the lists whom."""

    audience = fields.String(validate=validate.OneOf(KINDS))
    teams = fields.List(Text(most=80), validate=_MANY)
    users = fields.List(fields.Integer(validate=_ID), validate=_MANY)
    shared_with = fields.List(fields.Integer(validate=_ID), validate=_MANY)

    @ma.pre_load
    def leave_out_what_is_empty(self, data: Any, **_kwargs: object) -> Any:
        """Take an empty field of a form as one that was not sent."""
        if hasattr(data, "getlist"):
            lists = {"teams", "users", "shared_with"}
            return {
                name: data.getlist(name) if name in lists else data[name]
                for name in data
                if data[name] != "" and name != "csrf_token"
            }
        return data

    @ma.post_load
    def name_the_kind(self, data: dict[str, Any], **_kwargs: object) -> dict[str, Any]:
        """Take a list of readers alone as its kind of audience, and no others."""
        given = [name for name in _KIND_OF if data.get(name)]
        if len(given) == 1 and not data.get("audience"):
            data["audience"] = _KIND_OF[given[0]]
        return self.without_what_does_not_fit(data)

    def without_what_does_not_fit(self, data: dict[str, Any]) -> dict[str, Any]:
        """Refuse a list of readers that the kind of audience would not use."""
        errors = {
            name: [_("This goes with the audience “%(kind)s”.", kind=kind)]
            for name, kind in _KIND_OF.items()
            if data.get(name) and kind != data.get("audience")
        }
        if errors:
            raise ma.ValidationError(errors)
        return data


class UploadFile(Schema):
    """The file of a multipart request."""

    file = Upload(required=True)


class NewDocument(_Readers):
    """The other parts of the request; lists are sent by repeating a part."""

    title = Text(most=TITLE_LENGTH)
    contact = fields.Integer(validate=_ID)
    interaction = fields.Integer(validate=_ID)


class DocumentChange(_Readers):
    """What may be changed of a document; a field that is not sent stays."""

    title = Text(most=TITLE_LENGTH, least=1)
    contact = fields.Integer(allow_none=True, validate=_ID)


class Choice(_Readers):
    """The part of a page's form that says who reads a document."""

    class Meta:
        """The same form has other fields beside it."""

        unknown = ma.EXCLUDE

    def without_what_does_not_fit(self, data: dict[str, Any]) -> dict[str, Any]:
        """Leave out what is ticked under a choice that was not made."""
        return {
            name: value
            for name, value in data.items()
            if _KIND_OF.get(name, data.get("audience")) == data.get("audience")
        }


class ListArguments(PageArguments):
    """Which documents a list sends."""

    q = Text(most=100, load_default="")
    contact = fields.Integer(load_default=None, validate=_ID)


class PersonSchema(Schema):
    """A colleague by id and name."""

    id = fields.Integer()
    name = fields.String()


class VersionSchema(Schema):
    """A version; people outside get the current one, with fewer fields."""

    number = fields.Integer()
    filename = fields.String()
    media_type = fields.String()
    size = fields.Integer(metadata={"description": "Bytes"})
    sha256 = fields.String()
    text_state = fields.String()
    text_detail = fields.String()
    page_count = fields.Integer()
    uploaded_by = fields.Nested(PersonSchema, allow_none=True)
    created_at = Moment()
    url = fields.String(metadata={"description": "Where its file is read"})


class DocumentSchema(Schema):
    """A document; people outside get fewer fields."""

    id = fields.Integer()
    title = fields.String()
    contact = fields.Integer(allow_none=True)
    interaction = fields.Integer(allow_none=True)
    audience = fields.String(validate=validate.OneOf(KINDS))
    teams = fields.List(fields.String(), metadata={"description": "Names of teams"})
    users = fields.List(fields.Integer())
    shared_with = fields.List(fields.Integer())
    author = fields.Nested(PersonSchema, allow_none=True)
    current = fields.Integer(metadata={"description": "Number of the version"})
    text_state = fields.String()
    versions = fields.List(fields.Nested(VersionSchema))
    created_at = Moment()
    updated_at = Moment()
    version = fields.Integer()


DocumentPage = page_schema(DocumentSchema)


def as_items(found: Sequence[Document], reader: User) -> list[dict[str, Any]]:
    """Write documents as `reader` may read them; one statement for any number.

    People outside learn what is theirs: neither who else reads it nor who wrote it.
    """
    teams = _team_names(found) if reader.kind == "staff" else {}
    return [
        _item(one, reader) | (_inside(one, teams) if reader.kind == "staff" else {})
        for one in found
    ]


def _item(document: Document, reader: User) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "current": document.current,
        "text_state": document.newest.text_state,
        "versions": [
            version_item(one, reader) for one in versions_for(reader, document)
        ],
        "created_at": document.created_at,
        "updated_at": document.updated_at,
        "version": document.version,
    }


def _inside(document: Document, teams: dict[int, str]) -> dict[str, Any]:
    audience = document.audience
    return {
        "contact": document.contact_id,
        "interaction": document.interaction_id,
        "audience": audience.kind,
        "teams": sorted(teams[one] for one in audience.teams if one in teams),
        "users": audience.users,
        "shared_with": audience.shared_with,
        "author": document.author,
    }


def version_item(version: Version, reader: User) -> dict[str, Any]:
    """Write a version as `reader` may read it."""
    item = {
        "number": version.number,
        "filename": version.filename,
        "media_type": version.media_type,
        "size": version.size,
        "text_state": version.text_state,
        "page_count": version.page_count,
        "created_at": version.created_at,
        "url": url_for(
            "documents_api.read_file",
            document_id=version.document_id,
            number=version.number,
        ),
    }
    if reader.kind != "staff":
        return item
    return item | {
        "sha256": version.sha256,
        "text_detail": _(version.text_detail) if version.text_detail else "",
        "uploaded_by": version.uploaded_by,
    }


def _team_names(found: Sequence[Document]) -> dict[int, str]:
    wanted = {team for one in found for team in one.audience.teams}
    if not wanted:
        return {}
    rows = db.session.execute(sa.select(Team.id, Team.name).where(Team.id.in_(wanted)))
    return {row.id: row.name for row in rows}

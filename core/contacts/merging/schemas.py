"""What programs send and are sent about merging."""

import marshmallow as ma
from marshmallow import fields, validate

from core.contacts.merging.fields import BOTH, GONE, KEPT
from core.schemas import Schema, Text
from core.users.schemas import NamedSchema

# A reader and a contact, and for each type of record how many.
_MARK = r"\d+:\d+(:[a-z_.]+:\d*)?\Z"
_ID = validate.Range(1, 2**31 - 1)


class MergeArguments(ma.Schema):
    """With which other contact a merge is looked at."""

    class Meta:
        """Leave the arguments of the connection alone."""

        unknown = ma.EXCLUDE

    contact = fields.Integer(required=True, validate=_ID)


class MergeSchema(Schema):
    """The contact that goes into this one, what to take of it, and a yes.

    `take` says per field whose value stays: `kept`, `gone`, or `both` for
    `know_first`. `accepted` repeats the `marks` of who would come to see more, and
    `version` is that of the contact that goes, as it was looked at.
    """

    contact = fields.Integer(required=True, strict=True, validate=_ID)
    version = fields.Integer(strict=True, validate=_ID)
    name = Text(most=200)
    take = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.OneOf([KEPT, GONE, BOTH])),
        load_default=dict,
    )
    accepted = fields.List(
        fields.String(validate=validate.Regexp(_MARK)), load_default=list
    )


class PartSchema(Schema):
    """The contact that went into this one and comes out again."""

    contact = fields.Integer(required=True, strict=True, validate=_ID)


class SeenSchema(Schema):
    """How many records of a type somebody would come to see; null is not for you."""

    type = fields.String(attribute="name")
    count = fields.Integer(allow_none=True)


class NewReaderSchema(Schema):
    """Somebody who would come to see what belongs to the contact `of`."""

    name = fields.String()
    outside = fields.Boolean()
    of = fields.Nested(NamedSchema)
    sees = fields.List(fields.Nested(SeenSchema))


class FieldSchema(Schema):
    """A field that differs or is empty in one of the two, and whose value is taken."""

    field = fields.String()
    differs = fields.Boolean()
    take = fields.String()


class MergeLookSchema(Schema):
    """What a merge would do: nothing has happened yet."""

    fields_ = fields.List(
        fields.Nested(FieldSchema), data_key="fields", attribute="fields"
    )
    readers = fields.List(fields.Nested(NewReaderSchema))
    marks = fields.List(fields.String())

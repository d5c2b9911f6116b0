"""What comes in and goes out about tickets."""

import marshmallow as ma
from marshmallow import fields, validate

from core.audiences import KINDS
from core.interactions.schemas import ChosenReaders
from core.schemas import Moment, PageArguments, Schema, Text
from plugins.support.services import STATES


class TicketSchema(Schema):
    """A ticket as programs see it."""

    id = fields.Integer(dump_only=True)
    number = fields.Integer(dump_only=True)
    subject = fields.String()
    body = fields.String()
    contact = fields.Integer()
    state = fields.String()
    audience = fields.String()
    created_at = Moment(dump_only=True)
    updated_at = Moment(dump_only=True)
    version = fields.Integer(dump_only=True)


class NewTicketSchema(ChosenReaders):
    """A new ticket; a portal user's contact is their own organisation."""

    subject = Text(most=300, least=1, required=True)
    body = Text(most=100_000, least=1, required=True)
    contact = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(1, 2**31 - 1)
    )
    audience = fields.String(allow_none=True, validate=validate.OneOf(KINDS))


class TicketChangeSchema(Schema):
    """What may change on a ticket."""

    subject = Text(most=300, least=1)
    state = fields.String(validate=validate.OneOf(STATES))


class TicketArguments(PageArguments):
    """How a list of tickets may be narrowed."""

    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    contact = fields.Integer(load_default=None, validate=validate.Range(1, 2**31 - 1))


class MessageSchema(Schema):
    """Something said on a ticket."""

    id = fields.Integer(dump_only=True)
    body = fields.String()
    audience = fields.String()
    author = fields.String()
    occurred_at = Moment()


class NewMessageSchema(Schema):
    """A reply the customer reads, or an internal note."""

    body = Text(most=100_000, least=1, required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["reply", "note"]))


class TicketForm(ma.Schema):
    """The page's form for a new ticket."""

    class Meta:
        """Leave out what is not declared, such as the CSRF token."""

        unknown = ma.EXCLUDE

    subject = Text(most=300, required=True)
    body = Text(most=100_000, required=True)
    contact = fields.Integer(load_default=None, allow_none=True)

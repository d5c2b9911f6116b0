"""What comes in and goes out about notifications."""

from marshmallow import fields

from core.schemas import Moment, PageArguments, Schema


class NotificationArguments(PageArguments):
    """A page of the list; `unread` leaves out what was read."""

    unread = fields.Boolean(load_default=False)


class NotificationSchema(Schema):
    """One line: what it says, what it is about, whether it was read."""

    id = fields.Integer()
    kind = fields.String()
    text = fields.String()
    ref = fields.String(allow_none=True)
    url = fields.String(allow_none=True)
    created_at = Moment()
    read_at = Moment(allow_none=True)


class ReadSchema(Schema):
    """Whether it counts as read."""

    read = fields.Boolean(required=True)

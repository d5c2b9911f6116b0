"""What comes in and goes out about follow-ups."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from core.i18n import _
from core.schemas import Moment, PageArguments, Schema, Text
from plugins.interactions.follow_ups.moments import DAY, MOST_EVERY, UNITS
from plugins.interactions.schemas import LocalTime

# Ten years, before or after its entry.
_FAR = 3650 * DAY
_ID = validate.Range(1, 2**31 - 1)


class RepeatSchema(Schema):
    """Again every so many days, weeks or months after it was due."""

    every = fields.Integer(required=True, validate=validate.Range(1, MOST_EVERY))
    unit = fields.String(required=True, validate=validate.OneOf(UNITS))


class FollowUpSchema(Schema):
    """A follow-up as programs see it."""

    id = fields.Integer(dump_only=True)
    text = fields.String()
    contact = fields.Integer()
    interaction = fields.Integer(allow_none=True)
    owner = fields.Integer(allow_none=True)
    author = fields.Integer(allow_none=True)
    due_at = Moment()
    after_minutes = fields.Integer(allow_none=True)
    snoozed_until = Moment(allow_none=True)
    remind_at = Moment()
    done_at = Moment(allow_none=True)
    repeat = fields.Nested(RepeatSchema, allow_none=True)
    version = fields.Integer(dump_only=True)


class _Planned(Schema):
    owner = fields.Integer(validate=_ID)
    due_at = Moment()
    after_minutes = fields.Integer(
        allow_none=True, validate=validate.Range(-_FAR, _FAR)
    )
    repeat = fields.Nested(RepeatSchema, allow_none=True)


class NewFollowUpSchema(_Planned):
    """A new one, on a contact or on an entry; `due_at` or minutes after the entry."""

    text = Text(most=500, least=1, required=True)
    contact = fields.Integer(load_default=None, allow_none=True, validate=_ID)
    interaction = fields.Integer(load_default=None, allow_none=True, validate=_ID)

    @ma.validates_schema
    def _about_something(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["contact"] is None and data["interaction"] is None:
            raise ma.ValidationError(_("Say whom this is about."), "contact")


class FollowUpChangeSchema(_Planned):
    """What may change: `done` finishes it or opens it again."""

    text = Text(most=500, least=1)
    done = fields.Boolean()
    snoozed_until = Moment(allow_none=True)


class FollowUpArguments(PageArguments):
    """How a list may be narrowed; `owner` is an id or `me`."""

    owner = fields.String(
        load_default=None, validate=validate.Regexp(r"(me|[1-9]\d{0,8})\Z")
    )
    contact = fields.Integer(load_default=None, validate=_ID)
    interaction = fields.Integer(load_default=None, validate=_ID)
    state = fields.String(
        load_default="open", validate=validate.OneOf(["open", "done"])
    )


class FollowUpForm(ma.Schema):
    """The page's form: `when` is empty, or minutes after the entry."""

    class Meta:
        """Leave out what is not declared, such as the CSRF token."""

        unknown = ma.EXCLUDE

    text = Text(most=500, load_default="")
    contact = fields.Integer(load_default=None, validate=_ID)
    entry = fields.Integer(load_default=None, validate=_ID)
    owner = fields.Integer(load_default=None, validate=_ID)
    when = fields.Integer(load_default=None, validate=validate.Range(-_FAR, _FAR))
    due_at = LocalTime(load_default=None)
    repeat = fields.String(
        load_default="", validate=validate.Regexp(r"(\d{1,3} (day|week|month))?\Z")
    )
    version = fields.Integer(load_default=None)


class SnoozeForm(ma.Schema):
    """Until when: so many days from today, or a date."""

    class Meta:
        """Leave out what is not declared, such as the CSRF token."""

        unknown = ma.EXCLUDE

    days = fields.Integer(load_default=None, validate=validate.Range(1, 3650))
    on = fields.Date(load_default=None)

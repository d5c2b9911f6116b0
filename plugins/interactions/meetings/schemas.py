"""What comes in and goes out about meetings."""

from collections.abc import Collection
from typing import Any
from zoneinfo import available_timezones

import marshmallow as ma
from marshmallow import fields, validate
from werkzeug.datastructures import MultiDict

from core.errors import Invalid
from core.i18n import _
from core.interactions.models import Interaction
from core.mail.addresses import check_recipients
from core.schemas import Moment, Schema, Text
from plugins.interactions.meetings.mails import ends_at, is_on, time_of
from plugins.interactions.meetings.models import PLACE_LENGTH, TITLE_LENGTH, Meeting

MOST_TEXT, MOST_MINUTES, MOST_TYPED = 10_000, 14 * 24 * 60, 20_000


def _ids() -> fields.List[int]:
    number = fields.Integer(validate=validate.Range(1, 2**31 - 1))
    return fields.List(number, load_default=list, validate=validate.Length(max=100))


def _minutes(**more: Any) -> fields.Integer:
    return fields.Integer(validate=validate.Range(1, MOST_MINUTES), **more)


class InviteForm(Schema):
    """An invitation as its page sends it; `seen` names who was listed."""

    class Meta:
        """Take no notice of what else the form sends, such as its token."""

        unknown = ma.EXCLUDE

    title = Text(most=TITLE_LENGTH, load_default="")
    place = Text(most=PLACE_LENGTH, load_default="")
    minutes = _minutes(load_default=60)
    text = Text(most=MOST_TEXT, load_default="")
    users = _ids()
    contacts = _ids()
    others = Text(most=MOST_TYPED, load_default="")
    version = fields.Integer(load_default=None)
    seen = Text(most=64, load_default="")


def sent_form(form: MultiDict[str, str]) -> dict[str, Any]:
    """Turn the form into a dictionary; empty fields count as left out."""
    lists = {name: form.getlist(name) for name in ("users", "contacts")}
    single = {key: value for key, value in form.items() if value and key not in lists}
    return single | lists


def _is_address(text: str) -> None:
    try:
        check_recipients("address", [text])
    except Invalid as error:
        raise ma.ValidationError(error.errors["address"]) from error


class NewGuest(Schema):
    """Whom a program invites: a colleague, a contact, or an address."""

    user = fields.Integer(validate=validate.Range(1, 2**31 - 1))
    contact = fields.Integer(validate=validate.Range(1, 2**31 - 1))
    address = fields.String(validate=[validate.Length(max=254), _is_address])
    name = Text(most=200, load_default="")

    @ma.validates_schema
    def _one_of_them(self, data: dict[str, Any], **_kwargs: Any) -> None:
        given = {"user", "contact", "address"} & set(data)
        if len(given) != 1:
            said = [_("Name a user, a contact or an address.")]
            raise ma.ValidationError(dict.fromkeys(given or {"address"}, said))


class MeetingWish(Schema):
    """An invitation as a program sends it, whole."""

    title = Text(most=TITLE_LENGTH, least=1, required=True)
    place = Text(most=PLACE_LENGTH, load_default="")
    minutes = _minutes(load_default=60)
    text = Text(most=MOST_TEXT, load_default="")
    timezone = fields.String(
        load_default=None, validate=validate.OneOf(available_timezones())
    )
    attendees = fields.List(
        fields.Nested(NewGuest), required=True, validate=validate.Length(1, 100)
    )


class AttendeeSchema(Schema):
    """Somebody invited, and what they answered."""

    id = fields.Integer()
    user = fields.Integer(allow_none=True)
    contact = fields.Integer(allow_none=True)
    address = fields.String()
    name = fields.String()
    state = fields.String()
    answered_at = Moment(allow_none=True)


class MeetingSchema(Schema):
    """An invitation: what guests are told, and who they are."""

    interaction = fields.Integer()
    uid = fields.String()
    sequence = fields.Integer()
    title = fields.String()
    place = fields.String()
    text = fields.String()
    starts_at = Moment()
    ends_at = Moment()
    minutes = fields.Integer()
    timezone = fields.String()
    cancelled = fields.Boolean()
    attendees = fields.List(fields.Nested(AttendeeSchema))
    version = fields.Integer()


def as_item(
    meeting: Meeting, entry: Interaction, hidden: Collection[int] = ()
) -> dict[str, Any]:
    """Put an invitation into the words of the API; `hidden` guests have no name."""
    time = time_of(meeting, entry)
    guests = [
        {
            "id": one.id,
            "user": one.user_id,
            "contact": None if one.id in hidden else one.contact_id,
            "address": "" if one.id in hidden or one.erased else one.address,
            "name": "" if one.id in hidden else one.name,
            "state": one.answer_for(time),
            "answered_at": one.answered_at if one.answered_for == time else None,
        }
        for one in meeting.expected
    ]
    return {
        "interaction": entry.id,
        "uid": meeting.uid,
        "sequence": meeting.sequence,
        "title": meeting.title,
        "place": meeting.place,
        "text": meeting.text,
        "starts_at": entry.occurred_at,
        "ends_at": ends_at(meeting, entry),
        "minutes": meeting.minutes,
        "timezone": meeting.zone,
        "cancelled": not is_on(meeting, entry),
        "attendees": guests,
        "version": meeting.version,
    }

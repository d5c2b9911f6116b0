"""/api/v1/interactions/<id>/meeting: invitations and their guests, for programs."""

from typing import Any

from flask import Response

from core.errors import NotFound
from core.interactions.models import Interaction
from core.interactions.permissions import READ, WRITE
from core.mail.addresses import Recipient
from core.permissions import me, requires
from core.schemas import check_version
from core.visibility import get_visible
from plugins.interactions.api import bp as bp
from plugins.interactions.meetings import guests, services
from plugins.interactions.meetings.models import Meeting
from plugins.interactions.meetings.schemas import (
    MeetingSchema,
    MeetingWish,
    NewGuest,
    as_item,
)
from plugins.interactions.meetings.wishes import Guest, Wish, wished


def _entry(interaction_id: int) -> tuple[Interaction, Meeting | None]:
    entry = get_visible(me(), Interaction, interaction_id)
    return entry, services.meeting_of(entry)


def _meeting(interaction_id: int) -> tuple[Interaction, Meeting]:
    entry, meeting = _entry(interaction_id)
    if meeting is None:
        raise NotFound
    return entry, meeting


def _one(meeting: Meeting, entry: Interaction, status: int = 200) -> Any:
    hidden = guests.hidden_guests(me(), meeting)
    return as_item(meeting, entry, hidden), status, {"ETag": f'"{meeting.version}"'}


def _guests(sent: list[dict[str, Any]], kept: Meeting | None) -> tuple[Guest, ...]:
    return guests.chosen_guests(
        me(),
        users=[one["user"] for one in sent if "user" in one],
        contacts=[one["contact"] for one in sent if "contact" in one],
        others=[
            Recipient(one["address"], one["name"]) for one in sent if "address" in one
        ],
        kept=kept,
    )


@bp.route("/interactions/<int:interaction_id>/meeting", methods=["GET"])
@requires(READ)
@bp.response(200, MeetingSchema)
def read_meeting(interaction_id: int) -> Any:
    """Read the invitation of an entry, with its guests and their answers."""
    entry, meeting = _meeting(interaction_id)
    return _one(meeting, entry)


@bp.route("/interactions/<int:interaction_id>/meeting", methods=["PUT"])
@requires(WRITE)
@bp.arguments(MeetingWish)
@bp.response(200, MeetingSchema)
def put_meeting(wish: dict[str, Any], interaction_id: int) -> Any:
    """Invite people to an entry, or change that, which needs `If-Match`.

    The guests named are those who get a mail; outside ones need `interactions:share`.
    """
    entry, meeting = _entry(interaction_id)
    if meeting is not None:
        check_version(meeting)  # type: ignore[arg-type]
    zone = wish["timezone"] or (meeting.zone if meeting else me().timezone)
    made = wished(
        title=wish["title"],
        place=wish["place"],
        minutes=wish["minutes"],
        text=wish["text"],
        zone=zone,
        guests=_guests(wish["attendees"], meeting),
    )
    return _one(services.invite(entry, made, actor=me()), entry)


@bp.route("/interactions/<int:interaction_id>/meeting", methods=["DELETE"])
@requires(WRITE)
@bp.response(204)
def call_off(interaction_id: int) -> Any:
    """Call a meeting off and tell its guests; needs `If-Match`."""
    entry, meeting = _meeting(interaction_id)
    check_version(meeting)  # type: ignore[arg-type]
    services.call_off(entry, actor=me())
    return Response(status=204)


@bp.route("/interactions/<int:interaction_id>/meeting/attendees", methods=["POST"])
@requires(WRITE)
@bp.arguments(NewGuest)
@bp.response(201, MeetingSchema)
def add_attendee(guest: dict[str, Any], interaction_id: int) -> Any:
    """Invite one more guest; the others are not written to. Needs `If-Match`."""
    entry, meeting = _meeting(interaction_id)
    check_version(meeting)  # type: ignore[arg-type]
    added = _guests([guest], meeting)
    wish = _as_it_is(meeting, [*_invited(meeting), *added])
    return _one(services.invite(entry, wish, actor=me()), entry, 201)


@bp.route(
    "/interactions/<int:interaction_id>/meeting/attendees/<int:attendee_id>",
    methods=["DELETE"],
)
@requires(WRITE)
@bp.response(200, MeetingSchema)
def remove_attendee(interaction_id: int, attendee_id: int) -> Any:
    """Take a guest off the list, who is told; needs `If-Match`."""
    entry, meeting = _meeting(interaction_id)
    left = [one for one in meeting.expected if one.id != attendee_id]
    if len(left) == len(meeting.expected):
        raise NotFound
    check_version(meeting)  # type: ignore[arg-type]
    wish = _as_it_is(meeting, [guests.as_guest(one) for one in left])
    return _one(services.invite(entry, wish, actor=me()), entry)


def _invited(meeting: Meeting) -> list[Guest]:
    return [guests.as_guest(one) for one in meeting.expected]


def _as_it_is(meeting: Meeting, invited: list[Guest]) -> Wish:
    return Wish(
        meeting.title,
        meeting.place,
        meeting.minutes,
        meeting.text,
        meeting.zone,
        tuple({one.key: one for one in invited}.values()),
    )

"""The page of a guest without an account: what it is about, and three answers."""

from typing import Any

from flask import Response, render_template, request

from core.db import db
from core.errors import Conflict, CRMError
from core.i18n import _, in_language
from core.interactions.models import Interaction
from core.mail.words import house_name
from core.pages import on_refusal
from core.permissions import public
from plugins.interactions import answers
from plugins.interactions.meetings import services
from plugins.interactions.meetings.mails import organiser_of, time_of, when
from plugins.interactions.meetings.models import Attendee
from plugins.interactions.views import bp as bp

ENDPOINTS = {"interactions.invitation", "interactions.answer_invitation"}
GONE, UNKNOWN = 410, 404


@bp.after_request
def _keep_the_secret(response: Response) -> Response:
    """Let the link's secret reach neither a log through Referer nor a cache.

    The origin alone is sent, which the CSRF check asks for on TLS.
    """
    if request.endpoint in ENDPOINTS:
        response.headers["Referrer-Policy"] = "strict-origin"
        response.headers["Cache-Control"] = "private, no-store"
        response.headers["X-Robots-Tag"] = "noindex"
    return response


def _found(secret: str) -> tuple[Attendee, Interaction] | None:
    guest = services.find_invitation(secret)
    if guest is None:
        return None
    return guest, db.session.get_one(Interaction, guest.meeting.interaction_id)


def _draw(error: CRMError | None = None, *, secret: str, thanks: bool = False) -> Any:
    found = _found(secret)
    if found is None:
        return render_template("interactions/no_invitation.html"), UNKNOWN
    guest, entry = found
    meeting = guest.meeting
    closed = services.why_closed(guest, entry)
    organiser = organiser_of(meeting, entry)
    with in_language(guest.language):
        page = render_template(
            "interactions/invitation.html",
            guest=guest,
            meeting=meeting,
            closed=closed,
            when=when(meeting, entry, guest.language),
            time=time_of(meeting, entry),
            answer=guest.answer_for(time_of(meeting, entry)),
            organiser=organiser.name if organiser else house_name(),
            secret=secret,
            error=answers.first(error) if error else "",
            thanks=thanks,
        )
    return (page, GONE) if closed else page


@bp.get("/invitation/<secret>")
@public
def invitation(secret: str) -> Any:
    """Show a guest the meeting as it is now; looking answers nothing."""
    return _draw(secret=secret)


@bp.post("/invitation/<secret>")
@public
@on_refusal(_draw)
def answer_invitation(secret: str) -> Any:
    """Keep the answer of a guest, if it is to what they were shown."""
    found = _found(secret)
    if found is None or services.why_closed(*found):
        return _draw(secret=secret)
    guest, entry = found
    with in_language(guest.language):
        if request.form.get("time") != time_of(guest.meeting, entry):
            raise Conflict(_("The time has changed since. Look at it, then answer."))
        services.answer_invitation(guest, entry, request.form.get("answer", ""))
    return _draw(secret=secret, thanks=True)

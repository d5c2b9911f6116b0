"""Saying when a reminder comes up, and that the words of an entry made one."""

import json
from datetime import datetime
from typing import Any

from babel.dates import format_skeleton, format_time
from flask import Response, make_response, request, url_for

from core.i18n import _, reader
from core.pages import flash_undo
from plugins.interactions.follow_ups.models import FollowUp


def say_when(moment: datetime) -> str:
    """Write day and time of a reminder, with its weekday: the year is not far."""
    zone, locale = reader()
    here = moment.astimezone(zone)
    day = format_skeleton("MMMMEd", here, locale=locale)
    return f"{day} {format_time(here.time(), 'short', locale=locale)}"


def tell_reminder(answer: Any, planned: FollowUp | None) -> Response:
    """Add to the answer that an entry was saved which reminder came of it, and Undo."""
    response = make_response(answer)
    if planned is None:
        return response
    said = _("Reminder %(when)s.", when=say_when(planned.remind_at))
    # From the trash it can be put back, as everything there.
    undo = url_for("interactions.follow_up_trash", follow_up_id=planned.id)
    if not request.headers.get("HX-Request"):
        flash_undo(said, undo)
        return response
    told = json.loads(response.headers.get("HX-Trigger", "{}"))
    if "toast" in told:
        said = f"{told['toast']['text']} {said}"
        # What goes out soon is what Undo is for; the reminder has its own page.
        undo = told["toast"].get("undo", undo)
    toast = {"text": said, "undo": undo}
    response.headers["HX-Trigger"] = json.dumps(told | {"toast": toast})
    return response

"""Saying which reminder the words of an entry ask for, while they are written."""

from typing import Any

from flask import render_template, request

from core.interactions.permissions import WRITE
from core.interactions.schemas import MOST_TEXT
from core.permissions import requires
from plugins.interactions.changing import bp as bp
from plugins.interactions.follow_ups.asking import asked_in
from plugins.interactions.follow_ups.telling import say_when


@bp.post("/interactions/reminder")
@requires(WRITE)
def reminder() -> Any:
    """Say which reminder the text asks for, with a way to do without; keeps nothing."""
    asked = asked_in(request.form.get("body", "")[:MOST_TEXT])
    return render_template(
        "interactions/reminder.html",
        asked=asked,
        when=say_when(asked.at) if asked else "",
        without=asked is not None and request.form.get("no_reminder") == asked.words,
    )

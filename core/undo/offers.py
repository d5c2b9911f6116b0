"""The message after an act, with its way back."""

import json

from flask import Response, flash, url_for

from core.db import Record
from core.pages import flash_undo
from core.permissions import me
from core.undo.services import latest_change


def offer_undo(record: Record, said: str) -> None:
    """Tell the reader on the next page what they did to `record`, with Undo.

    Call it when the change is flushed; what cannot be taken back is told without.
    """
    change = latest_change(me(), record)
    if change is None:
        flash(said, "ok")
        return
    address = url_for("undo.take_back", change_id=change)
    flash_undo(said, address)


def undo_in_place(record: Record, said: str) -> Response:
    """Answer a script whose line is to go: nothing, and the message with its Undo."""
    toast = {"text": said}
    change = latest_change(me(), record)
    if change is not None:
        toast["undo"] = url_for("undo.take_back", change_id=change)
    return Response("", headers={"HX-Trigger": json.dumps({"toast": toast})})

"""Saying who outside comes to see an entry, with the way to take it back until then."""

from flask import flash

from core.db import now
from core.i18n import _, ngettext
from core.interactions.models import Interaction
from core.opening import waits_for_outside
from core.pages import flash_undo
from core.readers import readers_of


def words_of_opening(entry: Interaction) -> str:
    """Say how many people outside see an entry soon; empty where nothing waits."""
    if not waits_for_outside(entry) or entry.opens_at is None:
        return ""
    people = len(readers_of(entry.audience.spec).outside)
    said = ngettext(
        "Goes to %(num)d person outside", "Goes to %(num)d people outside", people
    )
    left = max(int((entry.opens_at - now()).total_seconds()), 1)
    return str(_("%(said)s in %(seconds)d s", said=said, seconds=left))


def offer_taking_back(entry: Interaction, url: str, *, otherwise: str = "") -> None:
    """Say it on the next page, with Undo by a POST to `url`; else say `otherwise`."""
    said = words_of_opening(entry)
    if said:
        flash_undo(said, url)
    elif otherwise:
        flash(otherwise, "ok")

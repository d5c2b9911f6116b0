"""What an entry is linked to: records on offer while writing, and the links it has."""

from itertools import islice
from typing import Any

from flask import render_template, request

from core.contacts.models import Contact
from core.interactions.linked import MOST, Linked, linked_records, links_of
from core.interactions.models import Interaction
from core.interactions.permissions import READ, WRITE
from core.parts import found_refs, open_records
from core.permissions import me, requires
from core.visibility import get_visible
from plugins.interactions.answers import visible
from plugins.interactions.suggesting import OFFERED, asked
from plugins.interactions.suggesting import bp as bp


@bp.get("/interactions/records")
@requires(WRITE)
def records() -> Any:
    """Offer what an entry may be linked to: what waits with its contact comes first.

    With `chosen` it names these alone, such as those of a draft.
    """
    if chosen := [one[:100] for one in request.args.getlist("chosen")[:MOST]]:
        return {"items": [_item(one) for one in linked_records(chosen, me())]}
    q = asked()
    contact_id = request.args.get("contact", type=int)
    waiting = visible(Contact, contact_id)
    open_ones = open_records(waiting, me()) if waiting is not None else []
    offered = linked_records([one.ref for one in open_ones], me())
    offered = [one for one in offered if q.casefold() in one.title.casefold()]
    if q:
        offered += linked_records(found_refs(q, me()), me())
    items = {one.ref: _item(one) for one in offered}
    return {"items": list(islice(items.values(), OFFERED))}


def _item(one: Linked) -> dict[str, str]:
    return {"id": one.ref, "name": f"{one.kind}: {one.title}"}


@bp.get("/interactions/<int:interaction_id>/links")
@requires(READ)
def links(interaction_id: int) -> Any:
    """Name what an entry is linked to: in its place, or on a page of its own."""
    entry = get_visible(me(), Interaction, interaction_id)
    refs = links_of([entry], me())[entry.id]
    in_place = bool(request.headers.get("HX-Request"))
    return render_template(
        "interactions/links.html" if in_place else "interactions/links_page.html",
        entry=entry,
        linked=linked_records(refs, me()),
    )

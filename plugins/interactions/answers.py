"""Where a form leads: back to where its writer was, or to itself as it was typed."""

import json
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import flash, make_response, redirect, render_template, request, url_for

from core.audiences import KINDS
from core.contacts.models import Contact
from core.db import Record, db, now
from core.errors import CRMError, NotFound
from core.i18n import _
from core.interactions.files import with_lost_files
from core.interactions.mentions import MentionOutside
from core.interactions.models import Interaction
from core.interactions.offers import offer_taking_back, words_of_opening
from core.kinds import interaction_kinds
from core.permissions import me
from core.problems import flatten
from core.records import record_type_of
from core.undo.offers import offer_undo
from core.visibility import get_visible, visible_to
from plugins.interactions.composer import DRAFT_OF_NOBODY, draft_of, for_input
from plugins.interactions.fields import typed_fields, values_of
from plugins.interactions.readers import ReadersUnseen
from plugins.interactions.schemas import LISTS

R = TypeVar("R", bound=Record)

# In seconds: a call that began longer ago is an address that somebody kept.
LONGEST_CALL = 24 * 60 * 60


def visible(model: type[R], record_id: int | None) -> R | None:
    """Give a record that a form names, or None when it is not open to its sender."""
    try:
        return get_visible(me(), model, record_id) if record_id else None
    except NotFound:
        return None


def first(error: CRMError) -> str:
    """Give the first sentence of what is wrong."""
    for messages in flatten(error.errors).values():
        return messages[0]
    return str(error.message)


def typed(error: CRMError | None) -> dict[str, Any]:
    """Give the composer what was typed, what is wrong with it, and who will read it."""
    if error is None:
        return {}
    values: dict[str, Any] = {
        name: request.form[name]
        for name in ("kind", "body", "audience", "occurred_at", "with")
        if request.form.get(name)
    }
    if values.get("audience") not in KINDS:
        values.pop("audience", None)
    values |= typed_fields(request.form)
    # A list that was emptied counts as well as one that was filled.
    values |= {name: request.form.getlist(name) for name in LISTS}
    errors = with_lost_files(flatten(error.errors))
    found: dict[str, Any] = {"typed": values, "errors": errors}
    if isinstance(error, MentionOutside) and error.may_add:
        found["add"] = added_by(error)
    if isinstance(error, ReadersUnseen):
        found["who"] = error.who
        found["hidden"] = {"sure": error.sure} if error.sure else {}
    elif not error.errors:
        found["errors"] = {"form": [str(error.message)]}
    return found


def asked_for(contact: Contact | None) -> dict[str, Any]:
    """Begin with the kind, such as a call, and the link that the address names.

    What was written before it was known about whom, or about somebody else, goes on.
    """
    kind, link = request.args.get("kind", ""), request.args.get("link", "")[:100]
    values: dict[str, Any] = {"kind": kind} if kind in interaction_kinds() else {}
    if link:
        values["links"] = [link]
    found: dict[str, Any] = {"typed": values} if values else {}
    if "kind" in values:
        # Who asks for a call begins one: its clock runs, from when the phone rang.
        found["elapsed"] = max(0, int(now().timestamp()) - begun_at())
    if contact is not None and "since" in request.args:
        found["draft_from"] = DRAFT_OF_NOBODY
    elif before := request.args.get("from", type=int):
        found["draft_from"] = draft_of(before)
    return found


def begun_at() -> int:
    """Give when the entry was begun, in seconds: as the address says, or now.

    An address that was kept for another day, or leads into the future, begins now.
    """
    at = int(now().timestamp())
    said = request.args.get("since", 0, type=int)
    return said if at - LONGEST_CALL <= said <= at else at


def kept(contact: Contact | None) -> dict[str, Any]:
    """Give what the address asks for besides, which stays while one looks for whom."""
    asked: dict[str, Any]
    asked = {k: v for k in ("kind", "link") if (v := request.args.get(k))}
    before = contact.id if contact else request.args.get("from", type=int)
    if before:
        asked["from"] = before
    return {**asked, "since": begun_at()} if "kind" in asked else asked


def added_by(error: CRMError) -> dict[str, str] | None:
    """Give the button that opens an entry to those whom its text calls."""
    if not isinstance(error, MentionOutside) or not error.may_add:
        return None
    # A form in its place is not drawn anew: the button brings all who were added.
    before = [one for some in request.form.getlist("also") for one in some.split(",")]
    missing = [f"{one.of}:{one.id}" for one in error.missing]
    names = ", ".join(one.name for one in error.missing)
    return {
        "value": ",".join(dict.fromkeys([*filter(None, before), *missing])),
        "words": _("Add %(names)s and save", names=names),
    }


def refused_in_place(error: CRMError) -> Any:
    """Answer a form that stays on the page: its readers anew, or what is wrong."""
    if isinstance(error, ReadersUnseen):
        answer = make_response(
            render_template("interactions/who.html", who=error.who, asked=error.message)
        )
        answer.headers["HX-Retarget"] = "#who"
    else:
        messages = [one for some in flatten(error.errors).values() for one in some]
        answer = make_response(
            render_template(
                "interactions/wrong.html",
                messages=messages or [str(error.message)],
                add=added_by(error),
            )
        )
        answer.headers["HX-Retarget"] = "#composer-error"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def taking_back_url(entry: Interaction) -> str:
    """Give the address that takes an entry back before it is seen outside."""
    return url_for("interactions.take_back", interaction_id=entry.id)


def with_taking_back(drawn: Any, entry: Interaction) -> Any:
    """Say beside a part drawn for a script who comes to see an entry, with Undo."""
    answer = make_response(drawn)
    said = words_of_opening(entry)
    if said:
        toast = {"text": said, "undo": taking_back_url(entry)}
        answer.headers["HX-Trigger"] = json.dumps({"toast": toast})
    return answer


def _own_in_trash(interaction_id: int | None) -> Interaction | None:
    """Give an entry that the reader took back, by the address it led to."""
    if not interaction_id or me().kind != "staff":
        return None
    query = visible_to(me(), Interaction, trashed=True).where(
        Interaction.id == min(interaction_id, 2**31 - 1),
        Interaction.trashed_at.is_not(None),
        Interaction.author_id == me().id,
    )
    return db.session.scalar(query)


def taken_back(contact: Contact | None) -> dict[str, Any]:
    """Give the composer the words that were taken back; they open inside again."""
    entry = _own_in_trash(request.args.get("again", type=int))
    if entry is None or contact is None or entry.contact_id != contact.id:
        return {}
    typed = {"kind": entry.kind, "body": entry.body, **values_of(entry)}
    return {"typed": {**typed, "occurred_at": for_input(entry.occurred_at)}}


def reply_taken_back(parent: Interaction) -> str:
    """Give the words of a reply to `parent` that was taken back."""
    entry = _own_in_trash(request.args.get("again", type=int))
    return entry.body if entry is not None and entry.parent_id == parent.id else ""


def written_in_drawer(entry: Interaction) -> Any:
    """Close the drawer, and say on whom it was saved; the page behind stays."""
    soon = words_of_opening(entry)
    if soon:
        answer = make_response("", 204)
        toast = {"text": soon, "undo": taking_back_url(entry)}
        answer.headers["HX-Trigger"] = json.dumps({"toast": toast, "drawer:done": True})
        return answer
    said = _("Saved.")
    if entry.contact is not None:
        said = _("Saved on %(name)s.", name=entry.contact.name)
    answer = make_response("", 204)
    done = {"toast": {"text": said}, "drawer:done": True}
    answer.headers["HX-Trigger"] = json.dumps(done)
    return answer


def after_writing(entry: Interaction, parent: Interaction | None) -> Any:
    """Lead to the new entry where it stands: under what it answers, in its timeline."""
    offer_taking_back(entry, taking_back_url(entry))
    if parent is not None:
        return to_entry(parent, "", anchor=entry)
    if entry.contact is not None and me().kind == "staff":
        return redirect(contact_page(entry), 303)
    return redirect(url_for("interactions.index"), 303)


def in_thread(parent: Interaction) -> bool:
    """Say whether a reply was written in a list, under what it answers."""
    return request.headers.get("HX-Target") == f"entry-{parent.id}-replies-box"


def contact_page(entry: Interaction) -> str:
    """Give the address of an entry in the timeline of its contact."""
    kind = record_type_of(entry.contact) if entry.contact else None
    page = kind.url(entry.contact, me()) if kind else None
    return f"{page or url_for('interactions.index')}#entry-{entry.id}"


def to_entry(
    entry: Interaction, said: str, *, anchor: Interaction | None = None
) -> Any:
    """Lead to the page of an entry."""
    if said:
        flash(said, "ok")
    mark = f"entry-{anchor.id}" if anchor else None
    address = url_for("interactions.show", interaction_id=entry.id, _anchor=mark)
    return redirect(address, 303)


def back(entry: Interaction, said: str = "") -> Any:
    """Lead back to the page of ours that the form was on."""
    if said:
        flash(said, "ok")
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host or not came_from.path.startswith("/"):
        return redirect(url_for("interactions.show", interaction_id=entry.id), 303)
    query = f"?{came_from.query}" if came_from.query else ""
    # Two slashes at the start would name another server.
    path = "/" + came_from.path.lstrip("/\\")
    return redirect(f"{path}{query}#entry-{entry.id}", 303)


def after_trash(entry: Interaction) -> Any:
    """Say that an entry is in the trash, and offer to take it out again."""
    offer_undo(entry, _("Moved to trash."))
    own_page = url_for("interactions.show", interaction_id=entry.id)
    if urlsplit(request.referrer or "").path == own_page:
        return redirect(contact_page(entry), 303)
    return back(entry)

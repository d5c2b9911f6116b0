"""Changing an entry, keeping it on top, putting it away and bringing it back."""

from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.errors import Conflict, CRMError, Forbidden
from core.i18n import _
from core.interactions import services
from core.interactions.entries import name_of_author
from core.interactions.files import keep_sent
from core.interactions.mentions import check_mentions_anew
from core.interactions.models import Interaction
from core.interactions.offers import offer_taking_back, words_of_opening
from core.interactions.permissions import WRITE
from core.interactions.rules import gains_readers, may_change
from core.interactions.taking_back import take_back_opening
from core.pages import on_refusal
from core.permissions import me, requires
from core.readers import readers_of
from core.undo.offers import offer_undo
from core.visibility import get_visible
from plugins.interactions import answers
from plugins.interactions.composer import composer_to_change
from plugins.interactions.fields import sent_details
from plugins.interactions.meetings.moving import MoveUnseen, check_move
from plugins.interactions.narrowing import said_of_the_lost
from plugins.interactions.participants import named_contacts
from plugins.interactions.readers import (
    ReadersUnseen,
    check_seen,
    chosen,
    put_into_words,
)
from plugins.interactions.schemas import EntryForm, sent
from plugins.interactions.trashed import entry_or_trashed
from plugins.interactions.views import bp as bp


@bp.get("/interactions/<int:interaction_id>/edit")
@requires(WRITE)
def edit(interaction_id: int) -> Any:
    """Offer an entry to be changed by somebody who may."""
    entry = _changeable(interaction_id)
    composer = composer_to_change(entry, me())
    return render_template("interactions/edit.html", entry=entry, composer=composer)


def _changeable(interaction_id: int) -> Interaction:
    entry = get_visible(me(), Interaction, interaction_id)
    if not may_change(me(), entry):
        raise Forbidden(_("Only its author may change this entry."))
    return entry


def _draw_edit(error: CRMError, interaction_id: int) -> Any:
    entry = _changeable(interaction_id)
    typed = answers.typed(error)
    move = error if isinstance(error, MoveUnseen) else None
    if move is not None:
        # What was looked at and agreed to before stays so.
        typed["hidden"] = {"sure": request.form.get("sure", "")}
        typed["who"] = put_into_words(move.readers) if move.readers else None
    return render_template(
        "interactions/edit.html",
        entry=entry,
        composer=composer_to_change(entry, me(), **typed),
        move=move,
        conflict=isinstance(error, Conflict),
        author=name_of_author(entry),
    )


@bp.post("/interactions/<int:interaction_id>/edit")
@requires(WRITE)
@on_refusal(_draw_edit)
def save(interaction_id: int) -> Any:
    """Save a changed entry; opening it to more readers asks first."""
    entry = _changeable(interaction_id)
    form = EntryForm().load(sent(request.form))
    if form["version"] != entry.version:
        raise Conflict(_("Somebody saved this meanwhile. Yours is kept below."))
    before = entry.audience.spec
    contacts = _about(entry, form)
    spec = chosen(form, contacts)
    check_mentions_anew(entry, form["body"], spec, me())
    check_seen(spec, looked=form["looked"], seen=form["seen"], known=before)
    if form["sure"] != _agreed(spec):
        _ask_first(entry, before, spec)
    to = _moved(entry, form["occurred_at"])
    if to is not None:
        check_move(entry, to, spec, seen=request.form.get("guests", ""), user=me())
    services.change_interaction(
        entry,
        actor=me(),
        # A kind that is gone stays with its entries, and is no new choice.
        kind=form["kind"] if form["kind"] != entry.kind else None,
        direction=form["direction"],
        source=form["source"],
        contacts=contacts if entry.parent_id is None else None,
        links=form["links"],
        details=sent_details(request.form, form["kind"], entry),
        body=form["body"],
        occurred_at=to,
        audience=spec,
    )
    keep_sent(entry)
    if words_of_opening(entry) and spec != before:
        offer_taking_back(entry, answers.taking_back_url(entry))
    else:
        offer_undo(entry, _("Saved."))
    return answers.to_entry(entry, "")


@bp.post("/interactions/<int:interaction_id>/take-back")
@requires(WRITE)
def take_back(interaction_id: int) -> Any:
    """Take back what people outside do not see yet; its words are written anew."""
    entry = take_back_opening(_changeable(interaction_id), actor=me())
    flash(_("Taken back. Nobody outside has seen it."), "ok")
    if entry.trashed_at is None:
        return answers.to_entry(entry, "")
    if entry.parent_id is not None:
        place = {"endpoint": "interactions.show", "interaction_id": entry.parent_id}
    else:
        place = {"endpoint": "interactions.new", "contact": entry.contact_id}
    return redirect(url_for(**place, again=entry.id), 303)


def _ask_first(entry: Interaction, before: AudienceSpec, spec: AudienceSpec) -> None:
    """Say who comes to read an entry, and who outside will not any more.

    Raises `ReadersUnseen` where there is somebody.
    """
    asked = [said_of_the_lost(entry, before, spec)]
    if spec.kind != "shared" and gains_readers(before, spec, entry.author):
        asked.append(
            _("More colleagues will be able to read this. Save again to agree.")
        )
    said = " ".join(str(one) for one in asked if one)
    if said:
        raise ReadersUnseen(said, readers_of(spec), sure=_agreed(spec))


def _agreed(spec: AudienceSpec) -> str:
    """Name what a yes is about: it is none to whatever is chosen after it."""
    return ",".join(sorted(spec.labels()))


def _about(entry: Interaction, form: dict[str, Any]) -> list[Contact]:
    """Give whom the entry is about: its contact first, then whom the form says."""
    found = [entry.contact] if entry.contact else []
    if entry.parent_id is None:
        found += [get_visible(me(), Contact, one) for one in form["contacts"]]
        found += named_contacts(form["with_"])
    return list({one.id: one for one in found}.values())


def _moved(entry: Interaction, to: datetime | None) -> datetime | None:
    """Give the new time of an entry; the form knows no seconds, so none count."""
    same = entry.occurred_at.replace(second=0, microsecond=0)
    return None if to == same else to


@bp.post("/interactions/<int:interaction_id>/trash")
@requires(WRITE)
def trash(interaction_id: int) -> Any:
    """Put an entry into the trash, with a way back."""
    entry = get_visible(me(), Interaction, interaction_id)
    services.trash_interaction(entry, actor=me())
    return answers.after_trash(entry)


@bp.post("/interactions/<int:interaction_id>/restore")
@requires(WRITE)
def restore(interaction_id: int) -> Any:
    """Take an entry out of the trash."""
    entry = entry_or_trashed(me(), interaction_id)
    services.restore_interaction(entry, actor=me())
    return answers.back(entry, _("Put back."))


@bp.post("/interactions/<int:interaction_id>/pin")
@requires(WRITE)
def pin(interaction_id: int) -> Any:
    """Keep an entry at the top of its timelines."""
    return _pin(interaction_id, pinned=True)


@bp.post("/interactions/<int:interaction_id>/unpin")
@requires(WRITE)
def unpin(interaction_id: int) -> Any:
    """Let an entry go back to its place."""
    return _pin(interaction_id, pinned=False)


def _pin(interaction_id: int, *, pinned: bool) -> Any:
    entry = get_visible(me(), Interaction, interaction_id)
    services.pin_interaction(entry, pinned=pinned)
    return answers.back(entry)

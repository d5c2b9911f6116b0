"""The pages of hand-overs: passing a customer on, and taking it over."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.contacts.lists import colleagues
from core.contacts.models import Contact
from core.contacts.permissions import READ, WRITE
from core.db import Record, db
from core.errors import CRMError, Invalid
from core.i18n import _
from core.pages import on_refusal
from core.parts import open_records
from core.permissions import me, requires
from core.problems import flatten
from core.records import record_type_of
from core.users.models import User
from core.visibility import get_visible
from plugins.interactions.follow_ups.views import bp as bp
from plugins.interactions.hand_overs import services
from plugins.interactions.hand_overs.models import HandOver


def _draw(contact: Contact, error: CRMError | None = None) -> Any:
    giver = contact.owner or me()
    return render_template(
        "interactions/hand_over_new.html",
        contact=contact,
        colleagues=[one for one in colleagues() if one[0] != contact.owner_id],
        follow_ups=services.open_follow_ups(contact, giver, me()),
        waiting=[
            (one, *words_of(one), services.unhappy_with(one))
            for one in open_records(contact, me())
        ],
        typed=request.form,
        errors=flatten(error.errors) if error else {},
    )


def words_of(record: Record) -> tuple[str, object, str | None]:
    """Give a record's label, the title of its type, and its address."""
    kind = record_type_of(record)
    if kind is None:
        return record.ref, "", None
    return kind.label(record), kind.title, kind.url(record, me())


def _about() -> Contact:
    contact_id = request.values.get("contact", type=int)
    if not contact_id:
        raise Invalid(errors={"contact": [_("Say whom this is about.")]})
    return get_visible(me(), Contact, contact_id)


@bp.get("/hand-overs/new")
@requires(WRITE)
def hand_over_new() -> Any:
    """Offer to pass a customer on, with everything that goes along."""
    return _draw(_about())


def _draw_new(error: CRMError) -> Any:
    return _draw(_about(), error)


@bp.post("/hand-overs")
@requires(WRITE)
@on_refusal(_draw_new)
def hand_over_create() -> Any:
    """Pass a customer on to a colleague, who owns it from now on."""
    contact = _about()
    chosen = request.form.get("receiver", type=int)
    receiver = db.session.get(User, chosen) if chosen else None
    if receiver is None:
        raise Invalid(errors={"receiver": [_("Choose a colleague.")]})
    word = request.form.get("word", "").replace("\x00", "")
    made = services.hand_over(
        contact, receiver, actor=me(), word=word, waiting=open_records(contact, me())
    )
    said = _("%(name)s is theirs now: %(who)s.", name=contact.name, who=receiver.name)
    flash(said, "ok")
    return redirect(url_for("interactions.hand_over_show", hand_over_id=made.id), 303)


@bp.get("/hand-overs/<int:hand_over_id>")
@requires(READ)
def hand_over_show(hand_over_id: int) -> Any:
    """Show what came with a customer, and what of it was looked at."""
    made = get_visible(me(), HandOver, hand_over_id)
    shown = services.shown_to(me(), made)
    return render_template(
        "interactions/hand_over.html",
        made=made,
        contact=made.contact,
        items=[
            (one.item, *_item_words(made, one), services.unhappy_with(one.record))
            for one in shown
        ],
        left=sum(one.item.acknowledged_at is None for one in shown),
        mine=services.may_acknowledge(me(), made),
    )


def _item_words(made: HandOver, shown: services.Shown) -> tuple[Any, Any, Any]:
    """Give the title of an item, its words, and where it leads."""
    contact = made.contact
    if shown.record is not None:
        words, title, url = words_of(shown.record)
        return title, words, url
    page = url_for("contacts.show", contact_id=contact.id)
    step = contact.next_step or _("Nothing is planned any more.")
    know = contact.know_first
    if contact.do_not_contact:
        know = "\n\n".join(filter(None, [_("Do not contact"), know]))
    return {
        "word": (_("In their own words"), made.word, None),
        "know": (_("Know this first"), know, page),
        "step": (_("Next step"), step, page),
    }[shown.item.kind]


@bp.post("/hand-overs/<int:hand_over_id>/items/<int:item_id>")
@requires(READ)
def hand_over_acknowledge(hand_over_id: int, item_id: int) -> Any:
    """Say that one has looked at an item."""
    made = get_visible(me(), HandOver, hand_over_id)
    services.acknowledge(made, item_id, actor=me())
    if made.finished_at is not None:
        flash(_("All of it is looked at. %(name)s is yours.", name=made.contact.name))
    page = url_for("interactions.hand_over_show", hand_over_id=made.id, _anchor="items")
    return redirect(page, 303)

"""The pages of support: tickets for colleagues, messages in the portal."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.contacts.models import Contact
from core.db import db
from core.errors import CRMError, Invalid, NotFound
from core.i18n import _
from core.interactions.entries import show_entries
from core.interactions.files import keep_sent, most_bytes, with_lost_files
from core.interactions.models import Interaction
from core.interactions.offers import offer_taking_back
from core.pages import on_refusal
from core.parts import hosted
from core.permissions import me, requires
from core.readers import describe, readers_of, words_for
from core.schemas import keyset_page
from core.undo.offers import offer_undo
from core.users.deputies import looked_after_by
from core.visibility import get_visible, visible_to
from plugins.support import services
from plugins.support.models import Ticket
from plugins.support.permissions import READ, WRITE
from plugins.support.schemas import TicketForm

bp = Blueprint("support", __name__)

VIEWS = ("open", "mine", "unowned", "waiting", "all")


def ticket_of(number: int) -> Ticket:
    """Find a ticket by its number, if this user may see it."""
    if not 0 < number < 2**31:
        raise NotFound
    query = visible_to(me(), Ticket).where(Ticket.number == number)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


@bp.get("/support")
@requires(READ)
def index() -> Any:
    """The tickets: open, mine, nobody's, waiting, all."""
    view = request.args.get("view", "open")
    query = visible_to(me(), Ticket)
    if view == "mine":
        query = query.where(
            Ticket.owner_id.in_(looked_after_by(me())), Ticket.state != "closed"
        )
    elif view == "unowned":
        query = query.where(Ticket.owner_id.is_(None), Ticket.state == "open")
    elif view in {"open", "waiting"}:
        query = query.where(Ticket.state == view)
    page = keyset_page(
        query, [Ticket.id], cursor=request.args.get("cursor"), descending=True
    )
    badges = describe([one.audience for one in page.items], me())
    return render_template(
        "support/index.html", page=page, badges_of=badges, view=view, views=VIEWS
    )


def _draw_new(error: CRMError | None = None) -> Any:
    contact_id = request.values.get("contact", type=int)
    contact = get_visible(me(), Contact, contact_id) if contact_id else None
    found = None
    if contact is None and request.values.get("q"):
        like = f"%{request.values['q'].strip()[:100].lower()}%"
        query = visible_to(me(), Contact).where(Contact.sort_name.like(like))
        found = db.session.scalars(query.order_by(Contact.sort_name).limit(10)).all()
    return render_template(
        "support/new.html",
        contact=contact,
        found=found,
        form=request.form,
        errors=with_lost_files(error.errors) if error else {},
        files_most=most_bytes(me()),
    )


@bp.get("/support/new")
@requires(WRITE)
def new() -> Any:
    """The form for a ticket; without a contact it asks about whom."""
    return _draw_new()


@bp.post("/support/new")
@requires(WRITE)
@on_refusal(_draw_new)
def create() -> Any:
    """Open a ticket; it stays in the house until the customer is answered."""
    form = TicketForm().load(request.form.to_dict())
    if form["contact"] is None:
        raise Invalid(errors={"contact": [_("Say which contact it is about.")]})
    ticket = services.open_ticket(
        get_visible(me(), Contact, form["contact"]),
        author=me(),
        subject=form["subject"],
        body=form["body"],
    )
    keep_sent(*services.thread(ticket, me()))
    flash(_("Ticket #%(number)d is open.", number=ticket.number), "ok")
    return redirect(url_for("support.show", number=ticket.number), 303)


def _draw_ticket(error: CRMError | None = None, *, number: int) -> Any:
    ticket = ticket_of(number)
    answering = request.values.get("answer", "")
    replying = answering == "reply"
    readers = readers_of(services.outside_of(ticket)) if replying else None
    return render_template(
        "support/show.html",
        ticket=ticket,
        entries=show_entries(services.thread(ticket, me()), me(), on=ticket.contact),
        audience=describe([ticket.audience], me())[ticket.audience_id],
        answering=answering if answering in {"reply", "note"} else "",
        readers=readers,
        reader_words=words_for(readers) if readers else "",
        states=services.STATES,
        form=request.form or _words_again(),
        errors=with_lost_files(error.errors) if error else {},
        files_most=most_bytes(me()),
        **hosted(ticket, me()),
    )


@bp.get("/support/<int:number>")
@requires(READ)
def show(number: int) -> Any:
    """One ticket: the thread on the left, the customer beside it."""
    return _draw_ticket(number=number)


@bp.get("/support/<int:number>/thread")
@requires(READ, portal=True)
def thread(number: int) -> Any:
    """The thread alone, for live updates."""
    ticket = ticket_of(number)
    entries = show_entries(services.thread(ticket, me()), me(), on=ticket.contact)
    return render_template("support/thread.html", entries=entries)


@bp.post("/support/<int:number>/answer")
@requires(WRITE)
@on_refusal(_draw_ticket)
def answer(number: int) -> Any:
    """Reply to the customer, or write an internal note: never both."""
    ticket = ticket_of(number)
    kind = request.form.get("answer", "")
    body = request.form.get("body", "").strip()
    if kind == "reply":
        said = services.reply(ticket, author=me(), body=body)
        keep_sent(said)
        undo = url_for("support.take_back", number=number, entry_id=said.id)
        offer_taking_back(said, undo, otherwise=_("Sent."))
    elif kind == "note":
        keep_sent(services.add_note(ticket, author=me(), body=body))
        flash(_("Note saved."), "ok")
    else:
        raise Invalid(errors={"body": [_("Choose Reply or Internal note.")]})
    return redirect(url_for("support.show", number=number), 303)


@bp.post("/support/<int:number>/take-back/<int:entry_id>")
@requires(WRITE)
def take_back(number: int, entry_id: int) -> Any:
    """Take back a reply that the customer does not see yet; its words come back."""
    ticket, entry = ticket_of(number), get_visible(me(), Interaction, entry_id)
    services.take_back_reply(ticket, entry, actor=me())
    flash(_("Taken back. Nobody outside has seen it."), "ok")
    place = url_for("support.show", number=number, answer="reply", again=entry.id)
    return redirect(place, 303)


def _words_again() -> dict[str, str]:
    """Give the words of one's own reply that was taken back."""
    asked = min(request.args.get("again", 0, type=int), 2**31 - 1)
    query = visible_to(me(), Interaction, trashed=True).where(
        Interaction.id == asked,
        Interaction.author_id == me().id,
        Interaction.trashed_at.is_not(None),
    )
    found = db.session.scalar(query) if asked else None
    return {"body": found.body} if found is not None else {}


@bp.post("/support/<int:number>")
@requires(WRITE)
@on_refusal(_draw_ticket)
def change(number: int) -> Any:
    """Move a ticket to another state, or take it."""
    ticket = ticket_of(number)
    state = request.form.get("state")
    owner = me() if request.form.get("take") else None
    services.change_ticket(ticket, actor=me(), state=state, owner=owner)
    if state == "solved":
        offer_undo(ticket, _("#%(number)d is solved.", number=ticket.number))
    else:
        offer_undo(ticket, _("Saved."))
    if request.form.get("from") == "day":
        return redirect(url_for("core.home"), 303)
    return redirect(url_for("support.show", number=number), 303)


@bp.get("/portal/messages")
@requires(READ, portal=True)
def portal_index() -> Any:
    """A customer's own tickets."""
    page = keyset_page(
        visible_to(me(), Ticket),
        [Ticket.id],
        cursor=request.args.get("cursor"),
        descending=True,
    )
    return render_template(
        "support/portal_index.html", page=page, state_for=services.state_for
    )


def _draw_portal_new(error: CRMError | None = None) -> Any:
    return render_template(
        "support/portal_new.html",
        form=request.form or request.args,
        errors=with_lost_files(error.errors) if error else {},
        files_most=most_bytes(me()),
    )


@bp.get("/portal/messages/new")
@requires(WRITE, portal=True)
def portal_new() -> Any:
    """The portal's form for a question."""
    return _draw_portal_new()


@bp.post("/portal/messages/new")
@requires(WRITE, portal=True)
@on_refusal(_draw_portal_new)
def portal_create() -> Any:
    """Ask us something."""
    form = TicketForm().load(request.form.to_dict())
    own = me().contact_id or me().person_id
    if own is None:
        raise NotFound
    ticket = services.open_ticket(
        get_visible(me(), Contact, own),
        author=me(),
        subject=form["subject"],
        body=form["body"],
    )
    keep_sent(*services.thread(ticket, me()))
    flash(_("We have it. You will read our answer here."), "ok")
    return redirect(url_for("support.portal_show", number=ticket.number), 303)


def _draw_portal_ticket(error: CRMError | None = None, *, number: int) -> Any:
    ticket = ticket_of(number)
    return render_template(
        "support/portal_show.html",
        ticket=ticket,
        state=services.state_for(me(), ticket),
        entries=show_entries(services.thread(ticket, me()), me(), on=ticket.contact),
        form=request.form,
        errors=with_lost_files(error.errors) if error else {},
        files_most=most_bytes(me()),
    )


@bp.get("/portal/messages/<int:number>")
@requires(READ, portal=True)
def portal_show(number: int) -> Any:
    """One conversation, as the customer sees it."""
    return _draw_portal_ticket(number=number)


@bp.post("/portal/messages/<int:number>")
@requires(WRITE, portal=True)
@on_refusal(_draw_portal_ticket)
def portal_answer(number: int) -> Any:
    """Answer from the portal."""
    ticket = ticket_of(number)
    if me().kind == "staff":
        raise NotFound
    body = request.form.get("body", "").strip()
    keep_sent(services.reply(ticket, author=me(), body=body))
    return redirect(url_for("support.portal_show", number=number), 303)

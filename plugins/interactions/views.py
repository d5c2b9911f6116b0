"""The pages of entries: the latest ones, a contact's, writing, one entry."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import format_datetime

from core.contacts.lists import Wanted, contact_list
from core.contacts.models import Contact
from core.contacts.permissions import READ as READ_CONTACTS
from core.db import db
from core.errors import CRMError, Forbidden, Invalid
from core.i18n import _, locale_code
from core.interactions import filters, services, timeline
from core.interactions.entries import show_entries
from core.interactions.files import keep_sent, most_bytes, with_lost_files
from core.interactions.mentions import check_mentions
from core.interactions.models import Interaction
from core.interactions.permissions import READ, WRITE
from core.pages import on_refusal
from core.parts import hosted
from core.permissions import can, me, requires
from core.readers import readers_of
from core.visibility import get_visible
from plugins.interactions import answers
from plugins.interactions.acts import acts_words
from plugins.interactions.composer import composer_for, for_input
from plugins.interactions.fields import draw_fields, sent_details, typed_fields
from plugins.interactions.follow_ups.asking import plan_asked
from plugins.interactions.follow_ups.telling import tell_reminder
from plugins.interactions.meetings.panel import panel_of
from plugins.interactions.participants import named_contacts
from plugins.interactions.readers import check_seen, choices, chosen, put_into_words
from plugins.interactions.schemas import AudienceForm, EntryForm, moment_in_words, sent
from plugins.interactions.story import asked, filter_choices
from plugins.interactions.story import story as entries_of
from plugins.interactions.threads import draw_thread
from plugins.interactions.trashed import entry_or_trashed

bp = Blueprint("interactions", __name__)

bp.app_template_global()(acts_words)

# The page of a story, and its parts by the element that asks for them.
PAGE = "interactions/story.html"
PARTS = {
    "story": "interactions/timeline.html",
    "story-more": "interactions/filters_more.html",
}

# How many contacts "About whom?" offers.
OFFERED = 20


@bp.get("/interactions")
@requires(READ, portal=True)
def index() -> Any:
    """Show the latest entries one may read; a customer's are the messages."""
    wanted = asked(request.args)
    inside = me().kind == "staff"
    here = dict(wanted.filters) if inside else {}
    narrowed = wanted.wanted if inside else filters.Wanted()
    page = timeline.latest(me(), cursor=wanted.cursor, replies=inside, **narrowed)
    context = {
        "entries": show_entries(page.items, me()),
        "filters": here,
        "filtered": bool(here),
        "live_url": url_for("interactions.index", **here),
        "older_url": url_for("interactions.index", **here, cursor=page.next)
        if page.next
        else "",
    }
    if request.headers.get("HX-Request"):
        return render_template("interactions/entries.html", **context)
    if not inside:
        return render_template("interactions/messages.html", **context)
    offered = filter_choices(me(), choices(me(), None))
    return render_template("interactions/index.html", **offered, **context)


@bp.get("/interactions/timeline/<int:contact_id>")
@requires(READ)
def story(contact_id: int) -> Any:
    """Show the story of a contact: its page, what a filter asks for, or older parts."""
    if not can(READ_CONTACTS):
        raise Forbidden
    contact = get_visible(me(), Contact, contact_id, trashed=True)
    wanted = asked(request.args)
    target = request.headers.get("HX-Target")
    if not request.headers.get("HX-Request") or target in PARTS:
        offered = choices(me(), contact)
        context = entries_of(contact, me(), offered=offered, wanted=wanted)
        return render_template(PARTS.get(target or "", PAGE), **context)
    context = entries_of(contact, me(), wanted=wanted)
    # The list asks for its own first part; the link "Older" for the next one, and it
    # wants a new link besides.
    template = (
        "interactions/more.html" if wanted.cursor else "interactions/entries.html"
    )
    return render_template(template, **context)


# -- Writing -----------------------------------------------------------------------


@bp.app_context_processor
def _for_every_page() -> dict[str, Any]:
    """Give the shell where its drawer gets the composer from."""
    return {"write_url": url_for("interactions.new")} if can(WRITE) else {}


def _in_drawer() -> bool:
    return request.headers.get("HX-Target") == "drawer-body"


@bp.get("/interactions/new")
@requires(WRITE)
def new() -> Any:
    """Offer a place to write; ask about whom when the address does not say."""
    contact_id = request.args.get("contact", type=int)
    contact = get_visible(me(), Contact, contact_id) if contact_id else None
    return _draw_new(contact)


def _draw_new(
    contact: Contact | None, error: CRMError | None = None, status: int = 200
) -> Any:
    q = request.args.get("q", "").strip()[:100].replace("\x00", "")
    found: list[Contact] = []
    if contact is None:
        recent = Contact.last_interaction_at.desc().nulls_last()
        query = contact_list(me(), Wanted(q=q)).order_by(
            *([Contact.sort_name, Contact.id] if q else [recent, Contact.id])
        )
        found = list(db.session.scalars(query.limit(OFFERED)))
    typed = answers.typed(error) or answers.taken_back(contact)
    typed = typed or answers.asked_for(contact)
    target = "#drawer-body" if _in_drawer() else ""
    return render_template(
        "interactions/drawer.html" if target else "interactions/new.html",
        contact=contact,
        composer=composer_for(contact, me(), target=target, **typed),
        found=found,
        q=q,
        kept=answers.kept(contact),
    )


def _draw_refused(error: CRMError) -> Any:
    parent = answers.visible(Interaction, request.form.get("parent", type=int))
    if parent is not None and answers.in_thread(parent):
        return draw_thread(parent, error)
    if request.headers.get("HX-Request"):
        return answers.refused_in_place(error)
    if parent is not None:
        return _draw_entry(parent, error)
    if me().kind != "staff":
        # The composer names colleagues and teams, which is nobody's business outside.
        return render_template("core/error.html", error=error)
    contact = answers.visible(Contact, request.form.get("contacts", type=int))
    return _draw_new(contact, error)


@bp.post("/interactions")
@requires(WRITE, portal=True)
@on_refusal(_draw_refused)
def write() -> Any:
    """Write an entry or a reply; what leaves the house has to have been looked at."""
    form = EntryForm().load(sent(request.form))
    parent = None
    if form["parent"] is not None:
        parent = get_visible(me(), Interaction, form["parent"])
    contacts = [get_visible(me(), Contact, one) for one in form["contacts"]]
    inside = me().kind == "staff"
    if inside:
        contacts += named_contacts(form["with_"])
    if not contacts and parent is None and inside:
        raise Invalid(errors={"contacts": [_("Say whom this is about.")]})
    spec = parent.audience.spec if parent else chosen(form, contacts)
    if inside:
        check_mentions(form["body"], spec, me(), may_add=parent is None)
        check_seen(spec, looked=form["looked"], seen=form["seen"])
    entry = services.write_interaction(
        contacts,
        author=me(),
        kind=form["kind"] if inside else "message",
        body=form["body"],
        audience=spec,
        occurred_at=form["occurred_at"] if inside else None,
        direction=form["direction"] if inside else "in",
        source=form["source"] if inside else "",
        details=sent_details(request.form, form["kind"]) if inside else None,
        links=form["links"] if inside else (),
        parent=parent,
    )
    keep_sent(entry)
    reminder = None
    if inside and parent is None:
        without = request.form.get("no_reminder", "")
        reminder = plan_asked(entry, author=me(), without=without)
    return tell_reminder(_after_writing(entry, parent, contacts), reminder)


def _after_writing(
    entry: Interaction, parent: Interaction | None, contacts: Sequence[Contact]
) -> Any:
    if _in_drawer():
        return answers.written_in_drawer(entry)
    if parent is not None and answers.in_thread(parent):
        return answers.with_taking_back(draw_thread(parent), entry)
    if request.headers.get("HX-Request") and contacts:
        context = entries_of(contacts[0], me())
        composer = composer_for(contacts[0], me())
        drawn = render_template(
            "interactions/written.html", composer=composer, **context
        )
        return answers.with_taking_back(drawn, entry)
    return answers.after_writing(entry, parent)


@bp.get("/interactions/fields")
@requires(WRITE)
def fields() -> Any:
    """Draw the few fields of a kind, with what was typed into those of another."""
    kind = request.args.get("kind", "")[:40]
    found = draw_fields(kind, typed_fields(request.args))
    return render_template("interactions/fields.html", fields=found)


@bp.get("/interactions/when")
@requires(WRITE)
def when() -> Any:
    """Read a date in words back; `value` is empty for what is none."""
    found = moment_in_words(request.args.get("text", ""))
    if found is None:
        return {"value": "", "words": ""}
    return {"value": for_input(found), "words": format_datetime(found, "full")}


@bp.get("/interactions/readers")
@requires(WRITE)
def readers() -> Any:
    """Say who would read an entry with the audience that is chosen in the form."""
    form = AudienceForm().load(sent(request.args))
    contacts = [get_visible(me(), Contact, one) for one in form["contacts"]]
    try:
        spec = chosen(form, contacts)
    except Invalid as error:
        return render_template("interactions/who.html", error=answers.first(error))
    who = put_into_words(readers_of(spec))
    return render_template("interactions/who.html", who=who)


# -- One entry ---------------------------------------------------------------------


@bp.get("/interactions/<int:interaction_id>")
@requires(READ, portal=True)
def show(interaction_id: int) -> Any:
    """Show an entry with its replies, and the place to reply."""
    return _draw_entry(entry_or_trashed(me(), interaction_id))


def _draw_entry(entry: Interaction, error: CRMError | None = None) -> Any:
    user = me()
    cursor = request.args.get("cursor") or None
    page = timeline.replies_to(user, entry, cursor=cursor)
    shown, *replies = show_entries([entry, *page.items], user)
    next_url = ""
    if page.next:
        next_url = url_for(".show", interaction_id=entry.id, cursor=page.next)
    context = {
        "entry": shown,
        "record": entry,
        "replies": replies,
        "next_url": next_url,
        "typed": request.form.get("body", "") or answers.reply_taken_back(entry),
        "errors": with_lost_files(error.errors) if error else {},
        "files_most": most_bytes(user),
    }
    if user.kind != "staff":
        return render_template("interactions/message.html", **context)
    if entry.parent_id is not None:
        context["parent"] = answers.visible(Interaction, entry.parent_id)
    if can(WRITE):
        context["who"] = put_into_words(readers_of(entry.audience.spec))
    contact = answers.visible(Contact, entry.contact_id)
    context |= panel_of(entry, user, locale_code()) | hosted(entry, user)
    return render_template("interactions/show.html", contact=contact, **context)

"""Following a contact or a thread from its page, and from the menu of an entry."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.contacts.models import Contact
from core.contacts.permissions import READ as READ_CONTACTS
from core.errors import Forbidden
from core.i18n import _
from core.interactions.models import Interaction
from core.interactions.permissions import READ, WRITE
from core.interactions.rules import may_change
from core.kinds import kind_of
from core.links import url_for as address_of
from core.notifications.services import may_see
from core.permissions import can, me, requires
from core.records import record_type_of
from core.users.models import User
from core.visibility import get_visible
from plugins.interactions.following import services
from plugins.interactions.views import bp as bp


def shown(record: Contact | Interaction, url: str) -> dict[str, Any]:
    """Give templates who follows a record, and the way to do so or to stop."""
    user = me()
    who = services.followers_of(record, user)
    kind = record_type_of(record)
    return {
        "follows": user.id in who.wanted,
        "names": who.names,
        "named": services.NAMED,
        "url": url,
        "back_url": kind.url(record, user) if kind else "",
        "of_contact": isinstance(record, Contact),
        "slot": "follow-" + record.ref.replace("/", "-"),
        "title": _title(record, user),
    }


def _draw(record: Contact | Interaction, url: str) -> Any:
    """Draw the button with its number, the line of a menu, or a page of its own."""
    context = shown(record, url)
    if not request.headers.get("HX-Request"):
        return render_template("interactions/follow_page.html", **context)
    part = "follow.html" if context["of_contact"] else "follow_line.html"
    return render_template(f"interactions/{part}", **context)


def _title(record: Contact | Interaction, user: User) -> str:
    """Name what is followed; of an entry no contact that `user` does not see."""
    if isinstance(record, Contact):
        return record.name
    kind = record_type_of(record)
    known = record.contact is None or may_see(user, record.contact)
    if kind is not None and known:
        return kind.label(record)
    found = kind_of(record.kind)
    return str(found.title) if found else record.kind


def _contact(contact_id: int) -> Contact:
    if not can(READ_CONTACTS):
        raise Forbidden
    return get_visible(me(), Contact, contact_id)


def _change(record: Contact | Interaction, url: str) -> Any:
    wanted = request.form.get("wanted") == "1"
    services.follow(me(), record, wanted=wanted)
    if request.headers.get("HX-Request"):
        return _draw(record, url)
    if wanted:
        flash(_("You are told when something new is written here."), "ok")
    else:
        flash(_("You are not told of this any more."), "ok")
    kind = record_type_of(record)
    page = kind.url(record, me()) if kind else None
    return redirect(page or address_of("interactions.index"), 303)


@bp.get("/interactions/follow/<int:contact_id>")
@requires(READ)
def contact_followers(contact_id: int) -> Any:
    """Say who follows a contact, with the button to do so or to stop."""
    url = url_for("interactions.follow_contact", contact_id=contact_id)
    return _draw(_contact(contact_id), url)


@bp.post("/interactions/follow/<int:contact_id>")
@requires(READ)
def follow_contact(contact_id: int) -> Any:
    """Follow a contact, or stop."""
    url = url_for("interactions.follow_contact", contact_id=contact_id)
    return _change(_contact(contact_id), url)


@bp.get("/interactions/<int:interaction_id>/acts")
@requires(WRITE)
def entry_acts(interaction_id: int) -> Any:
    """Draw the menu of an entry in a list; without scripts its page has them all."""
    entry = get_visible(me(), Interaction, interaction_id)
    if not request.headers.get("HX-Request"):
        return redirect(url_for("interactions.show", interaction_id=entry.id))
    line = {
        "id": entry.id,
        "pinned": entry.pinned,
        "changeable": may_change(me(), entry),
    }
    url = url_for("interactions.follow_thread", interaction_id=interaction_id)
    return render_template("interactions/acts.html", entry=line, **shown(entry, url))


@bp.get("/interactions/<int:interaction_id>/follow")
@requires(READ)
def thread_followers(interaction_id: int) -> Any:
    """Say who follows the thread of an entry, with the button to do so or to stop."""
    url = url_for("interactions.follow_thread", interaction_id=interaction_id)
    return _draw(get_visible(me(), Interaction, interaction_id), url)


@bp.post("/interactions/<int:interaction_id>/follow")
@requires(READ)
def follow_thread(interaction_id: int) -> Any:
    """Follow the thread of an entry, or stop."""
    url = url_for("interactions.follow_thread", interaction_id=interaction_id)
    return _change(get_visible(me(), Interaction, interaction_id), url)

"""The pages of follow-ups: one's own, planning one, changing, doing, putting off."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import flask_babel
from flask import redirect, render_template, request, url_for

from core.contacts.lists import colleagues, load_contact
from core.contacts.models import Contact
from core.contacts.permissions import READ as READ_CONTACTS
from core.db import db, now
from core.errors import Conflict, CRMError, Forbidden, Invalid
from core.i18n import _
from core.interactions.models import Interaction
from core.interactions.permissions import READ, WRITE
from core.pages import on_refusal
from core.permissions import can, me, requires
from core.problems import flatten
from core.undo.offers import offer_undo, undo_in_place
from core.users.deputies import looked_after_by
from core.users.models import User
from core.visibility import get_visible
from plugins.interactions.answers import visible
from plugins.interactions.changing import bp as bp
from plugins.interactions.composer import for_input
from plugins.interactions.follow_ups import services, words
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.moments import morning
from plugins.interactions.follow_ups.reading import open_on, page_of_follow_ups
from plugins.interactions.follow_ups.schemas import FollowUpForm, SnoozeForm
from plugins.interactions.schemas import sent


@bp.get("/follow-ups")
@requires(READ)
def follow_up_index() -> Any:
    """Show one's own, and those of whom one stands in for: open, or done."""
    done = request.args.get("view") == "done"
    page = page_of_follow_ups(
        me(),
        owners=looked_after_by(me()),
        done=done,
        cursor=request.args.get("cursor") or None,
        limit=50,
    )
    older = ""
    if page.next:
        view = "done" if done else None
        older = url_for("interactions.follow_up_index", view=view, cursor=page.next)
    return render_template(
        "interactions/follow_ups.html",
        lines=[words.line_of(one, me()) for one in page.items],
        done=done,
        older_url=older,
    )


@bp.get("/follow-ups/of/<int:contact_id>")
@requires(READ)
def follow_up_of_contact(contact_id: int) -> Any:
    """Show what is open on a contact, as its page shows it."""
    if not can(READ_CONTACTS):
        raise Forbidden
    contact = load_contact(me(), contact_id, trashed=True)
    return render_template(
        "interactions/follow_ups_open.html",
        contact=contact,
        follow_ups=open_on(me(), contact),
    )


# -- Planning and changing -------------------------------------------------------------


def _draw(
    contact: Contact,
    entry: Interaction | None,
    follow_up: FollowUp | None = None,
    error: CRMError | None = None,
) -> Any:
    values: dict[str, Any] = {
        "text": "",
        "when": "",
        "due_at": for_input(morning(1, me())),
        "owner": me().id,
        "repeat": "",
    }
    if follow_up is not None:
        values |= words.form_of(follow_up)
    if error is not None:
        values |= {name: request.form.get(name, "") for name in values}
    return render_template(
        "interactions/follow_up.html",
        contact=contact,
        entry=entry,
        follow_up=follow_up,
        values=values,
        errors=flatten(error.errors) if error else {},
        message=error.message if error and not error.errors else "",
        owners=colleagues(),
        moments=words.moments_after(values["when"]) if entry else [],
        repeats=words.repeats(values["repeat"]),
    )


def _about() -> tuple[Contact, Interaction | None]:
    """Load what the address or the form names: an entry, or a contact."""
    entry_id = request.values.get("entry", type=int)
    contact_id = request.values.get("contact", type=int)
    entry = get_visible(me(), Interaction, entry_id) if entry_id else None
    if not contact_id and entry is not None:
        contact_id = entry.contact_id
    if not contact_id:
        raise Invalid(errors={"contact": [_("Say whom this is about.")]})
    return get_visible(me(), Contact, contact_id), entry


@bp.get("/follow-ups/new")
@requires(WRITE)
def follow_up_new() -> Any:
    """Offer to plan something about a contact or an entry."""
    return _draw(*_about())


def _draw_new(error: CRMError) -> Any:
    return _draw(*_about(), error=error)


@bp.post("/follow-ups")
@requires(WRITE)
@on_refusal(_draw_new)
def follow_up_create() -> Any:
    """Plan something to do."""
    contact, entry = _about()
    form = FollowUpForm().load(sent(request.form))
    every, unit = words.repeat_of(form["repeat"])
    made = services.plan_follow_up(
        contact,
        author=me(),
        text=form["text"],
        owner=_owner(form["owner"]),
        entry=entry,
        due_at=form["due_at"],
        after_minutes=form["when"] if entry else None,
        repeat_every=every,
        repeat_unit=unit,
    )
    said = _("Planned: %(when)s.", when=words.moment(made.remind_at))
    return _go(url_for("contacts.show", contact_id=contact.id), made, said)


def _owner(user_id: int | None) -> User | None:
    return db.session.get(User, user_id) if user_id else None


def _go(address: str, follow_up: FollowUp, said: str) -> Any:
    offer_undo(follow_up, said)
    return redirect(address, 303)


@bp.get("/follow-ups/<int:follow_up_id>")
@requires(READ)
def follow_up_show(follow_up_id: int) -> Any:
    """Show one, to be changed or handed to a colleague."""
    return _draw_one(follow_up_id)


def _draw_one(follow_up_id: int, error: CRMError | None = None) -> Any:
    found = get_visible(me(), FollowUp, follow_up_id, trashed=True)
    entry = visible(Interaction, found.interaction_id)
    contact = get_visible(me(), Contact, found.contact_id, trashed=True)
    return _draw(contact, entry, found, error)


def _draw_refused(error: CRMError, follow_up_id: int) -> Any:
    return _draw_one(follow_up_id, error)


@bp.post("/follow-ups/<int:follow_up_id>")
@requires(WRITE)
@on_refusal(_draw_refused)
def follow_up_save(follow_up_id: int) -> Any:
    """Change one, or hand it to a colleague, who is told."""
    found = get_visible(me(), FollowUp, follow_up_id)
    form = FollowUpForm().load(sent(request.form))
    if form["version"] != found.version:
        raise Conflict(_("Somebody saved this meanwhile. Yours is kept below."))
    every, unit = words.repeat_of(form["repeat"])
    values = {"text": form["text"], "repeat_every": every, "repeat_unit": unit}
    if form["when"] is not None and found.interaction_id:
        values["after_minutes"] = form["when"]
    elif form["due_at"] != found.due_at.replace(second=0, microsecond=0):
        # The form knows no seconds: a moment that was not touched stays whole.
        values["due_at"] = form["due_at"]
    elif found.after_minutes is not None:
        values["due_at"] = found.due_at
    services.change_follow_up(found, values, owner=_owner(form["owner"]))
    return _go(_page_of(found), found, _("Saved."))


def _page_of(follow_up: FollowUp) -> str:
    return url_for("interactions.follow_up_show", follow_up_id=follow_up.id)


# -- Doing and putting off -------------------------------------------------------------


@bp.post("/follow-ups/<int:follow_up_id>/done")
@requires(WRITE)
def follow_up_done(follow_up_id: int) -> Any:
    """Say that it is done; what repeats is planned anew."""
    found = get_visible(me(), FollowUp, follow_up_id)
    following = services.finish_follow_up(found)
    said = _("Done: %(what)s", what=found.text)
    if following is not None:
        when = words.moment(following.remind_at)
        said = _("Done: %(what)s. Again %(when)s.", what=found.text, when=when)
    return _after(found, said)


@bp.post("/follow-ups/<int:follow_up_id>/reopen")
@requires(WRITE)
def follow_up_reopen(follow_up_id: int) -> Any:
    """Say that it is not done after all."""
    found = get_visible(me(), FollowUp, follow_up_id)
    services.reopen_follow_up(found)
    return _after(found, _("Open again: %(what)s", what=found.text))


@bp.post("/follow-ups/<int:follow_up_id>/snooze")
@requires(WRITE)
def follow_up_snooze(follow_up_id: int) -> Any:
    """Put it off to another day, at the hour it was for."""
    found = get_visible(me(), FollowUp, follow_up_id)
    form = SnoozeForm().load(sent(request.form))
    zone = ZoneInfo(me().timezone)
    today = now().astimezone(zone).date()
    day = form["on"] or (today + timedelta(days=form["days"]) if form["days"] else None)
    if day is None or day <= today:
        raise Invalid(errors={"on": [_("Choose a day from tomorrow on.")]})
    hour = found.due_at.astimezone(zone).time()
    services.snooze_follow_up(found, datetime.combine(day, hour, zone))
    shown = flask_babel.format_date(day, "medium", rebase=False)
    said = _("%(what)s: again on %(day)s.", what=found.text, day=shown)
    return _after(found, said)


@bp.post("/follow-ups/<int:follow_up_id>/trash")
@requires(WRITE)
def follow_up_trash(follow_up_id: int) -> Any:
    """Put it into the trash, with a way back."""
    found = get_visible(me(), FollowUp, follow_up_id)
    services.trash_follow_up(found)
    return _after(found, _("Moved to trash."))


@bp.post("/follow-ups/<int:follow_up_id>/restore")
@requires(WRITE)
def follow_up_restore(follow_up_id: int) -> Any:
    """Take it out of the trash."""
    found = get_visible(me(), FollowUp, follow_up_id, trashed=True)
    services.trash_follow_up(found, back=True)
    return _after(found, _("Put back."))


def _after(follow_up: FollowUp, said: str) -> Any:
    """Stay on the page the act was on: in place, or drawn anew."""
    if request.headers.get("HX-Request"):
        return undo_in_place(follow_up, said)
    offer_undo(follow_up, said)
    came_from = urlsplit(request.referrer or "")
    own = _page_of(follow_up)
    if came_from.netloc == request.host and came_from.path == own:
        gone = follow_up.trashed_at is not None
        return redirect(url_for("interactions.follow_up_index") if gone else own, 303)
    contact = url_for("contacts.show", contact_id=follow_up.contact_id)
    stays = (contact, url_for("interactions.follow_up_index"))
    on_page = came_from.netloc == request.host and came_from.path in stays
    return redirect(came_from.path if on_page else url_for("core.home"), 303)

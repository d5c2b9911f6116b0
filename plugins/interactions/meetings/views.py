"""Inviting people to a meeting, changing that, and calling it off."""

from dataclasses import replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.errors import Conflict, CRMError, Forbidden, Invalid, NotFound
from core.i18n import _, locale_code
from core.interactions.models import Interaction
from core.interactions.permissions import SHARE, WRITE
from core.interactions.rules import may_change
from core.mail.setup import mail_setup
from core.mail.words import house_name
from core.pages import flash_undo, interaction_kinds, on_refusal
from core.permissions import can, me, requires
from core.problems import flatten
from core.visibility import get_visible
from plugins.interactions.meetings import guests, services
from plugins.interactions.meetings.mails import (
    can_be_taken_back,
    hold_seconds,
    written_to,
)
from plugins.interactions.meetings.models import Meeting
from plugins.interactions.meetings.panel import facts_of
from plugins.interactions.meetings.schemas import InviteForm, sent_form
from plugins.interactions.meetings.wishes import Guest, Wish, wished
from plugins.interactions.views import bp as bp

# Lengths the page offers, in minutes.
LENGTHS = (15, 30, 45, 60, 90, 120, 180, 240, 480)


class GuestsUnseen(Invalid):
    """Somebody would get a mail whom its sender was not shown."""

    def __init__(self, found: tuple[Guest, ...]):
        """Keep who would get it."""
        said = _("Look at who will get it, then send it.")
        super().__init__(said, errors={"guests": [str(said)]})
        self.guests = found


def _changeable(interaction_id: int) -> Interaction:
    entry = get_visible(me(), Interaction, interaction_id)
    if not may_change(me(), entry):
        raise Forbidden(_("Only its author may change this entry."))
    return entry


@bp.get("/interactions/<int:interaction_id>/invite")
@requires(WRITE)
def invite(interaction_id: int) -> Any:
    """Show the form of an invitation."""
    return _draw(interaction_id=interaction_id)


def _draw(error: CRMError | None = None, *, interaction_id: int) -> Any:
    entry = _changeable(interaction_id)
    meeting = services.meeting_of(entry)
    if meeting is None and entry.kind not in services.KINDS:
        raise NotFound
    values = _values(meeting, entry)
    if request.method == "POST":
        lists = ("users", "contacts")
        values |= {one: request.form.getlist(one, type=int) for one in lists}
        plain = ("title", "place", "minutes", "text", "others")
        values |= {one: request.form.get(one, "") for one in plain}
    asked = error.guests if isinstance(error, GuestsUnseen) else ()
    errors = flatten(error.errors) if error and not asked else {}
    if error and not error.errors:
        errors = {"form": [str(error.message)]}
    return render_template(
        "interactions/invite.html",
        entry=entry,
        meeting=meeting,
        kind=interaction_kinds().get(entry.kind),
        values=values,
        errors=errors,
        lengths=_lengths(values["minutes"]),
        colleagues=guests.colleagues_to_invite(me()),
        people=_people(meeting, entry),
        may_share=can(SHARE),
        asked=guests.shown_to(me(), asked, meeting),
        seen=guests.digest_of(asked) if asked else "",
        conflict=isinstance(error, Conflict),
        lacking=mail_setup().lacks_for_links(),
    )


def _values(meeting: Meeting | None, entry: Interaction) -> dict[str, Any]:
    if meeting is not None:
        names = ("title", "place", "minutes", "text")
        own = {one: getattr(meeting, one) for one in names}
        return own | guests.as_typed(meeting)
    kind = interaction_kinds().get(entry.kind)
    title = f"{kind.title if kind else _('Meeting')} · {house_name()}"
    return {
        "title": title,
        "place": "",
        "minutes": 60,
        "text": "",
        "users": [],
        "contacts": [],
        "others": "",
    }


def _people(meeting: Meeting | None, entry: Interaction) -> list[tuple[int, str, str]]:
    """Offer whom the entry concerns, and who is invited already."""
    found = guests.people_to_invite(me(), entry) if can(SHARE) else []
    offered = {one.id: (one.id, one.name, one.emails[0]["address"]) for one in found}
    hidden = guests.hidden_guests(me(), meeting) if meeting else set()
    for one in meeting.expected if meeting else []:
        if not one.contact_id or one.contact_id in offered:
            continue
        known = one.id not in hidden
        name = one.shown_name if known else str(_("A guest"))
        offered[one.contact_id] = (
            one.contact_id,
            name,
            one.address if known else "",
        )
    return list(offered.values())


def _lengths(chosen: Any) -> list[tuple[int, str]]:
    own = int(chosen) if str(chosen).isdigit() else 60
    return [(one, _length(one)) for one in sorted({*LENGTHS, own})]


def _length(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not rest:
        return str(_("%(num)s h", num=hours))
    if not hours:
        return str(_("%(num)s min", num=rest))
    return str(_("%(hours)s h %(num)s min", hours=hours, num=rest))


@bp.post("/interactions/<int:interaction_id>/invite")
@requires(WRITE)
@on_refusal(_draw)
def send_invitation(interaction_id: int) -> Any:
    """Send an invitation, or what has changed of it, to those who were listed."""
    entry = _changeable(interaction_id)
    form = InviteForm().load(sent_form(request.form))
    meeting = services.meeting_of(entry)
    if meeting is not None and form["version"] != meeting.version:
        raise Conflict(_("Somebody saved this meanwhile. Yours is kept below."))
    if meeting is None and entry.kind not in services.KINDS:
        raise NotFound
    found = guests.chosen_guests(
        me(),
        users=form["users"],
        contacts=form["contacts"],
        others=guests.read_addresses(form["others"]),
        kept=meeting,
    )
    wish = wished(
        title=form["title"],
        place=form["place"],
        minutes=form["minutes"],
        text=form["text"],
        zone=meeting.zone if meeting else me().timezone,
        guests=found,
    )
    services.check_wish(entry, wish, meeting, me())
    told = _told(meeting, entry, wish)
    if told and form["seen"] != guests.digest_of(told):
        raise GuestsUnseen(told)
    return _sent(entry, services.invite(entry, wish, actor=me()))


def _told(meeting: Meeting | None, entry: Interaction, wish: Wish) -> tuple[Guest, ...]:
    """Give everybody who would get a mail, with what is to be seen first."""
    asked, gone = written_to(meeting, entry, wish)
    leaving = (str(_("is told not to come")),)
    return (*asked, *(replace(guests.as_guest(one), marks=leaving) for one in gone))


def _sent(entry: Interaction, meeting: Meeting) -> Any:
    """Lead back to the entry, with the way to take it back while there is one."""
    if hold_seconds() and can_be_taken_back(meeting):
        said = _("The mails go out in %(num)d seconds.", num=hold_seconds())
        address = url_for(
            "interactions.take_back_invitation",
            interaction_id=entry.id,
            number=meeting.version,
        )
        flash_undo(said, address)
    else:
        flash(_("Saved."), "ok")
    return _to(entry)


def _to(entry: Interaction) -> Any:
    here = url_for("interactions.show", interaction_id=entry.id, _anchor="meeting")
    return redirect(here, 303)


@bp.get("/interactions/<int:interaction_id>/call-off")
@requires(WRITE)
def ask_to_call_off(interaction_id: int) -> Any:
    """Say who will be told before a meeting is called off."""
    entry = _changeable(interaction_id)
    meeting = services.meeting_of(entry)
    if meeting is None:
        raise NotFound
    facts = facts_of(meeting, entry, me(), locale_code())
    return render_template("interactions/call_off.html", entry=entry, facts=facts)


@bp.post("/interactions/<int:interaction_id>/call-off")
@requires(WRITE)
def call_off(interaction_id: int) -> Any:
    """Call a meeting off and tell its guests."""
    entry = _changeable(interaction_id)
    if services.meeting_of(entry) is None:
        raise NotFound
    return _sent(entry, services.call_off(entry, actor=me()))


@bp.post("/interactions/<int:interaction_id>/meeting/undo/<int:number>")
@requires(WRITE)
def take_back_invitation(interaction_id: int, number: int) -> Any:
    """Take back the last act on an invitation; `number` is the version it made."""
    entry = _changeable(interaction_id)
    if services.meeting_of(entry) is None:
        raise NotFound
    services.take_back(entry, number, actor=me())
    flash(_("Taken back. Nobody was written to."), "ok")
    return _to(entry)

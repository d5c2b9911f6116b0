"""The pages of contacts: the list, and the page that hosts everybody's panels."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, request
from markupsafe import Markup

from core.contacts import lists, permissions, rail, saved
from core.contacts.cleaning import ROLES
from core.contacts.erasing.services import erasure_of
from core.contacts.finding import as_typed
from core.contacts.history import changes, last_author
from core.contacts.merging.services import became
from core.contacts.models import Contact, SavedView
from core.errors import NotFound
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.links import url_for
from core.pages import Column, Failure, Panel
from core.parts import actions_on, draw, drawn_panels, find_panel
from core.permissions import can, me, requires
from core.plugin_manager import contained, contributions, plugin_of
from core.schemas import encode_cursor, keyset_page
from core.users.desk import desk_of

bp = Blueprint("contacts", __name__)

PAGE = 50
ROLE_TITLES = {
    "customer": _l("Customer"),
    "vendor": _l("Vendor"),
    "prospect": _l("Prospect"),
}
VIEWS = {"": _l("All"), "mine": _l("Mine"), "quiet": _l("Quiet"), "trash": _l("Trash")}


@bp.app_context_processor
def _for_every_page() -> dict[str, Any]:
    """Give the shell what one can add, and the palette its way out for a stranger."""
    if not can(permissions.WRITE):
        return {"at_hand": _at_hand, "as_typed": as_typed}
    person = url_for("contacts.new", kind="person")
    organisation = url_for("contacts.new", kind="organisation")
    return {
        "at_hand": _at_hand,
        "as_typed": as_typed,
        "new_person_url": person,
        "new_items": [
            {"title": _("New person"), "url": person, "icon": "person-plus"},
            {
                "title": _("New organisation"),
                "url": organisation,
                "icon": "building-add",
            },
        ],
    }


def _at_hand() -> dict[str, Any]:
    """Give the rail its pinned and recent contacts; a failing page has none."""
    with contained("core.contacts", "contacts at hand"):
        return rail.at_hand(me())
    return {}


# -- The list ----------------------------------------------------------------------


@bp.get("/contacts")
@requires(permissions.READ)
def index() -> Any:
    """List the contacts one may see, by name, with filters and pages."""
    wanted = _wanted()
    count = lists.count_found(me(), wanted)
    common = count > lists.MOST_COUNTED
    query = lists.contact_list(me(), wanted, common=common)
    contacts, older, newer = _page_of(query, by_index=common and bool(wanted.q))
    owners, kept = lists.colleagues(), saved.views_of(me())
    here = _kept_view(kept)
    organisation = None
    if wanted.organisation is not None:
        organisation = lists.load_contact(me(), wanted.organisation)
    return render_template(
        "core/contacts/index.html",
        contacts=contacts,
        firms=lists.firms_of(contacts, me()),
        columns=_columns(),
        cell=_cell,
        wanted=wanted,
        view=_view(),
        tabs_shown=_tabs(kept, here),
        kept_view=here,
        in_vain=here is not None and saved.asks_in_vain(here, dict(owners)),
        count=count,
        most=lists.MOST_COUNTED,
        organisation=organisation,
        owners=owners,
        # In the reader's words, once for all rows.
        role_titles={role: str(title) for role, title in ROLE_TITLES.items()},
        next_url=_here(after=older) if older else "",
        prev_url=_here(before=newer) if newer else "",
    )


def _view() -> str:
    view = request.args.get("view", "")
    return view if view in VIEWS else ""


def _wanted() -> lists.Wanted:
    view, args = _view(), request.args
    role = args.get("role", "")
    return lists.Wanted(
        q=args.get("q", "")[:100].replace("\x00", ""),
        role=role if role in ROLES else "",
        owner="me" if view == "mine" else args.get("owner", "")[:9],
        tag=args.get("tag", "")[:60].replace("\x00", ""),
        organisation=args.get("organisation", type=int),
        view=view if view in {"quiet", "trash"} else "",
    )


def _page_of(
    query: sa.Select[Contact], *, by_index: bool
) -> tuple[Sequence[Contact], str | None, str | None]:
    """Read the page the address asks for; give it, and where its neighbours begin."""
    order = [Contact.sort_name, Contact.id]
    rows = lists.any_contacts().options(*lists.SHORT) if by_index else None
    query = query.options(*lists.SHORT)
    before, after = request.args.get("before"), request.args.get("after")
    if before:
        page = keyset_page(
            query, order, cursor=before, limit=PAGE, descending=True, rows=rows
        )
        found = list(reversed(page.items))
        return found, _key(found[-1:]), page.next
    page = keyset_page(query, order, cursor=after, limit=PAGE, rows=rows)
    return page.items, page.next, _key(page.items[:1]) if after else None


def _key(edge: Sequence[Contact]) -> str | None:
    return encode_cursor([edge[0].sort_name, edge[0].id]) if edge else None


def _here(**changes: str) -> str:
    """Give the address of this list with other arguments; pages start anew."""
    kept: dict[str, Any] = {
        k: v for k, v in request.args.items() if k not in {"before", "after"}
    }
    return url_for("contacts.index", **{**kept, **changes})


def _kept_view(kept: Sequence[SavedView]) -> SavedView | None:
    """Give the view of one's own that is shown: by its number and its filters."""
    number, asked = request.args.get("saved", type=int), saved.asked_in(request.args)
    return next((one for one in kept if one.id == number and one.asked == asked), None)


def _tabs(
    kept: Sequence[SavedView], here: SavedView | None
) -> list[tuple[object, str, bool, None]]:
    view = _view() if here is None else None
    built_in = [
        (title, url_for("contacts.index", view=one or None), one == view, None)
        for one, title in VIEWS.items()
    ]
    own = [
        (
            one.name or _("View"),
            url_for("contacts.index", saved=one.id, **one.asked),
            one is here,
            None,
        )
        for one in kept
    ]
    asked = saved.asked_in(request.args) if here is None else {}
    new = (_("+ view"), url_for("contacts.new_view", **asked), False, None)
    # However many one keeps, the way to another one is at hand.
    return [*built_in, new, *own]


def _columns() -> list[Column]:
    found = contributions("contact_columns")
    columns = [one for one in found if isinstance(one, Column)]
    return sorted(columns, key=lambda one: one.weight)


def _cell(column: Column, contact: Contact) -> object:
    """Give what a plugin's column says of a contact, or that it failed."""
    value: object = _("Not available")
    with contained(plugin_of(column), f"contact_columns {column.name}"):
        value = column.value(contact)
    return value


# -- One contact -------------------------------------------------------------------


@bp.get("/contacts/<int:contact_id>")
@requires(permissions.READ)
def show(contact_id: int) -> Any:
    """Show who it is, what was promised and what is next, with everybody's panels."""
    contact, merged_from = lists.load_with_merged(me(), contact_id)
    if contact.merged_into_id is not None:
        now_in = became(contact, me())
        if now_in is not None:
            return redirect(_url("show", now_in))
    rail.remember(contact, me())
    panels, failed = drawn_panels(contact, me())
    actions = actions_on(contact, me(), failed)
    shown = [one for one in panels if not one.part.empty]
    return render_template(
        "core/contacts/show.html",
        contact=contact,
        merged_from=merged_from,
        places={
            place: [one for one in shown if place_of(one.part) == place]
            for place in ("strip", "first", "facts", "main", "side")
        },
        empty=[one for one in panels if one.part.empty],
        failed=failed,
        actions=actions,
        pinned=contact.id in desk_of(me()).pinned,
        erasure=erasure_of(contact),
        trashed_by="" if not _in_trash(contact) else last_author(contact, me()),
        role_titles=ROLE_TITLES,
    )


def _in_trash(contact: Contact) -> bool:
    return contact.trashed_at is not None and contact.erased_at is None


def place_of(panel: Panel) -> str:
    """Say where on the page a panel stands: core's own facts stand by themselves."""
    if panel.place != "side":
        return panel.place
    own = {"contacts.know": "first", "contacts.details": "facts"}
    return own.get(panel.name, "facts" if panel.name == "contacts.people" else "side")


@bp.get("/contacts/<int:contact_id>/panels/<name>")
@requires(permissions.READ)
def panel(contact_id: int, name: str) -> Any:
    """Draw one panel again; only the plugin that made it is asked."""
    contact = lists.load_contact(me(), contact_id, trashed=True)
    found = find_panel(contact, me(), name)
    if found is None:
        raise NotFound
    html: Markup | None = None
    if isinstance(found, Panel):
        html = Markup("") if found.empty else draw(found, record=contact)
    if isinstance(found, Failure) or html is None:
        return render_template("core/failure.html", title=found.title)
    return render_template(
        "core/contacts/panel.html", contact=contact, panel=found, html=html
    )


@bp.get("/contacts/<int:contact_id>/changes")
@requires(permissions.READ)
def history(contact_id: int) -> Any:
    """Show who changed what, the latest first."""
    contact = lists.load_contact(me(), contact_id, trashed=True)
    before = request.args.get("before", type=int)
    found, older = changes(contact, me(), before=before, merged=True)
    return render_template(
        "core/contacts/history.html",
        contact=contact,
        changed=found,
        next_url=_url("history", contact, before=older) if older else "",
    )


def _url(view: str, contact: Contact, **more: Any) -> str:
    return url_for(f"contacts.{view}", contact_id=contact.id, **more)

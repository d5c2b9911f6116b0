"""/api/v1/interactions, and the timeline of a contact."""

from typing import Any

from flask import Response, url_for

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.contacts.permissions import READ as READ_CONTACTS
from core.db import db
from core.errors import Forbidden, Invalid, NotFound
from core.i18n import _
from core.interactions import schemas, services, timeline
from core.interactions.mentions import check_mentions, check_mentions_anew
from core.interactions.models import Interaction
from core.interactions.permissions import READ, SHARE, WRITE
from core.permissions import can, me, requires
from core.readers import choose_audience
from core.schemas import ApiBlueprint, Page, check_version, etag_of, next_link
from core.visibility import get_visible, visible_to

bp = ApiBlueprint(
    "interaction_api", __name__, description="Notes, calls, meetings, messages"
)

# What a customer writes to the house, unless a program says otherwise.
FROM_OUTSIDE = "message"


def _answer(page: Page[Interaction]) -> Any:
    items = schemas.as_items(page.items, me())
    return {"items": items, "next": page.next}, 200, next_link(page)


def _one(entry: Interaction, status: int = 200) -> Any:
    headers = etag_of(entry)
    if status == 201:
        headers["Location"] = url_for("interaction_api.show", interaction_id=entry.id)
    return schemas.as_items([entry], me())[0], status, headers


@bp.route("/contacts/<int:contact_id>/timeline", methods=["GET"])
@requires(READ, portal=True)
@bp.arguments(schemas.TimelineArguments, location="query")
@bp.response(200, schemas.InteractionPage)
def show_timeline(arguments: dict[str, Any], contact_id: int) -> Any:
    """Read the story of a contact, the latest first, replies among the rest."""
    if not can(READ_CONTACTS):
        raise Forbidden
    contact = get_visible(me(), Contact, contact_id)
    _refuse_outside(arguments)
    return _answer(timeline.timeline(me(), contact, **arguments))


@bp.route("/interactions", methods=["GET"])
@requires(READ, portal=True)
@bp.arguments(schemas.ListArguments, location="query")
@bp.response(200, schemas.InteractionPage)
def index(arguments: dict[str, Any]) -> Any:
    """Read everything one may read, the latest first."""
    contact_id = arguments.pop("contact")
    if contact_id is not None:
        arguments["contact"] = get_visible(me(), Contact, contact_id)
    _refuse_outside(arguments)
    return _answer(timeline.latest(me(), **arguments))


@bp.route("/interactions", methods=["POST"])
@requires(WRITE, portal=True)
@bp.arguments(schemas.NewInteraction)
@bp.response(201, schemas.InteractionSchema)
def create(new: dict[str, Any]) -> Any:
    """Write an entry; what a customer writes is shared with their own organisation."""
    user = me()
    parent = _parent(new.pop("parent", None))
    contacts = _contacts(new.pop("contacts"))
    if user.kind != "staff":
        new = {"kind": FROM_OUTSIDE} | new
        new["source"], new["details"] = "", {}
        new["direction"] = "in"
    elif not contacts and parent is None:
        raise Invalid(errors={"contacts": [_("Say whom this is about.")]})
    spec = _audience(new, contacts[0] if contacts else None)
    readers = parent.audience.spec if parent else spec or choose_audience(user, None)
    check_mentions(new["body"], readers, user, may_add=parent is None)
    entry = services.write_interaction(
        contacts, author=user, parent=parent, audience=spec, **new
    )
    return _one(entry, 201)


@bp.route("/interactions/<int:interaction_id>", methods=["GET"])
@requires(READ, portal=True)
@bp.response(200, schemas.InteractionSchema)
def show(interaction_id: int) -> Any:
    """Read one entry."""
    return _one(get_visible(me(), Interaction, interaction_id))


@bp.route("/interactions/<int:interaction_id>", methods=["PATCH"])
@requires(WRITE)
@bp.arguments(schemas.InteractionChange)
@bp.response(200, schemas.InteractionSchema)
def change(changes: dict[str, Any], interaction_id: int) -> Any:
    """Change an entry; opening it to people outside needs `interactions:share`."""
    entry = get_visible(me(), Interaction, interaction_id)
    check_version(entry)
    spec = _audience(changes, entry.contact)
    if "contacts" in changes:
        changes["contacts"] = _contacts(changes["contacts"])
    check_mentions_anew(entry, changes.get("body"), spec, me())
    return _one(
        services.change_interaction(entry, actor=me(), audience=spec, **changes)
    )


@bp.route("/interactions/<int:interaction_id>", methods=["DELETE"])
@requires(WRITE)
@bp.response(204)
def delete(interaction_id: int) -> Any:
    """Put an entry into the trash."""
    entry = get_visible(me(), Interaction, interaction_id)
    check_version(entry)
    services.trash_interaction(entry, actor=me())
    return Response(status=204)


def _refuse_outside(arguments: dict[str, Any]) -> None:
    """Keep who is in which team from people outside, who could find out by asking."""
    if me().kind == "staff":
        return
    asked = [name for name in ("team", "author", "plugin") if arguments[name]]
    if asked:
        said = _("Only colleagues can ask for this.")
        raise Invalid(errors={name: [said] for name in asked})


def _audience(sent: dict[str, Any], contact: Contact | None) -> AudienceSpec | None:
    """Take the readers out of what was sent; None when it does not name any."""
    named: dict[str, Any] = {
        name: sent.pop(name)
        for name in ("teams", "users", "shared_with")
        if name in sent
    }
    kind = sent.pop("audience", None)
    if kind is None:
        if any(named.values()):
            said = _("Say which audience these readers are: private, teams or shared.")
            raise Invalid(errors={"audience": [said]})
        return None
    if kind == "shared" and me().kind == "staff" and not can(SHARE):
        raise Forbidden
    if kind == "teams" and "users" in named:
        named["also"] = named.pop("users")
    return choose_audience(me(), kind, contact=contact, **named)


def _contacts(ids: list[int]) -> list[Contact]:
    if not ids:
        return []
    query = visible_to(me(), Contact).where(Contact.id.in_(ids))
    found = {one.id: one for one in db.session.scalars(query)}
    missing = [str(one) for one in ids if one not in found]
    if missing:
        said = _("There is no contact %(ids)s.", ids=", ".join(missing))
        raise Invalid(errors={"contacts": [said]})
    return [found[one] for one in ids]


def _parent(interaction_id: int | None) -> Interaction | None:
    if interaction_id is None:
        return None
    try:
        return get_visible(me(), Interaction, interaction_id)
    except NotFound as error:
        said = _("There is no entry %(id)s.", id=interaction_id)
        raise Invalid(errors={"parent": [said]}) from error

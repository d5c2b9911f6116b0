"""What the composer asks for while somebody writes: people, names, tags, a preview."""

from typing import Any

import sqlalchemy as sa
from flask import render_template, request

from core.contacts.lists import Wanted, contact_list
from core.contacts.models import Contact
from core.contacts.permissions import READ as READ_CONTACTS
from core.db import db
from core.errors import Forbidden
from core.interactions.addresses import tags_address
from core.interactions.mentions import find_mentions
from core.interactions.permissions import WRITE
from core.interactions.schemas import MOST_TEXT
from core.interactions.timeline import tags_beginning
from core.marks import Marks
from core.markup import to_html
from core.permissions import can, me, requires
from core.users.models import Team, User
from plugins.interactions.changing import bp as bp
from plugins.interactions.participants import MOST, names_of

OFFERED = 8


def asked() -> str:
    """Give what somebody has typed so far."""
    return request.args.get("q", "").strip()[:80].replace("\x00", "")


@bp.get("/interactions/suggest")
@requires(WRITE)
def suggest() -> Any:
    """Offer what `@` or `#` may begin: colleagues and teams, or tags in use."""
    q = asked()
    if request.args.get("mark") == "#":
        # All tags there are would be counted at each key.
        if not q:
            return {"items": []}
        return {"items": [{"name": one, "why": ""} for one in tags_beginning(me(), q)]}
    return {"items": _colleagues(q)}


def _colleagues(q: str) -> list[dict[str, Any]]:
    """Give teams and colleagues of whose name a word begins like this."""
    anywhere = sa.or_(
        User.name.istartswith(q, autoescape=True),
        User.name.icontains(f" {q}", autoescape=True),
    )
    if any("\u4e00" <= sign <= "\u9fff" for sign in q):
        anywhere = User.name.icontains(q, autoescape=True)
    people = sa.select(User.name).where(anywhere)
    people = people.where(User.kind == "staff", User.active, User.id != me().id)
    teams = sa.select(Team.name).where(Team.name.istartswith(q, autoescape=True))
    query = sa.union_all(
        teams.add_columns(sa.literal(1).label("team")),
        people.add_columns(sa.literal(0)),
    )
    rows = db.session.execute(
        sa.select(query.subquery()).order_by(sa.text("team DESC, name")).limit(OFFERED)
    )
    return [{"name": row.name, "team": bool(row.team), "why": ""} for row in rows]


@bp.get("/interactions/people")
@requires(WRITE)
def people() -> Any:
    """Offer contacts that an entry may be about as well, or name the `chosen` ones."""
    if not can(READ_CONTACTS):
        raise Forbidden
    if chosen := request.args.getlist("chosen", type=int):
        named = names_of([one for one in chosen if 0 < one < 2**31][:MOST], me())
        return {"items": [{"id": id_, "name": name} for id_, name in named]}
    q = asked()
    if not q:
        return {"items": []}
    query = contact_list(me(), Wanted(q=q)).order_by(Contact.sort_name, Contact.id)
    found = db.session.scalars(query.limit(OFFERED))
    return {"items": [{"id": one.id, "name": one.name} for one in found]}


@bp.post("/interactions/preview")
@requires(WRITE)
def preview() -> Any:
    """Show what was written as it will stand in the timeline; nothing is kept."""
    body = request.form.get("body", "")[:MOST_TEXT].replace("\x00", "")
    called = tuple(
        (one.name, one.name, (one.of, one.id) == ("user", me().id))
        for one in find_mentions(body)
    )
    html = to_html(body, Marks(called, tags_address()))
    return render_template("interactions/preview.html", html=html)

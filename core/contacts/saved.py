"""Filters of the contact list that somebody keeps under a name, for themselves."""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from core.contacts.cleaning import ROLES, Refused, text_of
from core.contacts.models import SavedView
from core.db import db
from core.errors import Invalid, NotFound
from core.i18n import _
from core.users.models import User

# What a view can ask for: filters of the list, and the built-in view it begins with.
FIELDS = ("view", "q", "role", "owner", "tag")
BEGINNINGS = ("mine", "quiet")
MOST, LONGEST = 20, 60


def asked_in(values: Mapping[str, str]) -> dict[str, str]:
    """Take from an address or a form what a view asks for; empty filters are left out.

    What is no filter of the list is left out too.
    """
    view, role = values.get("view", ""), values.get("role", "")
    found = {
        "view": view if view in BEGINNINGS else "",
        "q": values.get("q", "").replace("\x00", "").strip()[:100],
        "role": role if role in ROLES else "",
        "owner": "" if view == "mine" else values.get("owner", "")[:9],
        "tag": values.get("tag", "").replace("\x00", "").strip()[:60],
    }
    return {name: found[name] for name in FIELDS if found[name]}


def read_form(values: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Read the form of a view: its name, and what it asks for.

    Raises `Invalid` for what is too long or no text, with the field's name.
    """
    read: dict[str, str] = {}
    errors: dict[str, list[str]] = {}
    for name, most in (("name", LONGEST), ("q", 100), ("tag", 60)):
        try:
            read[name] = text_of(values.get(name), most)
        except Refused as refused:
            errors[name] = [str(refused)]
    if errors:
        raise Invalid(errors=errors)
    chosen = {one: values.get(one, "") for one in FIELDS}
    return read["name"], asked_in(chosen | read)


def views_of(user: User) -> Sequence[SavedView]:
    """Give the views that `user` keeps, the oldest first, in one statement."""
    query = sa.select(SavedView).where(SavedView.user_id == user.id)
    return db.session.scalars(query.order_by(SavedView.id)).all()


def own_view(user: User, view_id: int) -> SavedView:
    """Give one of the views of `user`; raises `NotFound` for anybody else's."""
    found = db.session.get(SavedView, view_id) if 0 < view_id < 2**31 else None
    if found is None or found.user_id != user.id:
        raise NotFound
    return found


def keep_view(
    user: User, name: str, asked: dict[str, str], view: SavedView | None = None
) -> SavedView:
    """Keep a filter under a name, a new one or in place of what `view` was.

    Raises `Invalid` without a name, with one that another has, for a filter that asks
    for nothing, and for more than `MOST`.
    """
    others = [one for one in views_of(user) if one is not view]
    errors: dict[str, list[str]] = {}
    if not name:
        errors["name"] = [_("Give it a name.")]
    elif name.casefold() in {one.name.casefold() for one in others}:
        errors["name"] = [_("Another view of yours is called so.")]
    if not asked:
        errors["q"] = [_("Choose at least one filter.")]
    if errors:
        raise Invalid(errors=errors)
    if view is None and len(others) >= MOST:
        raise Invalid(_("You keep %(most)d views. Remove one first.", most=MOST))
    kept = view or SavedView(user_id=user.id)
    kept.name, kept.asked = name, asked
    db.session.add(kept)
    db.session.flush()
    return kept


def asks_in_vain(view: SavedView, owners: Collection[int]) -> bool:
    """Say whether a view asks for the contacts of somebody who has none any more."""
    owner = view.asked.get("owner", "")
    return owner.isdecimal() and int(owner) not in owners

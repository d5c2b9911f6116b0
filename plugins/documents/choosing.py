"""Who reads a document, out of what a form or a program sent."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.errors import Forbidden, Invalid, NotFound
from core.i18n import _
from core.permissions import can, me
from core.readers import choose_audience
from core.users.models import Team
from plugins.documents.permissions import SHARE


def chosen_audience(
    sent: Mapping[str, Any], contact: Contact | None
) -> AudienceSpec | None:
    """Give the audience that was asked for, None when none was.

    Raises `Invalid` for readers that are not known to who asks, and `Forbidden` when
    they may not show documents outside.
    """
    names = ("teams", "users", "shared_with")
    lists = {name: sent[name] for name in names if sent.get(name)}
    kind = sent.get("audience")
    if kind is None:
        if lists:
            said = _("Say which audience these readers are: private, teams or shared.")
            raise Invalid(errors={"audience": [said]})
        return None
    if kind == "shared" and not can(SHARE):
        raise Forbidden(_("Your role may not show documents to customers or vendors."))
    try:
        return choose_audience(me(), kind, contact=contact, **lists)
    except NotFound as error:
        said = _("There is no such contact.")
        raise Invalid(errors={"shared_with": [said]}) from error


def team_names() -> list[str]:
    """Name all teams."""
    return list(db.session.scalars(sa.select(Team.name).order_by(Team.name)))


def spec_as_typed(spec: AudienceSpec) -> dict[str, Any]:
    """Give an audience as a form would send it: teams by name, the others by id."""
    names: list[str] = []
    if spec.teams:
        query = sa.select(Team.name).where(Team.id.in_(spec.teams))
        names = list(db.session.scalars(query.order_by(Team.name)))
    return {
        "audience": spec.kind,
        "teams": names,
        "users": sorted(spec.users),
        "shared_with": sorted(spec.shared_with),
    }


def outside_word(contact: Contact | None) -> str:
    """Say as whom the people of `contact` would read it."""
    roles = contact.roles if contact else []
    if "vendor" in roles and "customer" not in roles:
        return _("Vendor sees this")
    return _("Customer sees this")

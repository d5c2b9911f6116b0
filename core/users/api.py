"""/api/v1/me: who a token acts as."""

from typing import Any

from core.contacts.models import Contact
from core.db import db
from core.permissions import can, me, signed_in
from core.schemas import ApiBlueprint
from core.users.schemas import MeSchema

bp = ApiBlueprint("users_api", __name__, description="The account a token acts as")


@bp.route("/me", methods=["GET"])
@signed_in
@bp.response(200, MeSchema)
def show_me() -> Any:
    """Say who is signed in; a portal user's organisation is named."""
    user = me()
    house = db.session.get(Contact, user.contact_id) if user.contact_id else None
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "kind": user.kind,
        "roles": [one.name for one in user.roles],
        "teams": [one.name for one in user.teams],
        "permissions": sorted(one for one in user.permissions if can(one)),
        "language": user.language,
        "timezone": user.timezone,
        "organisation": {"id": house.id, "name": house.name} if house else None,
    }

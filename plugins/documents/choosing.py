"""Who reads a document, out of what a form or a program sent."""

from collections.abc import Mapping
from typing import Any

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.errors import Forbidden, Invalid, NotFound
from core.i18n import _
from core.permissions import can, me
from core.readers import choose_audience
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

"""How a hand-over is titled and linked."""

from core.contacts.permissions import READ
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.links import url_for
from core.records import RecordType
from core.users.models import User
from plugins.interactions.hand_overs.models import HandOver


def address(made: HandOver, user: User) -> str | None:
    """Give its page, which only colleagues have."""
    if user.kind != "staff":
        return None
    return url_for("interactions.hand_over_show", hand_over_id=made.id)


RECORD = RecordType(
    HandOver,
    _l("Hand-over"),
    "arrow-left-right",
    READ,
    label=lambda made: _("Hand-over: %(name)s", name=made.contact.name),
    url=address,
)

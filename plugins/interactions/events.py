"""What is announced about entries beyond what core announces of every record."""

from core.events import EventType
from core.i18n import lazy_gettext as _l

REACTED = EventType("interactions.reacted", _l("Somebody reacted"))
ACKNOWLEDGED = EventType(
    "interactions.hand_over.acknowledged", _l("Something handed over was looked at")
)
ALL = [REACTED, ACKNOWLEDGED]

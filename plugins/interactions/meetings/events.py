"""What is announced about meetings, and what their organiser is told of.

Whoever may read the entry may learn of these facts, so they name nobody.
"""

from core.events import EventType
from core.i18n import lazy_gettext as _l
from core.pages import NotificationKind

INVITED = EventType("interactions.invited", _l("Guests were invited"))
CALLED_OFF = EventType("interactions.called_off", _l("Meeting was called off"))
ANSWERED = EventType("interactions.answered", _l("A guest answered"))
TYPES = [INVITED, CALLED_OFF, ANSWERED]

TOLD = NotificationKind(
    "interactions.answered", _l("Answers to your invitations"), "calendar-event"
)
KINDS = [TOLD]

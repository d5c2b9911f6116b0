"""Who sends what was queued."""

from core.events import Subscriber
from core.mail.sending import PATIENCE, send_queued
from core.mail.services import QUEUED

ALL = [
    Subscriber(
        "mail",
        (QUEUED,),
        send_queued,
        # A mail gives itself up first, with words; this is the wall behind it.
        patience=int(PATIENCE.total_seconds()) + 3600,
    )
]

"""Who sends what was queued, and who tells its author that it did not arrive."""

from core.db import db
from core.events import Event, Subscriber
from core.i18n import lazy_gettext as _l
from core.mail.models import PARKED, OutgoingMail
from core.mail.sending import PATIENCE, send_queued
from core.mail.services import QUEUED, REFUSED
from core.notifications.services import notify
from core.pages import NotificationKind
from core.records import parse_ref
from core.users.models import User

NOT_DELIVERED = NotificationKind(
    "mail.refused",
    _l("A mail of yours was not delivered"),
    "envelope-exclamation",
    ("staff", "customer", "vendor"),
)
KINDS = [NOT_DELIVERED]


def tell_author(event: Event) -> None:
    """Tell who wrote a mail that it was given up; the line leads to "Try again"."""
    subject = parse_ref(event.subject)
    mail = db.session.get(OutgoingMail, subject[1]) if subject else None
    if mail is None or mail.author_id is None or mail.state != PARKED:
        return
    author = db.session.get(User, mail.author_id)
    if author is None:
        return
    notify(
        [author],
        kind=NOT_DELIVERED.name,
        text=_l("Not delivered: %(subject)s", subject=mail.subject),
        # Given up again after another try is news again.
        key=f"{NOT_DELIVERED.name}:{event.id}",
        # The worker has no request, and so no url_for: `core.mail.views.mine`.
        url=f"/mail/{mail.id}",
    )


ALL = [
    Subscriber(
        "mail",
        (QUEUED,),
        send_queued,
        # A mail gives itself up first, with words; this is the wall behind it.
        patience=int(PATIENCE.total_seconds()) + 3600,
    ),
    Subscriber("mail.refused", (REFUSED,), tell_author),
]

"""News by mail: one at once or one a day, of what its reader may read when it is sent.

A mail is only planned here, with the notifications it is to tell of. Its words are
drawn when a worker hands it to the mail server (`draw_news`): what was read, hidden,
trashed or unsubscribed from meanwhile is not in it, and a mail with nothing in it is
not sent.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from werkzeug.urls import iri_to_uri

from core.audiences import Audience, AudienceSpec, intern_audience
from core.contacts.models import Contact
from core.db import Record, db, now
from core.errors import Invalid
from core.events import Event
from core.i18n import _, in_language
from core.interactions.models import Interaction
from core.mail.models import OutgoingMail
from core.mail.services import Recipient, queue_mail
from core.mail.setup import mail_setup
from core.mail.words import Words, from_template, house_name, public_url
from core.markup import excerpt, to_text
from core.moments import show_date
from core.notifications.choosing import (
    NOW,
    SUMMARY,
    USUAL_HOUR,
    kinds_by,
    unsubscribe_token,
)
from core.notifications.models import (
    Notification,
    NotificationChoice,
    NotificationMailed,
    NotificationSummary,
)
from core.notifications.services import muted_kinds, seen_by
from core.readers import describe
from core.records import parse_ref, record_types
from core.users.models import User
from core.visibility import contact_id_of, visible_to

log = logging.getLogger("rapport.notifications")

# What a mail belongs to, before the number of its reader.
AT_ONCE, DAILY = "news", "summary"
# A mail tells of at most so many things, and of none that is older.
MOST = 50
FRESH = timedelta(days=7)
QUOTED = 200


@dataclass(frozen=True)
class NewsLine:
    """One thing in a mail: what happened, its first words, who sees it, where it is."""

    text: str
    quote: str
    readers: str
    url: str
    about: str


# -- Planning a mail ---------------------------------------------------------------


def mail_unread(event: Event) -> None:
    """Mail what somebody wants at once and has not read; running twice is harmless.

    What else of theirs waits for a mail at once goes along, so that a busy minute is
    one mail.
    """
    subject = parse_ref(event.subject)
    row = db.session.get(Notification, subject[1]) if subject else None
    user = db.session.get(User, row.user_id) if row else None
    if row is None or user is None:
        return
    found = _unmailed(user, NOW)
    if any(one.id == row.id for one in found):
        _queue(user, found, AT_ONCE)


def mail_summaries() -> None:
    """Mail everybody whose hour it is what they have not read; nothing if all is."""
    wanting = sa.select(NotificationChoice.user_id).where(
        NotificationChoice.way == SUMMARY
    )
    users = db.session.scalars(sa.select(User).where(User.id.in_(wanting), User.active))
    for user in users.unique().all():
        if not _is_due(user):
            continue
        try:
            with db.session.begin_nested():
                if found := _unmailed(user, SUMMARY):
                    _queue(user, found, DAILY)
        except Invalid as error:
            # One address that is none keeps nobody else from their mail.
            log.warning("no summary for %s: %s", user.ref, error)


def _is_due(user: User) -> bool:
    """Say whether the hour of `user` has come today, and note that it has."""
    local = now().astimezone(ZoneInfo(user.timezone))
    row = db.session.get(NotificationSummary, user.id)
    if row is None:
        row = NotificationSummary(user_id=user.id, hour=USUAL_HOUR)
        db.session.add(row)
    # Not "earlier than today": a clock that was ahead must not silence it for ever.
    if local.hour < row.hour or row.last_on == local.date():
        return False
    row.last_on = local.date()
    return True


def _unmailed(user: User, way: str) -> Sequence[Notification]:
    """Give what is new to `user` in kinds they want this way, and in no mail yet."""
    if not user.active or mail_setup().lacks_for_links():
        return []
    mailed = sa.exists().where(NotificationMailed.notification_id == Notification.id)
    query = _still_news(user, way).where(
        ~mailed, Notification.created_at > now() - FRESH
    )
    return db.session.scalars(query.limit(MOST)).all()


def _still_news(user: User, way: str) -> sa.Select[Notification]:
    wanted = set(kinds_by(user, way)) - muted_kinds(user)
    return (
        seen_by(user)
        .where(Notification.read_at.is_(None), Notification.kind.in_(wanted))
        .order_by(Notification.created_at, Notification.id)
    )


def _queue(user: User, rows: Sequence[Notification], about: str) -> None:
    """Write a mail down without its words, which are drawn when it is sent."""
    kinds = {one.kind for one in rows} if about == AT_ONCE else ()
    token = unsubscribe_token(user, kinds)
    link = iri_to_uri(public_url("unsubscribe.show", token=token))
    with in_language(user.language):
        subject = _("News from %(house)s", house=house_name())
    mail = queue_mail(
        [Recipient(user.email, user.name)],
        words=Words(subject, "", "", user.language),
        headers={
            "Auto-Submitted": "auto-generated",
            "List-Id": f"<{about}.{mail_setup().domain}>",
            "List-Unsubscribe": f"<{link}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        audience=_own(user),
        about=f"{about}/{user.id}",
        hold=0,
    )
    db.session.add_all(
        NotificationMailed(notification_id=one.id, mail_id=mail.id) for one in rows
    )
    db.session.flush()


def _own(user: User) -> Audience:
    return intern_audience(AudienceSpec("private", users=frozenset({user.id})))


# -- Writing it --------------------------------------------------------------------


def is_news(mail: OutgoingMail) -> bool:
    """Say whether a mail is written only when it is sent."""
    subject = parse_ref(mail.about or "")
    return subject is not None and subject[0] in {AT_ONCE, DAILY}


def take_back(mail: OutgoingMail) -> None:
    """Note that a mail told nobody of what is still unread: another one may."""
    unread = sa.select(Notification.id).where(Notification.read_at.is_(None))
    db.session.execute(
        sa.delete(NotificationMailed).where(
            NotificationMailed.mail_id == mail.id,
            NotificationMailed.notification_id.in_(unread),
        )
    )


def draw_news(mail: OutgoingMail) -> Words | None:
    """Write what is in a mail for its reader at this moment; None for nothing."""
    about, user_id = parse_ref(mail.about or "") or ("", 0)
    user = db.session.get(User, user_id)
    if user is None or not user.active or user.email != mail.to[0]["address"]:
        return None
    planned = sa.select(NotificationMailed.notification_id).where(
        NotificationMailed.mail_id == mail.id
    )
    query = _still_news(user, NOW if about == AT_ONCE else SUMMARY)
    rows = db.session.scalars(query.where(Notification.id.in_(planned))).all()
    if not rows:
        return None
    local = now().astimezone(ZoneInfo(user.timezone)).date()
    with in_language(user.language):
        lines = _lines(rows, user)
        day = show_date(local, "long")
    return from_template(
        f"core/mail/{'news' if about == AT_ONCE else 'summary'}.txt",
        language=user.language,
        lines=lines,
        groups=_by_customer(lines),
        day=day,
        settings_url=public_url("users.notification_kinds"),
        stop_url=mail.headers["List-Unsubscribe"].strip("<>"),
    )


def _lines(rows: Sequence[Notification], user: User) -> list[NewsLine]:
    records = _records(rows, user)
    names = _names(records.values(), user)
    audiences = [one.audience for one in records.values() if hasattr(one, "audience")]
    readers = describe(audiences, user)
    lines = []
    for one in rows:
        record = records.get(one.ref)
        audience = getattr(record, "audience", None)
        quote = ""
        if isinstance(record, Interaction):
            quote = excerpt(to_text(record.body), QUOTED)
        contact = contact_id_of(record) if record is not None else None
        lines.append(
            NewsLine(
                one.text,
                quote,
                readers[audience.id].label if audience else "",
                public_url("notifications.open_one", notification_id=one.id),
                names.get(contact or 0, ""),
            )
        )
    return lines


def _records(rows: Sequence[Notification], user: User) -> dict[str, Record]:
    """Load what the notifications are about, as far as `user` may see it."""
    found: dict[str, Record] = {}
    for name in {one.about for one in rows if one.about}:
        model: Any = record_types()[name].model
        ids = [one.about_id for one in rows if one.about == name]
        query = visible_to(user, model).where(model.id.in_(ids))
        found |= {one.ref: one for one in db.session.scalars(query).unique()}
    return found


def _names(records: Any, user: User) -> dict[int, str]:
    """Name the contacts of some records, as far as `user` may see them."""
    ids = {contact_id_of(one) for one in records} - {None}
    query = visible_to(user, Contact).where(Contact.id.in_(ids))
    return {one.id: one.name for one in db.session.scalars(query).unique()}


def _by_customer(lines: Sequence[NewsLine]) -> list[tuple[str, list[NewsLine]]]:
    """Group lines by customer; what is about none comes last."""
    ordered = sorted(lines, key=lambda one: (not one.about, one.about.casefold()))
    return [
        (name, list(some)) for name, some in groupby(ordered, lambda one: one.about)
    ]

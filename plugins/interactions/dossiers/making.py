"""Making a long dossier in the worker, and giving it to whoever asked.

A worker claims it by a token under a lease that reading and printing renew. One that
is killed leaves both behind; the event is delivered again, and the next worker starts
from the beginning. Where that fails time and again, it is given up.
"""

import io
import json
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.audiences import AudienceSpec, intern_audience
from core.behalf import on_behalf_of
from core.contacts.models import Contact
from core.db import db, now
from core.errors import NotFound, TooMany
from core.events import Event, EventType, Subscriber, acting, tell
from core.files import file_store
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.notifications.services import notify
from core.pages import NotificationKind
from core.records import parse_ref
from core.users.models import User
from core.visibility import get_visible
from plugins.interactions.dossiers.models import KeptDossier
from plugins.interactions.dossiers.paper import to_pdf
from plugins.interactions.dossiers.rechecking import mark_of_sight
from plugins.interactions.dossiers.story import Dossier, as_data, dossier_of
from plugins.interactions.schemas import DossierForm
from plugins.interactions.story import wanted_from

ASKED = EventType("interactions.dossier_asked", _l("A dossier was asked for"))
READY = NotificationKind(
    "interactions.dossier", _l("A dossier of yours is ready"), "journal-text"
)
WAITING, MADE, FAILED = "waiting", "ready", "failed"
# Nobody leafs through more.
MOST = 20_000
KEPT = timedelta(days=7)
# Longer than any page of entries takes to read, or any sheet to print.
LEASE = timedelta(minutes=2)
MOST_TRIES = 5
# So many of one person's may wait; each takes a worker a while.
MOST_WAITING = 3


def ask_for(contact: Contact, user: User, form: dict[str, str], ending: str) -> int:
    """Have a worker make a dossier for `user`; give the id under which it waits.

    That is the one which waits already where it is the same. Raises `TooMany` when
    too many of theirs wait.
    """
    # Whoever asks twice at the same moment is answered one after the other.
    one_by_one = sa.select(User.id).where(User.id == user.id).with_for_update()
    db.session.execute(one_by_one)
    query = sa.select(KeptDossier).where(
        KeptDossier.user_id == user.id, KeptDossier.state == WAITING
    )
    waiting = db.session.scalars(query.order_by(KeptDossier.id)).all()
    for one in waiting:
        if (one.contact_id, one.wanted, one.ending) == (contact.id, form, ending):
            return one.id
    if len(waiting) >= MOST_WAITING:
        raise TooMany(
            _("Three dossiers of yours are still being made. Wait until one is ready.")
        )
    made = KeptDossier(
        user_id=user.id, contact_id=contact.id, wanted=form, ending=ending
    )
    db.session.add(made)
    db.session.flush()
    _announce(made)
    return made.id


def _announce(made: KeptDossier, *, due: datetime | None = None) -> None:
    mine = AudienceSpec("private", users=frozenset({made.user_id}))
    audience = intern_audience(mine).id
    # What people do one by one goes first.
    with acting(made.user_id, bulk=True):
        about = f"interactions.dossier/{made.id}"
        tell(ASKED.name, about, audience_id=audience, due=due)


def make(event: Event) -> None:
    """Make what was asked for, unless another worker is at it."""
    parsed = parse_ref(event.subject)
    if parsed is None:
        return
    # Reading and printing take a while, and on SQLite there is one writer: until it
    # is done others get it.
    db.session.rollback()
    token = secrets.token_hex(16)
    tries = _claim(parsed[1], token)
    if tries > MOST_TRIES:
        # Whoever was at it the last time was killed over it.
        _end(parsed[1], token, state=FAILED)
    elif tries:
        _try(parsed[1], token, last=tries == MOST_TRIES)


def _try(dossier_id: int, token: str, *, last: bool) -> None:
    try:
        _make(dossier_id, token)
    except _Gone:
        return
    except NotFound:
        # They may no longer see the contact.
        _end(dossier_id, token, state=FAILED)
    except Exception:
        if last:
            _end(dossier_id, token, state=FAILED)
        else:
            with suppress(_Gone):
                _change(dossier_id, token, token="", leased_until=None, done=0)
        # The worker writes down what it was, and comes back in a while.
        raise


class _Gone(Exception):
    """Somebody else makes it, or it is no longer wanted."""


def _claim(dossier_id: int, token: str) -> int:
    """Take it for this worker; give the how many-eth try that is, 0 if it is none."""
    with db.transaction() as session:
        found = session.get(KeptDossier, dossier_id, with_for_update=True)
        if found is None or found.state != WAITING:
            return 0
        if found.leased_until is not None and found.leased_until > now():
            # Another worker makes it, or died over it: looked at again by then.
            _announce(found, due=found.leased_until)
            return 0
        found.token, found.leased_until, found.done = token, now() + LEASE, 0
        found.tries += 1
        return found.tries


def _change(dossier_id: int, mine: str, /, **values: Any) -> None:
    """Note something while we hold it; raises `_Gone` when we do not."""
    with db.transaction() as session:
        held = session.execute(
            sa.update(KeptDossier)
            .where(KeptDossier.id == dossier_id, KeptDossier.token == mine)
            .values(**values)
            .returning(KeptDossier.id)
        ).all()
    if not held:
        raise _Gone


def _make(dossier_id: int, token: str) -> None:
    with db.read_only() as session:
        asked = session.get_one(KeptDossier, dossier_id)
        user = session.get_one(User, asked.user_id)
        # Read whole, since it is used without its session.
        _known = user.permissions, user.team_ids, user.reach, user.desk
        session.expunge_all()
    lease = _Lease(dossier_id, token)
    with on_behalf_of(user), db.read_only():
        contact = get_visible(user, Contact, asked.contact_id, trashed=True)
        form = DossierForm().load(asked.wanted)
        found = dossier_of(
            contact,
            user,
            wanted_from(form),
            shared=form["audience"] == "shared",
            most=MOST,
            on_page=lease.renew,
        )
        content = as_file(found, asked.ending, lease.still_at_it)
        sight = mark_of_sight(user)
    stored = file_store().put(io.BytesIO(content), limit=None)
    _end(
        dossier_id,
        token,
        state=MADE,
        sha256=stored.sha256,
        entries=[one.entry.id for one in found.lines],
        refs=sorted(_refs(found)),
        sight=sight,
        made_at=found.made_at,
        expires_at=now() + KEPT,
        count=len(found.lines),
    )


class _Lease:
    """The time a worker has to itself, which it makes longer while it is at it."""

    def __init__(self, dossier_id: int, token: str):
        self._held = dossier_id, token
        self._renewed_at = now()

    def renew(self, done: int) -> None:
        self._renew(done=done)

    def still_at_it(self) -> None:
        # There are thousands of sheets, and on SQLite there is one writer.
        if now() >= self._renewed_at + LEASE / 8:
            self._renew()

    def _renew(self, **values: int) -> None:
        self._renewed_at = now()
        _change(*self._held, leased_until=self._renewed_at + LEASE, **values)


def _refs(found: Dossier) -> Iterable[str]:
    return {ref for line in found.lines for ref in line.refs}


def as_file(
    found: Dossier, ending: str, on_step: Callable[[], None] = lambda: None
) -> bytes:
    """Write a dossier as PDF or JSON; `on_step` is called now and then meanwhile."""
    if ending == "pdf":
        return to_pdf(found, on_step)
    return json.dumps(as_data(found), ensure_ascii=False, indent=2).encode()


def _end(dossier_id: int, token: str, *, state: str, **values: Any) -> None:
    """Note how it ended, and tell whoever asked, in one transaction."""
    with db.transaction() as session:
        asked = session.get(KeptDossier, dossier_id, with_for_update=True)
        if asked is None or asked.token != token:
            return
        asked.state, asked.token, asked.leased_until = state, "", None
        asked.expires_at = now() + KEPT
        for name, value in values.items():
            setattr(asked, name, value)
        session.flush()
        name = asked.contact.name
        ready = _l("The dossier of %(name)s is ready.", name=name)
        failed = _l("The dossier could not be made.")
        notify(
            [asked.user],
            kind=READY.name,
            text=ready if state == MADE else failed,
            names=asked.contact if state == MADE else None,
            url=f"/interactions/dossiers/{dossier_id}",
            key=f"{READY.name}:{dossier_id}",
        )


SUBSCRIBERS = [Subscriber("interactions.dossiers", (ASKED.name,), make)]

"""Making a long dossier in the worker, and giving it to whoever asked.

A worker claims it by a token under a lease that each page of entries renews. One that
is killed leaves both behind; the event is delivered again, and the next worker starts
from the beginning.
"""

import io
import json
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.audiences import AudienceSpec, intern_audience
from core.behalf import on_behalf_of
from core.contacts.models import Contact
from core.db import db, now
from core.errors import NotFound
from core.events import Event, EventType, Subscriber, acting, tell
from core.files import file_store
from core.i18n import lazy_gettext as _l
from core.jobs import Job
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
# Longer than any page of entries takes to read, or all of them to print.
LEASE = timedelta(minutes=2)


def ask_for(contact: Contact, user: User, form: dict[str, str], ending: str) -> int:
    """Have a worker make a dossier for `user`; give the id under which it waits."""
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
    if not _claim(parsed[1], token):
        return
    try:
        _make(parsed[1], token)
    except _Gone:
        return
    except NotFound:
        # They may no longer see the contact.
        _end(parsed[1], token, state=FAILED)


class _Gone(Exception):
    """Somebody else makes it, or it is no longer wanted."""


def _claim(dossier_id: int, token: str) -> bool:
    with db.transaction() as session:
        found = session.get(KeptDossier, dossier_id, with_for_update=True)
        if found is None or found.state != WAITING:
            return False
        if found.leased_until is not None and found.leased_until > now():
            # Another worker makes it, or died over it: looked at again by then.
            _announce(found, due=found.leased_until)
            return False
        found.token, found.leased_until, found.done = token, now() + LEASE, 0
    return True


def _change(dossier_id: int, token: str, **values: Any) -> None:
    """Note something while we hold it; raises `_Gone` when we do not."""
    with db.transaction() as session:
        held = session.execute(
            sa.update(KeptDossier)
            .where(KeptDossier.id == dossier_id, KeptDossier.token == token)
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
    with on_behalf_of(user):

        def renew(done: int) -> None:
            _change(dossier_id, token, done=done, leased_until=now() + LEASE)

        with db.read_only():
            contact = get_visible(user, Contact, asked.contact_id, trashed=True)
            form = DossierForm().load(asked.wanted)
            found = dossier_of(
                contact,
                user,
                wanted_from(form),
                shared=form["audience"] == "shared",
                most=MOST,
                on_page=renew,
            )
            content = as_file(found, asked.ending)
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


def _refs(found: Dossier) -> Iterable[str]:
    return {ref for line in found.lines for ref in line.refs}


def as_file(found: Dossier, ending: str) -> bytes:
    """Write a dossier as PDF or JSON."""
    if ending == "pdf":
        return to_pdf(found)
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


def forget_old() -> None:
    """Delete dossiers that have expired; their files are swept away after them."""
    expired = KeptDossier.expires_at < now()
    db.session.execute(sa.delete(KeptDossier).where(expired))


SUBSCRIBERS = [Subscriber("interactions.dossiers", (ASKED.name,), make)]
JOBS = [Job("interactions.dossiers", timedelta(hours=1), forget_old)]

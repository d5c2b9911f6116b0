"""Passwords by mail: a forgotten one, a new colleague's first one, and the notice.

Whether an account exists is never said: the page only writes the question down, which
takes the same time for everybody, and the worker looks for the account.
"""

from datetime import timedelta

import sqlalchemy as sa

from core.db import db, now
from core.errors import Invalid, TooMany
from core.events import Event, announce, write_note
from core.i18n import _
from core.mail.services import (
    Recipient,
    new_seal,
    queue_mail,
    seal_secret,
    sealed_place,
)
from core.mail.setup import mail_setup
from core.mail.words import Words, from_template, public_url
from core.records import parse_ref
from core.users.models import User
from core.users.password_models import PasswordLink, PasswordRequest
from core.users.services import set_password
from core.users.sessions import hash_secret

ASKED, CHANGED = "user.password_asked", "user.password_changed"
RESET_LASTS, INVITATION_LASTS = timedelta(hours=1), timedelta(days=7)
ASK_WINDOW = timedelta(hours=1)
ASKS_PER_ADDRESS, MAILS_PER_ACCOUNT = 20, 3


def ask_for_link(email: str, *, address: str) -> None:
    """Write down that somebody at `address` forgot the password of `email`.

    Raises `TooMany` after too many questions from one network address.
    """
    asked = sa.select(sa.func.count()).where(
        PasswordRequest.address == address, PasswordRequest.at > now() - ASK_WINDOW
    )
    if (db.session.scalar(asked) or 0) >= ASKS_PER_ADDRESS:
        said = _("Too many attempts. Wait an hour, then try again.")
        raise TooMany(said, retry_after=int(ASK_WINDOW.total_seconds()))
    request = PasswordRequest(email=email.strip().lower(), address=address)
    db.session.add(request)
    db.session.flush()
    write_note(ASKED, f"password.request/{request.id}", {})


def answer_request(event: Event) -> None:
    """Send the link somebody asked for, if there is an account; runs in the worker.

    An account gets three mails an hour, however often somebody asks; the question
    itself is forgotten. Running twice is harmless.
    """
    subject = parse_ref(event.subject)
    request = db.session.get(PasswordRequest, subject[1]) if subject else None
    if request is None or request.email is None:
        return
    user = db.session.scalar(
        sa.select(User).where(User.email == request.email, User.active)
    )
    request.email = None
    if user is None or mail_setup().lacks_for_links() or _has_enough(user):
        return
    send_link(user, lasts=RESET_LASTS, template="core/mail/password_reset.txt")


def _has_enough(user: User) -> bool:
    sent = sa.select(sa.func.count()).where(
        PasswordLink.user_id == user.id,
        PasswordLink.created_at > now() - ASK_WINDOW,
    )
    return (db.session.scalar(sent) or 0) >= MAILS_PER_ACCOUNT


def invite(user: User, *, by: User) -> None:
    """Send a new colleague the link by which they set their first password.

    Raises `Invalid` when no mail with a link can go out.
    """
    lacking = mail_setup().lacks_for_links()
    if lacking is not None:
        said = _("No invitation can be mailed, so choose a password here.")
        raise Invalid(errors={"password": [said, lacking]})
    send_link(
        user,
        lasts=INVITATION_LASTS,
        template="core/mail/invitation.txt",
        inviter=by.name,
    )


def send_link(
    user: User, *, lasts: timedelta, template: str, **values: object
) -> PasswordLink:
    """Mail `user` a link that sets their password, for as long as it `lasts`."""
    seal = new_seal()
    link = PasswordLink(
        secret_hash=hash_secret(seal_secret(seal)),
        user_id=user.id,
        password_mark=_mark(user),
        expires_at=now() + lasts,
    )
    db.session.add(link)
    url = public_url("passwords.reset", secret=sealed_place(seal))
    words = from_template(
        template, language=user.language, name=user.name, url=url, **values
    )
    _send(user, words, seal=seal)
    return link


def _send(user: User, words: Words, seal: str | None = None) -> None:
    queue_mail(
        [Recipient(user.email, user.name)],
        words=words,
        headers={"Auto-Submitted": "auto-generated"},
        hold=0,
        seal=seal,
    )


def _mark(user: User) -> str:
    return hash_secret(user.password_hash or "")


def open_link(secret: str) -> User | None:
    """Give whose password this link sets; None when it sets none any more."""
    found = _live_link(secret)
    return found[1] if found else None


def _live_link(secret: str) -> tuple[PasswordLink, User] | None:
    row = db.session.execute(
        sa.select(PasswordLink, User)
        .join(User, User.id == PasswordLink.user_id)
        .where(
            PasswordLink.secret_hash == hash_secret(secret),
            PasswordLink.used_at.is_(None),
            PasswordLink.expires_at > now(),
            User.active,
        )
    ).first()
    if row is None or row[0].password_mark != _mark(row[1]):
        return None
    return row[0], row[1]


def use_link(secret: str, password: str) -> User | None:
    """Set a password by its link, which then opens nothing more; gives whose it was.

    Signs the account out everywhere. Gives None for a link that is used, void or too
    old, and raises `Invalid` for a short password, after which the link stays good.
    """
    found = _live_link(secret)
    if found is None:
        return None
    link, user = found
    # Of two who press the button at the same time, one finds the link used.
    mine = db.session.scalar(
        sa.update(PasswordLink)
        .where(PasswordLink.id == link.id, PasswordLink.used_at.is_(None))
        .values(used_at=now())
        .returning(PasswordLink.id)
    )
    if mine is None:
        return None
    change_password(user, password)
    return user


def change_password(user: User, password: str) -> None:
    """Set a password, tell that it happened, and mail its owner a notice.

    Signs the account out everywhere; raises `Invalid` for a short one.
    """
    set_password(user, password)
    announce(CHANGED, user)
    if mail_setup().lacks() is None:
        words = from_template(
            "core/mail/password_changed.txt", language=user.language, name=user.name
        )
        _send(user, words)


def forget_old_requests() -> None:
    """Delete links and questions that no longer count."""
    day = now() - timedelta(days=1)
    db.session.execute(sa.delete(PasswordRequest).where(PasswordRequest.at < day))
    db.session.execute(sa.delete(PasswordLink).where(PasswordLink.expires_at < day))

"""Slow down who guesses passwords, and never the browsers that people know.

Failures are counted for an account from one network, for a network, for an account
from everywhere, and for a browser that has signed in to the account before. Such a
browser carries a signed cookie and is held to its own count alone, so that no
stranger, and no crowd of them, can lock its owner out (OWASP's "device cookies").
"""

import ipaddress
import secrets
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app, has_request_context, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from core.db import db, now
from core.errors import TooMany
from core.i18n import _
from core.users.models import FailedSignIn, User

GUESSES_PER_ACCOUNT, GUESSES_PER_ADDRESS = 10, 50
# From many networks at once; a browser that is known does not mind.
GUESSES_FROM_EVERYWHERE = 50
GUESS_WINDOW = timedelta(minutes=15)

KNOWN_FOR = timedelta(days=365)
# A counter at a reception has a few people; more would make the cookie long.
PEOPLE_PER_BROWSER = 6
_BROWSER = "browser:"


def network_of(address: str | None) -> str:
    """Name the network of `address`: itself, or the /64 one IPv6 customer gets."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return (address or "")[:45]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def refuse_guessing(account: str, network: str, browser: str | None) -> None:
    """Refuse another guess at `account`, a hash, after too many; raises `TooMany`.

    `browser` names one that the account's owner has signed in with before.
    """
    recent = FailedSignIn.at > now() - GUESS_WINDOW
    theirs = FailedSignIn.email_hash == account
    strange = FailedSignIn.address.not_like(f"{_BROWSER}%")
    if browser is not None:
        mine = FailedSignIn.address == browser
        full = _count(recent, theirs, mine) >= GUESSES_PER_ACCOUNT
    else:
        here = FailedSignIn.address == network
        full = (
            _count(recent, theirs, here) >= GUESSES_PER_ACCOUNT
            or _count(recent, here) >= GUESSES_PER_ADDRESS
            or _count(recent, theirs, strange) >= GUESSES_FROM_EVERYWHERE
        )
    if full:
        said = _("Too many attempts. Wait a quarter of an hour, then try again.")
        raise TooMany(said, retry_after=int(GUESS_WINDOW.total_seconds()))


def _count(*conditions: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(FailedSignIn).where(*conditions)
    return db.session.scalar(query) or 0


def note_failure(account: str, place: str) -> None:
    """Count a wrong guess, whatever becomes of the request it came in."""
    row = {"email_hash": account, "address": place}
    db.aside(lambda: db.session.add(FailedSignIn(**row)))


# -- Browsers that are known --------------------------------------------------------


def known_browser(user: User | None) -> str | None:
    """Name the browser of this request, if `user` has signed in with it before."""
    if user is None or not has_request_context():
        return None
    wanted = _about(user)
    for one in _read():
        if one[:2] == wanted:
            return f"{_BROWSER}{one[2]}"
    return None


def remember_browser(user: User, answer: Response) -> Response:
    """Have the browser keep that `user` signed in with it; gives the answer back."""
    mine = _about(user)
    others = [one for one in _read() if one[:2] != mine]
    kept = [[*mine, secrets.token_urlsafe(16)], *others][:PEOPLE_PER_BROWSER]
    config = current_app.config
    answer.set_cookie(
        _cookie(),
        _signer().dumps(kept),
        max_age=KNOWN_FOR,
        secure=config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite=config["SESSION_COOKIE_SAMESITE"],
        path="/sign-in",
    )
    return answer


def _about(user: User) -> list[Any]:
    # The moment keeps apart accounts that two instances gave the same number.
    return [user.id, user.created_at.isoformat()]


def this_browser(secret: str) -> str:
    """Name the browser that is signed in with the hash of this session's `secret`."""
    return f"{_BROWSER}{secret[:22]}"


def _cookie() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}_known"


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="known-browser")


def _read() -> list[list[Any]]:
    try:
        found = _signer().loads(
            request.cookies.get(_cookie(), ""), max_age=int(KNOWN_FOR.total_seconds())
        )
    except BadData:
        return []
    return [one for one in found if isinstance(one, list) and len(one) == 3]

"""How somebody wants to be told: in the app alone, by mail at once, or once a day."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from core import settings
from core.audiences import AudienceSpec, intern_audience
from core.db import db, now
from core.errors import Invalid
from core.events import tell
from core.i18n import _
from core.notifications.models import NotificationChoice, NotificationSummary
from core.pages import notification_kinds
from core.users.models import User

APP, NOW, SUMMARY = "app", "now", "summary"
WAYS: Final = (APP, NOW, SUMMARY)
# What holds for the kinds for which nothing else was chosen.
REST = ""
# Nobody is mailed who has not asked for it.
USUAL = APP
USUAL_HOUR = 8
DUE = "news.due"


# -- Choosing ----------------------------------------------------------------------


def ways_of(user: User) -> dict[str, str]:
    """Give what `user` chose, by kind; under `REST` what holds for the others."""
    query = sa.select(NotificationChoice).where(NotificationChoice.user_id == user.id)
    chosen = {one.kind: one.way for one in db.session.scalars(query)}
    return {REST: USUAL} | chosen


def kinds_by(user: User, way: str) -> list[str]:
    """Name the kinds that `user` wants in one of the three ways."""
    ways = ways_of(user)
    return [one for one in notification_kinds() if ways.get(one, ways[REST]) == way]


def hour_of(user: User) -> int:
    """Give from which hour of their day `user` gets the daily mail."""
    found = db.session.get(NotificationSummary, user.id)
    return found.hour if found else USUAL_HOUR


def one_at_a_time(user: User) -> None:
    """Wait for another form of `user` that is being saved: they press twice."""
    mine = sa.select(User.id).where(User.id == user.id)
    db.session.execute(mine.with_for_update(key_share=True))


def choose_ways(user: User, ways: Mapping[str, str], *, hour: int | None) -> None:
    """Choose how kinds reach `user`; an empty way takes the choice for a kind back.

    Raises `Invalid` for a way or an hour that there is not.
    """
    errors = {
        f"mail.{kind}": [_("Choose one of these.")]
        for kind, way in ways.items()
        if way not in {*WAYS, ""}
    }
    if hour is not None and hour not in range(24):
        errors["hour"] = [_("Choose one of these.")]
    if errors:
        raise Invalid(errors=errors)
    one_at_a_time(user)
    known = {REST, *notification_kinds()}
    db.session.execute(
        sa.delete(NotificationChoice).where(
            NotificationChoice.user_id == user.id, NotificationChoice.kind.in_(ways)
        )
    )
    db.session.add_all(
        NotificationChoice(user_id=user.id, kind=kind, way=way)
        for kind, way in sorted(ways.items())
        if way and kind in known
    )
    if hour is not None:
        _choose_hour(user, hour)
    db.session.flush()


def _choose_hour(user: User, hour: int) -> None:
    found = db.session.get(NotificationSummary, user.id)
    if found is not None:
        found.hour = hour
        return
    # The first one comes when that hour comes, and not at once for what was before.
    local = now().astimezone(ZoneInfo(user.timezone))
    today = local.date() if local.hour >= hour else None
    db.session.add(NotificationSummary(user_id=user.id, hour=hour, last_on=today))


# -- Mails at once -----------------------------------------------------------------


def plan_mails(told: Mapping[int, int], kind: str) -> None:
    """Have those mailed who want this `kind` at once, unless they read it meanwhile.

    `told` are the new notifications by the account they are for.
    """
    for user_id in _wanting_at_once(told, kind):
        wait = timedelta(minutes=settings.get("notifications")["mail_after_minutes"])
        own = intern_audience(AudienceSpec("private", users=frozenset({user_id})))
        subject = f"notification/{told[user_id]}"
        tell(DUE, subject, audience_id=own.id, due=now() + wait)


def _wanting_at_once(user_ids: Collection[int], kind: str) -> list[int]:
    if not user_ids:
        return []
    rows = db.session.scalars(
        sa.select(NotificationChoice).where(
            NotificationChoice.user_id.in_(list(user_ids)),
            NotificationChoice.kind.in_([kind, REST]),
        )
    )
    # What was chosen for the kind itself comes last, and so counts.
    ways = {one.user_id: one.way for one in sorted(rows, key=lambda one: one.kind)}
    return [one for one, way in sorted(ways.items()) if way == NOW]


# -- Unsubscribing by a link -------------------------------------------------------


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="unsubscribe")


def unsubscribe_token(user: User, kinds: Collection[str]) -> str:
    """Sign who stops what: mails at once of some kinds, or with none the daily one."""
    return _signer().dumps([user.id, sorted(kinds)])


def read_token(token: str) -> tuple[User, list[str]] | None:
    """Give whose mails of which kinds a link stops; None if we did not sign it."""
    try:
        said: Any = _signer().loads(token)
        user_id, kinds = said
    except (BadSignature, ValueError, TypeError):
        return None
    user = db.session.get(User, user_id)
    return (user, list(kinds)) if user is not None else None


def unsubscribe(user: User, kinds: Collection[str]) -> None:
    """Have these kinds come in the app alone; without kinds all of the daily mail."""
    stopped = [one for one in kinds if one in notification_kinds()]
    ways = dict.fromkeys(stopped, APP)
    if not kinds:
        chosen = ways_of(user)
        ways = {kind: APP for kind, way in chosen.items() if way == SUMMARY}
    if ways:
        choose_ways(user, ways, hour=None)

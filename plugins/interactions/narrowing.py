"""Taking an entry back from people outside: first it is said who could read it."""

from collections.abc import Sequence

import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.db import db
from core.i18n import _, ngettext
from core.interactions.models import Interaction
from core.moments import show_date
from core.notifications.models import Notification
from core.readers import OutsideReader, readers_of
from plugins.interactions.readers import NAMED, NAMED_OF_MANY


def said_of_the_lost(
    entry: Interaction, before: AudienceSpec, to: AudienceSpec
) -> str | None:
    """Say who outside could read an entry and will not; None when nobody loses it.

    Of each it is said whether they were told of it, and when they opened that.
    """
    if before.kind != "shared":
        return None
    staying = readers_of(to).outside if to.kind == "shared" else ()
    kept = {one.id for one in staying}
    lost = [one for one in readers_of(before).outside if one.id not in kept]
    if not lost:
        return None
    named = _in_words(entry, lost)
    shown = named if len(named) <= NAMED else named[:NAMED_OF_MANY]
    names = ", ".join(shown)
    if len(shown) < len(named):
        more = len(named) - len(shown)
        names = str(_("%(names)s and %(num)d more", names=names, num=more))
    said = ngettext(
        "Until now %(names)s could read this. Save again to take it from them.",
        "Until now %(num)d people outside could read this: %(names)s."
        " Save again to take it from them.",
        len(lost),
        names=names,
    )
    return str(said)


def _in_words(entry: Interaction, lost: Sequence[OutsideReader]) -> list[str]:
    """Name each, those first who opened what told them of it."""
    told = sa.select(Notification.user_id, sa.func.min(Notification.read_at)).where(
        Notification.about == "interaction",
        Notification.about_id == entry.id,
        Notification.user_id.in_([one.id for one in lost]),
    )
    rows = db.session.execute(told.group_by(Notification.user_id))
    opened = {user_id: at for user_id, at in rows}  # noqa: C416 - rows
    first = sorted(lost, key=lambda one: (opened.get(one.id) is None, one.name))
    found = []
    for one in first:
        at = opened.get(one.id)
        if at is not None:
            when = show_date(at)
            found.append(
                _("%(name)s (told of it, opened %(when)s)", name=one.name, when=when)
            )
        elif one.id in opened:
            found.append(_("%(name)s (told of it)", name=one.name))
        else:
            found.append(one.name)
    return [str(one) for one in found]

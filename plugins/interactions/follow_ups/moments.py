"""When a follow-up is due: after its entry, again next month, tomorrow at nine."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from core.db import now
from core.users.models import User

UNITS = ("day", "week", "month")
MOST_EVERY = 400
DAY = 24 * 60
# When a day begins for which nobody named an hour.
MORNING = time(9)


def after(happens: datetime, minutes: int, user: User) -> datetime:
    """Give the moment so long after an entry; whole days by the clock of `user`."""
    if minutes % DAY:
        return happens + timedelta(minutes=minutes)
    here = happens.astimezone(ZoneInfo(user.timezone))
    return here + timedelta(days=minutes // DAY)


def following(dues: Sequence[datetime], every: int, unit: str, user: User) -> datetime:
    """Give when something that repeats is due next: after the last of `dues`, and now.

    By the clock of `user`, so that nine o'clock stays so in summer. A month after the
    31st is the last day of a shorter one, and a month after that the 31st again.
    """
    local = [one.astimezone(ZoneInfo(user.timezone)) for one in dues]
    here, times = local[-1], 1
    steps: dict[str, Any] = {"day": _meant_day(local)} if unit == "month" else {}
    while True:
        steps[f"{unit}s"] = every * times
        found = here + relativedelta(**steps)
        if found > now():
            return found
        times += 1


def _meant_day(dues: Sequence[datetime]) -> int:
    """Give the day that is meant: the last of a month may stand for a later one."""
    meant = dues[-1].day
    for earlier, later in reversed(list(pairwise(dues))):
        if later.day != monthrange(later.year, later.month)[1]:
            break
        meant = max(meant, earlier.day)
    return meant


def morning(days: int, user: User) -> datetime:
    """Give nine o'clock so many days from today, where `user` is."""
    here = now().astimezone(ZoneInfo(user.timezone))
    day = here.date() + timedelta(days=days)
    return datetime.combine(day, MORNING, ZoneInfo(user.timezone))


def midnight(user: User) -> datetime:
    """Give when the day of `user` ends."""
    zone = ZoneInfo(user.timezone)
    day = now().astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, time(), zone)

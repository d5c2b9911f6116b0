"""When a follow-up is due: after its entry, again next month, tomorrow at nine."""

from datetime import datetime, time, timedelta
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


def following(due: datetime, every: int, unit: str, user: User) -> datetime:
    """Give when something that repeats is due next: after `due`, and after now.

    By the clock of `user`, so that nine o'clock stays so in summer; a month after the
    31st is the last day of a shorter one.
    """
    here = due.astimezone(ZoneInfo(user.timezone))
    step, times = f"{unit}s", 1
    while (found := here + relativedelta(**{step: every * times})) <= now():  # type: ignore[arg-type]
        times += 1
    return found


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

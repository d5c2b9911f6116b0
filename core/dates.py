"""Dates in words: "tomorrow 14:00", "+3 days", "huomenna klo 14", "下周一上午9点".

The time of day and the words of Finnish and Chinese that the library does not know are
read here; the rest is left to dateparser.
"""

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

MOST_SIGNS = 60
# A day without a time of day is meant to begin with the work.
MORNING = time(9)
_LANGUAGES = ("en", "fi", "zh")
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)

_CHINESE = {one: at for at, one in enumerate("零一二三四五六七八九十")} | {"两": 2}
_CHINESE_NUMBER = re.compile("[零一二两三四五六七八九十]+")
# Words that are one: in Finnish and English as whole words, in Chinese as they stand.
_DAYS = {
    "today": 0, "tonight": 0, "tänään": 0, "今天": 0, "今日": 0, "今晚": 0,
    "tomorrow": 1, "huomenna": 1, "明天": 1, "明日": 1, "明晚": 1,
    "ylihuomenna": 2, "后天": 2, "後天": 2, "大后天": 3,
    "yesterday": -1, "eilen": -1, "昨天": -1, "toissapäivänä": -2, "前天": -2,
}  # fmt: skip
_WEEKDAYS = (
    "monday mon maanantai maanantaina ma 周一 星期一 礼拜一",
    "tuesday tue tues tiistai tiistaina ti 周二 星期二 礼拜二",
    "wednesday wed keskiviikko keskiviikkona ke 周三 星期三 礼拜三",
    "thursday thu thur torstai torstaina to 周四 星期四 礼拜四",
    "friday fri perjantai perjantaina pe 周五 星期五 礼拜五",
    "saturday sat lauantai lauantaina la 周六 星期六 礼拜六",
    "sunday sun sunnuntai sunnuntaina su 周日 周天 星期日 星期天 礼拜天",
)
_WEEKDAY = {word: at for at, words in enumerate(_WEEKDAYS) for word in words.split()}
_NEXT = {"next", "ensi", "下", "下个"}
_UNITS = {
    "minutes": "minute minutes min mins minuutti minuuttia minuutin 分钟",
    "hours": "hour hours h tunti tuntia tunnin t 小时 个小时",
    "days": "day days d päivä päivää päivän pv 天 日",
    "weeks": "week weeks w viikko viikkoa viikon vk 周 星期 个星期",
}
_UNIT = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_ONE = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_ONE |= {"yhden": 1, "kahden": 2, "kolmen": 3, "neljän": 4, "viiden": 5}
_AHEAD = re.compile(
    r"(?:in |\+ ?)?(?P<number>\d{1,3}|"
    + "|".join(sorted(_ONE, key=len, reverse=True))
    + r")? ?(?P<unit>\w+?)(?P<after> päästä| kuluttua| from now|以?[后後])?"
)
_DAY_OF_MONTH = re.compile(
    r"(?P<day>\d{1,2})[./](?P<month>\d{1,2})(?:[./](?P<year>\d{4})?)?"
)
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_CHINESE_DAY = re.compile(
    r"(?:(?P<year>\d{4})年)?(?P<month>\d{1,2})月(?P<day>\d{1,2})[日号號]?"
)
# The time of day stands last: "14", "14:00", "klo 9.30", "3 pm", "下午3点半".
_CLOCK = re.compile(
    r"(?:^|(?<=\s)|(?<=[T日号天一二三四五六后後]))"
    r"(?P<word>at |klo\.? ?|kello )?"
    r"(?P<hour>\d{1,2})(?:(?P<sign>[:.])(?P<minute>\d{2}))?"
    r"(?: ?(?P<half>[ap])\.?m\.?)?$"
)
_CHINESE_CLOCK = re.compile(
    r"(?P<part>凌晨|早上|上午|中午|下午|傍晚|晚上|晚)?(?P<hour>\d{1,2})"
    r"(?:[点點时時](?:(?P<half>半)|(?P<minute>\d{1,2})分?)?|[:：](?P<exact>\d{2}))$"
)
_PARTS = {
    "noon": time(12), "midday": time(12), "keskipäivällä": time(12), "中午": time(12),
    "morning": time(9), "aamulla": time(9), "早上": time(9), "上午": time(9),
    "afternoon": time(14), "iltapäivällä": time(14), "下午": time(14),
    "tonight": time(19), "evening": time(19), "illalla": time(19), "晚上": time(19),
    "今晚": time(19), "明晚": time(19),
}  # fmt: skip
# Words and numbers with a sign between two of them. The library makes a date of much
# else: of "A:", of [1], of --1.
_MEANT = re.compile(r"\+? ?\w+(?:(?:[./:+'-]|\.? )\w+)*\.?")
_LATE = {"下午", "傍晚", "晚上", "晚"}


def read_date(
    text: str, now: datetime, language: str = "en", *, quick: bool = False
) -> datetime | None:
    """Read a moment in words as somebody means it at `now`, in its zone.

    A day without a time is at nine, a time without a day is the next such time.
    Gives None for what cannot be understood; `quick` does not ask the library, which
    takes its time and makes a date of much that was not meant as one.
    """
    words = _tidy(text)
    if not words or len(text) > MOST_SIGNS:
        return None
    moment = _ahead(words, now)
    if moment is not None:
        return moment
    try:
        day_words, clock = _apart(words)
        if not day_words and clock is not None:
            return _next_time(clock, now)
        day = _day(day_words, now) or (_ahead(day_words, now) if clock else None)
        if day is not None:
            return _at(day, clock or _part_of(words) or MORNING, now)
    except (ValueError, OverflowError):
        # A thirtieth of February, five past twenty-five, a year ten thousand.
        return None
    if quick or not _MEANT.fullmatch(words):
        return None
    return _by_library(words, now, language)


def _tidy(text: str) -> str:
    words = " ".join(text.replace("，", " ").replace(",", " ").split()).casefold()
    return _CHINESE_NUMBER.sub(_number, words) if _is_chinese(words) else words


def _is_chinese(words: str) -> bool:
    return any("\u4e00" <= sign <= "\u9fff" for sign in words)


def _number(found: re.Match[str]) -> str:
    """Write a Chinese number up to 99 in figures, but not the name of a weekday."""
    before = found.string[: found.start()]
    text = found.group()
    if before.endswith(("周", "星期", "礼拜")):
        # "周五三点": the first sign is the day, what follows is a time.
        rest = text[1:]
        return text[0] + (f" {_value(rest)}" if rest else "")
    return str(_value(text))


def _value(text: str) -> int:
    tens, ten, ones = text.partition("十")
    if not ten:
        return int("".join(str(_CHINESE[one]) for one in text))
    return (_CHINESE[tens] if tens else 1) * 10 + (_CHINESE[ones] if ones else 0)


def _ahead(words: str, now: datetime) -> datetime | None:
    """Read "+3 days", "in two weeks", "3 päivän päästä", "3天后"."""
    found = _AHEAD.fullmatch(words)
    unit = _UNIT.get(found["unit"]) if found else None
    if found is None or unit is None:
        return None
    number, after = found["number"], found["after"]
    if not (words.startswith(("+", "in ")) or after):
        return None
    count = _ONE.get(number) or int(number) if number else 1
    return _shifted(now, timedelta(**{unit: count}), whole=unit in {"days", "weeks"})


def _shifted(now: datetime, by: timedelta, *, whole: bool) -> datetime:
    # In three days at the same hour, also where the clocks are changed in between.
    if whole:
        return _at(now + by, now.time().replace(second=0, microsecond=0), now)
    later = now.timestamp() + by.total_seconds()
    moment = datetime.fromtimestamp(later, now.tzinfo)
    return moment.replace(second=0, microsecond=0)


def _apart(words: str) -> tuple[str, time | None]:
    """Take the time of day from the end of the words."""
    found = _CHINESE_CLOCK.search(words)
    if found is not None and (_is_chinese(words) or "：" in words):
        return words[: found.start()].strip(), _chinese_time(found)
    found = _CLOCK.search(words)
    if found is None or not _is_time(found, words[: found.start()].strip()):
        return words, None
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if found["half"]:
        hour = hour % 12 + (12 if found["half"] == "p" else 0)
    return words[: found.start()].strip(), time(hour, minute)


def _is_time(found: re.Match[str], before: str) -> bool:
    """Say whether a last number is a time: "5.3" alone is a day, "ke 9" is not."""
    if found["word"] or found["half"] or found["sign"] == ":":
        return True
    # The day of a month needs its month: "march 5" is no five o'clock.
    last = before.rpartition(" ")[2]
    return before in _DAYS or last in _WEEKDAY or bool(found["sign"] and before)


def _chinese_time(found: re.Match[str]) -> time:
    hour = int(found["hour"])
    minute = 30 if found["half"] else int(found["minute"] or found["exact"] or 0)
    if found["part"] in _LATE and hour < 12:
        hour += 12
    return time(hour, minute)


def _next_time(clock: time, now: datetime) -> datetime:
    moment = _at(now, clock, now)
    return moment if moment > now else _at(now + _DAY, clock, now)


def _part_of(words: str) -> time | None:
    return next((at for part, at in _PARTS.items() if part in words), None)


def _day(words: str, now: datetime) -> datetime | None:
    """Read the day alone."""
    words = _without_part(words)
    if words in _DAYS:
        return now + _DAYS[words] * _DAY
    for pattern in (_ISO, _DAY_OF_MONTH, _CHINESE_DAY):
        if found := pattern.fullmatch(words):
            return _of_month(found, now)
    day = _weekday(words, now)
    if day is not None:
        return day
    if words in {"next week", "ensi viikolla", "下周", "下星期"}:
        return now + _WEEK
    return None


def _without_part(words: str) -> str:
    for part in _PARTS:
        rest = words.removesuffix(part).strip()
        if rest != words and rest and words not in _DAYS:
            return rest.removesuffix(" at").removesuffix(" in the")
    return words


def _weekday(words: str, now: datetime) -> datetime | None:
    begin, _blank, rest = words.partition(" ")
    following = begin in _NEXT and rest in _WEEKDAY
    if following:
        words = rest
    elif words.startswith("下") and words.lstrip("下个") in _WEEKDAY:
        words, following = words.lstrip("下个"), True
    if words.removeprefix("on ") not in _WEEKDAY:
        return None
    wanted = _WEEKDAY[words.removeprefix("on ")]
    if following:
        # Of the week that begins with the next Monday.
        return now + (7 - now.weekday() + wanted) * _DAY
    return now + ((wanted - now.weekday() - 1) % 7 + 1) * _DAY


def _of_month(found: re.Match[str], now: datetime) -> datetime:
    day, month = int(found["day"]), int(found["month"])
    if found["year"]:
        return now.replace(year=int(found["year"]), month=month, day=day)
    this_year = now.replace(month=month, day=day)
    if this_year.date() < now.date():
        return now.replace(year=now.year + 1, month=month, day=day)
    return this_year


def _at(day: datetime, clock: time, now: datetime) -> datetime:
    return datetime.combine(day.date(), clock, tzinfo=now.tzinfo)


def _by_library(words: str, now: datetime, language: str) -> datetime | None:
    # Half a second of reading its data, which only those pay who write such dates.
    import dateparser

    base = now.replace(tzinfo=None, second=0, microsecond=0)
    settings: dict[str, Any] = {
        "PREFER_DATES_FROM": "future",
        "RELATIVE_BASE": base,
        "RETURN_AS_TIMEZONE_AWARE": False,
        "REQUIRE_PARTS": ["day"],
        "DATE_ORDER": "DMY",
        "PARSERS": ["relative-time", "absolute-time"],
    }
    day_words, clock = _apart(words)
    for asked in _asked(language):
        for text, at in ((day_words, clock), (words, None)):
            found = dateparser.parse(text, languages=[asked], settings=settings)
            if found is not None and _is_near(found, base):
                midnight = found.time() == time(0) or found.time() == base.time()
                return _at(found, at or (MORNING if midnight else found.time()), now)
    return None


def _is_near(found: datetime, base: datetime) -> bool:
    """Say whether it can be meant: "5.3 klo 14" is no day of the year 2114."""
    return abs(found.year - base.year) <= 10


def _asked(language: str) -> Sequence[str]:
    """Ask the reader's own language first; people write as their customers speak."""
    first = language.partition("_")[0].partition("-")[0]
    return sorted(_LANGUAGES, key=lambda one: one != first)

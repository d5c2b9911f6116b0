"""Dates in words, as people write them in English, Finnish and Chinese."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from core.dates import read_date

HELSINKI = ZoneInfo("Europe/Helsinki")
# A Tuesday.
NOW = datetime(2026, 3, 3, 10, 30, tzinfo=HELSINKI)

PHRASES = {
    "en": {
        "tomorrow 14:00": "2026-03-04 14:00",
        "tomorrow": "2026-03-04 09:00",
        "Tomorrow at 9": "2026-03-04 09:00",
        "today 16:15": "2026-03-03 16:15",
        "tonight": "2026-03-03 19:00",
        "yesterday 15:00": "2026-03-02 15:00",
        "+3 days": "2026-03-06 10:30",
        "in 3 days": "2026-03-06 10:30",
        "in two weeks": "2026-03-17 10:30",
        "+1 week": "2026-03-10 10:30",
        "in 2 hours": "2026-03-03 12:30",
        "in an hour": "2026-03-03 11:30",
        "3 days from now": "2026-03-06 10:30",
        "friday": "2026-03-06 09:00",
        "fri 9:30": "2026-03-06 09:30",
        "Friday at 3pm": "2026-03-06 15:00",
        "tuesday": "2026-03-10 09:00",
        "next monday": "2026-03-09 09:00",
        "next week": "2026-03-10 09:00",
        "5.3.": "2026-03-05 09:00",
        "5.3": "2026-03-05 09:00",
        "1.2.": "2027-02-01 09:00",
        "5.3. 14:00": "2026-03-05 14:00",
        "5/3/2027": "2027-03-05 09:00",
        "5 March": "2026-03-05 09:00",
        "March 5 14:00": "2026-03-05 14:00",
        "5 March 2027 at 8": "2027-03-05 08:00",
        "2026-03-05 14:00": "2026-03-05 14:00",
        "2026-03-05": "2026-03-05 09:00",
        "14:00": "2026-03-03 14:00",
        "9:00": "2026-03-04 09:00",
    },
    "fi": {
        "huomenna klo 14": "2026-03-04 14:00",
        "huomenna": "2026-03-04 09:00",
        "tänään 15.30": "2026-03-03 15:30",
        "ylihuomenna": "2026-03-05 09:00",
        "ylihuomenna klo 8.15": "2026-03-05 08:15",
        "eilen klo 16": "2026-03-02 16:00",
        "ke 9": "2026-03-04 09:00",
        "ma": "2026-03-09 09:00",
        "to klo 8.15": "2026-03-05 08:15",
        "perjantaina klo 9": "2026-03-06 09:00",
        "ensi maanantaina": "2026-03-09 09:00",
        "ensi viikolla": "2026-03-10 09:00",
        "+3 päivää": "2026-03-06 10:30",
        "3 päivän päästä": "2026-03-06 10:30",
        "kahden viikon päästä": "2026-03-17 10:30",
        "viikon päästä": "2026-03-10 10:30",
        "2 tunnin kuluttua": "2026-03-03 12:30",
        "5.3. klo 14": "2026-03-05 14:00",
        "5.3.2027": "2027-03-05 09:00",
        "5. maaliskuuta": "2026-03-05 09:00",
        "5. maaliskuuta klo 14.30": "2026-03-05 14:30",
        "klo 14": "2026-03-03 14:00",
        "huomenna illalla": "2026-03-04 19:00",
    },
    "zh": {
        "明天14:00": "2026-03-04 14:00",
        "明天": "2026-03-04 09:00",
        "明天上午9点": "2026-03-04 09:00",
        "明天下午三点": "2026-03-04 15:00",
        "今天下午3点": "2026-03-03 15:00",
        "后天": "2026-03-05 09:00",
        "大后天": "2026-03-06 09:00",
        "昨天": "2026-03-02 09:00",
        "3天后": "2026-03-06 10:30",
        "三天后": "2026-03-06 10:30",
        "两周后": "2026-03-17 10:30",
        "一小时后": "2026-03-03 11:30",
        "十天以后": "2026-03-13 10:30",
        "周五 9:00": "2026-03-06 09:00",
        "周五下午两点半": "2026-03-06 14:30",
        "星期三上午10点": "2026-03-04 10:00",
        "下周一": "2026-03-09 09:00",
        "下星期五下午4点": "2026-03-13 16:00",
        "3月5日": "2026-03-05 09:00",
        "3月5日14点": "2026-03-05 14:00",
        "三月五号": "2026-03-05 09:00",
        "2026年3月5日 14:00": "2026-03-05 14:00",
        "下午3点": "2026-03-03 15:00",
        "明晚": "2026-03-04 19:00",
    },
}
TABLE = [(lang, *pair) for lang, pairs in PHRASES.items() for pair in pairs.items()]


@pytest.mark.parametrize(("language", "words", "meant"), TABLE)
def test_a_date_in_words_is_understood(language, words, meant):
    found = read_date(words, NOW, language)
    assert found is not None
    assert f"{found:%Y-%m-%d %H:%M}" == meant
    assert found.tzinfo is HELSINKI


def test_people_write_as_their_customers_speak():
    for language in PHRASES:
        for words in ("huomenna klo 14", "tomorrow 14:00", "明天14:00"):
            found = read_date(words, NOW, language)
            assert f"{found:%d %H:%M}" == "04 14:00"


NONE = ["", "  ", "soon", "pian", "不久", "31.2.", "tomorrow 25:00", "99", "x" * 61]
NO_MORE = ["5.3.99999", "+999999999 days", "\x00", "ke ke ke", "四百"]


# The library makes a day of each of these.
GARBAGE = ["A:", "1'", '1"', "1`", "1\\", "[1]", "--1", "-1/2", 'a="get";', "1/*'*/"]


@pytest.mark.parametrize("words", [*NONE, *NO_MORE, *GARBAGE])
def test_what_is_no_date_is_not_guessed(words):
    assert read_date(words, NOW) is None


def test_three_days_on_it_is_the_same_hour_also_when_the_clocks_change():
    friday = datetime(2026, 3, 27, 9, 0, tzinfo=HELSINKI)
    found = read_date("in 3 days", friday)
    assert found.isoformat() == "2026-03-30T09:00:00+03:00"

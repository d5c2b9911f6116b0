"""Languages: each reader's own, for every page, message and answer of the API."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Blueprint
from flask_babel import force_locale

from core.i18n import _, lazy_gettext, ngettext
from core.moments import show_ago, show_datetime
from core.pages import MenuItem
from core.permissions import Permission, public, requires
from core.shell import show_money
from core.testing.factories import make_contact, make_user
from core.testing.plugins import INSTALLED, make_plugin

READ = Permission("probe:read", "Look")

FINNISH = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Weather"
msgstr "Sää"

msgid "Rain for %(name)s"
msgstr "%(name)s saa sadetta"

msgid "%(num)d drop"
msgid_plural "%(num)d drops"
msgstr[0] "%(num)d pisara"
msgstr[1] "%(num)d pisaraa"

#, fuzzy
msgid "Hail"
msgstr "Guessed"
"""
CHINESE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "%(num)d drop"
msgid_plural "%(num)d drops"
msgstr[0] "%(num)d 滴"
"""

# Made when the module is read, said when a page is drawn.
WEATHER = lazy_gettext("Weather")

bp = Blueprint("probe", __name__)


@bp.get("/probe/words")
@public
def words():
    drops = " ".join(ngettext("%(num)d drop", "%(num)d drops", n) for n in (0, 1, 5))
    return f"{WEATHER}|{_('Rain for %(name)s', name='Äijö')}|{drops}|{_('Hail')}"


@bp.get("/probe/page")
@requires(READ)
def page():
    return "page"


@pytest.fixture
def app_plugins(tmp_path):
    home = tmp_path / "weather"
    for code, text in (("fi", FINNISH), ("zh", CHINESE)):
        folder = home / "translations" / code / "LC_MESSAGES"
        folder.mkdir(parents=True)
        (folder / "messages.po").write_text(text, "utf-8")
    plugin = make_plugin(
        register_blueprints=lambda: [bp],
        register_permissions=lambda: [READ],
        menu_items=lambda user: [MenuItem(WEATHER, "probe.page", READ)],
    )
    plugin.__name__, plugin.__file__ = "weather.plugin", str(home / "plugin.py")
    return (("weather", plugin),)


@pytest.fixture
def app_config():
    return {"PLUGINS_DISABLED": INSTALLED, "TESTING": False}


pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("fi", "Sää|Äijö saa sadetta|0 pisaraa 1 pisara 5 pisaraa|Hail"),
        ("fi-FI,fi;q=0.9,en;q=0.1", "Sää|Äijö saa sadetta|0 pisaraa 1 pisara 5"),
        ("zh-CN,zh;q=0.9", "Weather|Rain for Äijö|0 滴 1 滴 5 滴|Hail"),
        ("en", "Weather|Rain for Äijö|0 drops 1 drop 5 drops|Hail"),
        ("sv,de;q=0.5", "Weather|"),
        ("sv,fi;q=0.1", "Sää|"),
        ("", "Weather|"),
        ("*", "Weather|"),
        ("nonsense;;q=x,,\xff", "Weather|"),
    ],
)
def test_a_guest_reads_the_best_language_the_browser_asks_for(client, asked, said):
    headers = {"Accept-Language": asked}
    assert client.get("/probe/words", headers=headers).text.startswith(said)


@pytest.mark.parametrize(("language", "said"), [("fi", "Sää|"), ("en", "Weather|")])
def test_an_account_reads_its_own_language_whatever_the_browser_asks(
    as_user, api, language, said
):
    user = make_user("Anna Laine", language=language)
    headers = {"Accept-Language": "zh"}
    for one in (as_user(user), api(user)):
        path = "/probe/words"
        if one.environ_base.get("HTTP_AUTHORIZATION"):
            path = "/api/v1/contacts/999999"
            detail = one.get(path, headers=headers).json["detail"]
            assert ("Page" in detail or "This page" in detail) == (language == "en")
        else:
            assert one.get(path, headers=headers).text.startswith(said)


def test_one_reader_s_language_does_not_stay_for_the_next(as_user, client):
    finn = as_user(make_user("Anna Laine", language="fi"))
    briton = as_user(make_user("Ben Cook", language="en"))
    for _turn in range(2):
        assert finn.get("/probe/words").text.startswith("Sää|")
        assert briton.get("/probe/words").text.startswith("Weather|")
        assert client.get("/probe/words").text.startswith("Weather|")


def test_what_is_declared_once_is_drawn_in_each_reader_s_language(as_user):
    admin = make_user("Anna Laine", roles=("admin",), language="fi")
    other = make_user("Ben Cook", roles=("admin",), language="en")
    assert ">Sää<" in as_user(admin).get("/contacts").text.replace(" ", "")
    assert ">Weather<" in as_user(other).get("/contacts").text.replace(" ", "")


def test_a_page_says_in_which_language_it_is(as_user, client):
    for language in ("en", "fi", "zh"):
        browser = as_user(make_user("Anna Laine", language=language))
        assert f'<html lang="{language}"' in browser.get("/me").text
        page = client.get("/sign-in", headers={"Accept-Language": language})
        assert f'<html lang="{language}"' in page.text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Sign in to see this page."),
        ("fi", "Kirjaudu"),
        ("zh", "登录"),
    ],
)
def test_a_refusal_is_said_in_the_language_of_who_asked(client, language, sentence):
    headers = {"Accept-Language": language}
    answer = client.get("/api/v1/contacts", headers=headers)
    assert answer.status_code == 401
    assert sentence in answer.json["detail"]


def test_a_wrong_field_is_explained_in_the_language_of_its_reader(api):
    english = api(make_user("Ben Cook", language="en"))
    finnish = api(make_user("Anna Laine", language="fi"))
    sent = {"kind": "person", "name": "Outi\x00"}
    said = [
        one.post("/api/v1/contacts", json=sent).json["errors"]["name"]
        for one in (english, finnish)
    ]
    assert said[0] == ["This contains a character that is not text."]
    assert said[0] != said[1]


def test_a_word_from_a_user_is_never_taken_for_a_placeholder(as_user):
    make_contact("100 %(name)s & 50 %d")
    browser = as_user(make_user("Anna Laine", language="fi"))
    assert "100 %(name)s &amp; 50 %d" in browser.get("/contacts").text


def test_outside_a_request_words_are_english(app):
    assert _("Sign in to see this page.") == "Sign in to see this page."
    assert ngettext("%(num)d drop", "%(num)d drops", 2) == "2 drops"


def test_moments_and_money_are_written_as_the_reader_writes_them(app):
    moment = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    seen = {}
    for language in ("en", "fi", "zh"):
        with app.test_request_context(), force_locale(language):
            shown = str(show_datetime(moment))
            assert 'datetime="2026-03-01T22:30:00+00:00"' in shown
            seen[language] = (shown, str(show_money(Decimal("1234.50"))))
            assert "1" in str(show_ago(moment))
            assert show_money(None) == ""
            assert str(show_datetime(None)) == ""
    assert len({one for one, _money in seen.values()}) == 3
    assert seen["en"][1] == "€1,234.50"
    assert seen["fi"][1].replace("\xa0", " ") == "1 234,50 €"


def test_the_time_is_that_of_the_reader_s_zone(as_user, clock):
    clock.move_to(datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    browser = as_user(make_user("Anna Laine", timezone="Pacific/Auckland"))
    contact = make_contact()
    shown = browser.get(f"/contacts/{contact.id}/changes").text
    moment = shown.partition("<time ")[2].partition("</time>")[0]
    # For machines it is in UTC, for her it is the next day.
    assert 'datetime="2026-07-01T12:00' in moment
    assert "New Zealand" in moment
    assert "July 2, 2026" in moment


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        (
            "Europe/Helsinki",
            "Eastern European Standard Time",
            "Eastern European Summer Time",
        ),
        ("Asia/Kolkata", "India Time", "India Time"),
    ],
)
def test_the_exact_moment_names_the_zone_of_its_season(
    as_user, clock, zone, winter, summer
):
    user, contacts = make_user("Anna Laine", timezone=zone), []
    for month in (1, 7):
        clock.move_to(datetime(2026, month, 5, 9, 0, tzinfo=UTC))
        contacts.append(make_contact())
    browser = as_user(user)
    for contact, name in zip(contacts, (winter, summer), strict=True):
        assert f' {name}">' in browser.get(f"/contacts/{contact.id}/changes").text


def test_catalogues_are_found_beside_core_and_each_plugin(app):
    folders = app.extensions["babel"].instance.catalogue.folders
    assert [Path(one).parent.name for one in folders] == ["core", "weather"]

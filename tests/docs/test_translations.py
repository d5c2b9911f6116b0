"""Everything on screen is said in Finnish and Chinese too."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from core.i18n import LANGUAGES
from core.testing.factories import make_contact, make_user
from core.testing.messages import catalogue_path, untranslated

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/plugin.py"))
FOLDERS = [ROOT / "core", *PLUGINS]
OTHERS = [code for code in LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]")

every_language = pytest.mark.parametrize("language", OTHERS)
every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)


def forms(words: Iterable[str] | None) -> tuple[str, ...]:
    """Give the singular and the plurals of a message, or the message alone."""
    return (words,) if isinstance(words, str) else tuple(words or ())


def messages_of(folder: Path, language: str) -> list[Message]:
    """Read what the catalogue of `folder` says in `language`."""
    with catalogue_path(folder, language).open("rb") as file:
        return [one for one in read_po(file, locale=language) if one.id]


@every_language
@every_folder
def test_nothing_is_left_in_english(folder, language):
    assert list(untranslated(folder, language)) == []


@every_language
@every_folder
def test_a_translation_names_the_same_things_as_the_english(folder, language):
    for message in messages_of(folder, language):
        said = forms(message.id)
        translated = forms(message.string)
        # The first form may leave the number out where English does ("one file").
        allowed = [set(PLACEHOLDER.findall(one)) for one in said]
        for at, words in enumerate(translated):
            found = set(PLACEHOLDER.findall(words))
            last = at == len(translated) - 1
            assert found in (allowed[-1:] if last else allowed), (message.id, words)
            if allowed[-1]:
                assert "%" not in PLACEHOLDER.sub("", words), words


@every_language
def test_every_plural_of_the_language_has_its_words(language):
    wanted = {"fi": 2, "zh": 1}[language]
    for folder in FOLDERS:
        for message in messages_of(folder, language):
            if not isinstance(message.id, str):
                assert len(forms(message.string)) == wanted, message.id


@every_language
def test_the_same_english_has_the_same_translation_everywhere(language):
    # On screen the catalogues are one, so the later of two would win unseen.
    said: dict[tuple[str, ...], tuple[str, ...]] = {}
    for folder in FOLDERS:
        for message in messages_of(folder, language):
            words = forms(message.string)
            assert said.setdefault(forms(message.id), words) == words, words


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fi", ["Yhteystiedot", "Vastuuhenkilö", "1 yhteystieto<", "Uusi henkilö"]),
        ("zh", ["联系人", "负责人", "1 个联系人", "新建个人"]),
    ],
)
def test_contacts_are_listed_in_the_readers_language(as_user, language, words):
    make_contact("Kallio Oy")
    page = as_user(make_user(language=language)).get("/contacts").text
    assert f'<html lang="{language}"' in page
    assert [one for one in words if one not in page] == []


@pytest.mark.parametrize(
    ("language", "path", "words"),
    [
        ("fi", "/support", ["Uusi palvelupyyntö", "Merkinnät"]),
        ("zh", "/support", ["新建工单", "记录"]),
        ("fi", "/documents", ["Lisää asiakirja"]),
        ("zh", "/documents", ["添加文档"]),
        ("fi", "/orders", ["Ei vielä tilauksia."]),
        ("zh", "/orders", ["还没有订单。"]),
        ("fi", "/search", ["Mitä etsit?"]),
        ("zh", "/search", ["你在找什么？"]),
        ("fi", "/interactions", ["Kirjoita muistiinpano"]),
        ("zh", "/interactions", ["写备注"]),
    ],
)
def test_a_plugins_page_speaks_the_readers_language(as_user, language, path, words):
    page = as_user(make_user(language=language)).get(path).text
    assert [one for one in words if one not in page] == []


@pytest.mark.parametrize(("language", "title"), [("fi", "Etusivu"), ("zh", "首页")])
def test_the_portal_speaks_the_customers_language(as_user, language, title):
    firm = make_contact("Kallio Oy", roles=["customer"])
    outi = make_user("Outi Kallio", kind="customer", contact=firm, language=language)
    assert title in as_user(outi).get("/portal").text


@pytest.mark.parametrize(
    ("language", "button"), [("fi", "Kirjaudu sisään"), ("zh", "登录")]
)
def test_who_is_not_signed_in_reads_the_language_of_the_browser(
    client, language, button
):
    page = client.get("/sign-in", headers={"Accept-Language": language})
    assert button in page.text

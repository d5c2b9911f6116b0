"""Words on screen in the reader's language: English, Finnish and Chinese.

Catalogues are the `translations/<locale>/LC_MESSAGES/messages.po` files of core and
of each plugin. They are read as they are, so nobody has to compile anything, and
merged into one catalogue per language.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import flask_babel
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_percent
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale
from flask_babel import Domain as BabelDomain
from flask_babel.speaklater import LazyString
from flask_login import current_user
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

LANGUAGES = {"en": "English", "fi": "Suomi", "zh": "中文"}

__all__ = [
    "LANGUAGES",
    "_",
    "get_locale",
    "gettext",
    "in_language",
    "init_i18n",
    "lazy_gettext",
    "locale_code",
    "ngettext",
]


_context = g._get_current_object


def gettext(text: str, /, **words: object) -> str:
    """Say `text` in the reader's language, with `words` put in."""
    said: str = _catalogue().ugettext(text)
    return said % words if words else said


def ngettext(one: str, many: str, num: int, /, **words: object) -> str:
    """Say `one` or `many` in the reader's language, as `num` asks.

    A large number is written with `num=show_number(...)` and `%(num)s`.
    """
    said: str = _catalogue().ungettext(one, many, num)
    return said % {"num": num, **words}


def _catalogue() -> NullTranslations:
    """Give the catalogue of the reader's language; a page asks hundreds of times."""
    # Babel keeps the language here, and changes it for words to somebody else.
    state = _here()
    language = getattr(state, "babel_locale", None)
    if language is not None:
        kept = getattr(state, "rapport_catalogue", None)
        if kept is None or kept[0] is not language:
            kept = state.rapport_catalogue = (language, _find_catalogue())
        catalogue: NullTranslations = kept[1]
        return catalogue
    return _find_catalogue()


def _here() -> Any:
    # A page asks hundreds of times: the proxy is asked once for what is behind it.
    try:
        return _context().get("_flask_babel")
    except RuntimeError:
        return None


def reader() -> tuple[ZoneInfo, str]:
    """Give the reader's time zone and the name of their locale."""
    state = _here()
    language = getattr(state, "babel_locale", None)
    zone = getattr(state, "babel_tzinfo", None)
    if language is None or zone is None:
        return ZoneInfo(str(flask_babel.get_timezone())), str(get_locale())
    kept = getattr(state, "rapport_reader", None)
    if kept is None or kept[0] is not language or kept[1] is not zone:
        # Flask-Babel's zones are of pytz, which as the `tzinfo` of a time of day mean
        # the local mean time of the nineteenth century.
        said = ZoneInfo(str(zone)), str(language)
        kept = state.rapport_reader = (language, zone, said)
    answer: tuple[ZoneInfo, str] = kept[2]
    return answer


def _find_catalogue() -> NullTranslations:
    found: NullTranslations = flask_babel.get_domain().get_translations()
    return found


@contextmanager
def in_language(code: str) -> Iterator[None]:
    """Speak another language in the block: a mail is in that of who receives it."""
    with flask_babel.force_locale(code if code in LANGUAGES else "en"):
        yield


def lazy_gettext(text: str, **words: object) -> Any:
    """Say `text` in the language of whoever reads it later."""
    return LazyString(gettext, text, **words)


_ = gettext


def show_number(number: float) -> str:
    """Write a number as the reader does: 12,500 or 12 500."""
    return str(flask_babel.format_decimal(number))


def show_percent(share: Decimal) -> str:
    """Write a part of one in per cent, with all its places: 12.5% or 12,5 %."""
    locale = flask_babel.get_locale()
    return format_percent(share, locale=locale, decimal_quantization=False)


class PoDomain(BabelDomain):  # type: ignore[misc]
    """One catalogue per language, merged from the `.po` files of core and plugins."""

    def __init__(self, folders: list[Path]):
        """Look for catalogues in `folders`, the later ones adding to the earlier."""
        super().__init__()
        self.folders = folders
        self.catalogues: dict[str, NullTranslations] = {"en": NullTranslations()}

    def get_translations(self) -> NullTranslations:
        """Give the catalogue of the reader's language, reading it when first asked."""
        code = locale_code()
        if code not in self.catalogues:
            merged = Translations()
            for folder in self.folders:
                path = folder / code / "LC_MESSAGES" / "messages.po"
                if path.exists():
                    catalogue = _read(path, code)
                    merged.merge(catalogue)
                    # Babel's merge forgets the plural rule of what it merges.
                    merged.plural = catalogue.plural
            self.catalogues[code] = merged
        return self.catalogues[code]


class _Babel(Babel):  # type: ignore[misc]
    """Flask-Babel with our own way of finding catalogues."""

    catalogue: PoDomain

    @property
    def domain_instance(self) -> PoDomain:
        """The catalogue that gettext uses unless told otherwise."""
        return self.catalogue


def _read(path: Path, code: str) -> Translations:
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return Translations(compiled)


def locale_code() -> str:
    """Say which of our languages the reader sees now: `en`, `fi` or `zh`."""
    locale = get_locale()
    return str(locale.language) if locale else "en"


def _choose_locale() -> str:
    """Take the account's language, else the best one the browser asks for."""
    if not has_request_context():
        return "en"
    chosen = getattr(current_user, "language", None)
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(list(LANGUAGES), default="en") or "en"


def _choose_timezone() -> str | None:
    if not has_request_context():
        return None
    return getattr(current_user, "timezone", None) or None


def init_i18n(app: Flask, folders: list[Path]) -> None:
    """Give `app` its languages; `folders` hold one sub-folder per language."""
    babel = _Babel()
    babel.catalogue = PoDomain(folders)
    babel.init_app(
        app, locale_selector=_choose_locale, timezone_selector=_choose_timezone
    )
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=gettext, ngettext=ngettext, newstyle=True
    )
    # Jinja's own wrapping of the two looks its context up for each word of a page.
    app.jinja_env.globals.update(_=_say, gettext=_say, ngettext=_say_many)


@pass_eval_context
def _say(form: EvalContext, text: str, /, **words: object) -> str:
    """Say `text` in a template; where it escapes, `words` are escaped and ours not."""
    catalogue: Any = _catalogue()
    if not form.autoescape:
        plain: str = catalogue.ugettext(text)
        return plain % words
    known: dict[str, Markup] = catalogue.__dict__.setdefault("rapport_marked", {})
    said = known.get(text)
    if said is None:
        marked = Markup(catalogue.ugettext(text))  # noqa: S704 - ours, or translators'
        said = known[text] = marked
    # A sign of per cent is written twice in all of them.
    return said % words if "%" in said else said


@pass_eval_context
def _say_many(
    form: EvalContext, one: str, many: str, num: int, /, **words: object
) -> str:
    """Say `one` or `many` in a template, as `num` asks."""
    said: str = _catalogue().ungettext(one, many, num)
    if form.autoescape:
        said = Markup(said)  # noqa: S704 - ours, or our translators'
    return said % {"num": num, **words}

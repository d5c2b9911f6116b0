"""Keep the catalogues in step with the words on screen.

`python -m core.testing.messages FOLDER …` reads the code and templates of each folder
and updates its `translations/<language>/LC_MESSAGES/messages.po`; what is new there has
an empty translation until somebody writes it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from core.i18n import LANGUAGES

METHODS = [
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
]
OPTIONS = {
    "**/templates/**.html": {"trimmed": "true"},
    "**/templates/**.txt": {"trimmed": "true"},
}
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
}
SKIPPED = {"testing", "migrations", "scaffold", "translations"}


def _wanted(folder: str) -> bool:
    return Path(folder).name not in SKIPPED and not Path(folder).name.startswith(".")


def words_of(folder: Path) -> Catalog:
    """Collect what is marked for translation below `folder`."""
    found = Catalog(charset="utf-8")
    for _file, _line, message, _comments, context in extract_from_dir(
        folder, METHODS, OPTIONS, KEYWORDS, directory_filter=_wanted
    ):
        found.add(message, None, context=context)
    return found


def catalogue_path(folder: Path, language: str) -> Path:
    """Say where the catalogue of a language lies."""
    return folder / "translations" / language / "LC_MESSAGES" / "messages.po"


def update(folder: Path, language: str) -> Catalog:
    """Bring one catalogue in step with the code; keep what is translated already."""
    path = catalogue_path(folder, language)
    catalogue = Catalog(locale=language, charset="utf-8")
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language, charset="utf-8")
    catalogue.update(words_of(folder), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, no_location=True, omit_header=True, sort_output=True)
    return catalogue


def untranslated(folder: Path, language: str) -> Iterator[str]:
    """Name the messages of `folder` that have no words in `language` yet."""
    path = catalogue_path(folder, language)
    known = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            known = read_po(file, locale=language, charset="utf-8")
    for message in words_of(folder):
        if not message.id:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        found = known.get(key)
        words = found.string if found is not None else ""
        parts = [words] if isinstance(words, str) else list(words or ())
        if not parts or not all(parts):
            yield key


def main() -> None:
    """Update the catalogues of the folders that are named."""
    for name in sys.argv[1:]:
        for language in LANGUAGES:
            if language != "en":
                update(Path(name), language)
                left = len(list(untranslated(Path(name), language)))
                sys.stdout.write(f"{name} {language}: {left} left to translate\n")


if __name__ == "__main__":
    main()

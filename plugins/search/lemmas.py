"""Base forms of inflected words, from dictionaries that cost little memory."""

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import marisa_trie  # type: ignore[import-not-found]
from simplemma import Lemmatizer
from simplemma.strategies import DefaultStrategy
from simplemma.strategies.dictionaries import (
    DictionaryFactory,
    StreamDictionaryFactory,
    TrieDictionaryFactory,
)

logger = logging.getLogger(__name__)

LIBRARY_VERSION = version("simplemma")


class MappedDictionary(Mapping[str, str]):
    """A dictionary read from a trie file that all processes share in memory."""

    def __init__(self, path: Path) -> None:
        self._trie = marisa_trie.BytesTrie().mmap(str(path))

    def __getitem__(self, word: str) -> str:
        found = self._trie.get(word)
        if not found:
            raise KeyError(word)
        return bytes(found[0]).decode()

    def __iter__(self) -> Iterator[str]:
        return iter(self._trie.iterkeys())

    def __len__(self) -> int:
        return len(self._trie)


class LemmaDictionaries(DictionaryFactory):
    """The dictionaries of a deployment: tries in its folder, else the plain ones.

    A trie is mapped in no time and its pages are shared between processes (measured
    for Finnish: 17 MB, most of it shared). Until `prepare` has made it, words are
    looked up in the compressed file of the library: the same answers, 46 MB and a
    second once.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._plain = StreamDictionaryFactory()
        self._open: dict[str, Mapping[str, str]] = {}

    def get_dictionary(self, lang: str) -> Mapping[str, str]:
        """Return the dictionary of a language, opened on first use.

        Raises ValueError when the library has none for the language.
        """
        found = self._open.get(lang)
        if isinstance(found, MappedDictionary):
            return found
        trie = self._trie_file(lang)
        if trie is not None and trie.exists():
            self._open[lang] = MappedDictionary(trie)
            # What was read of the plain ones is given back as soon as none is needed.
            if all(isinstance(one, MappedDictionary) for one in self._open.values()):
                self._plain = StreamDictionaryFactory()
        elif found is None:
            self._open[lang] = self._plain.get_dictionary(lang)
        return self._open[lang]

    def prepare(self, lang: str) -> None:
        """Make the trie of a language, once: some seconds and 700 MB, given back.

        A child process builds it so that the memory returns to the machine. When that
        fails, search goes on with the plain dictionary.
        """
        trie = self._trie_file(lang)
        if trie is None or trie.exists():
            return
        command = [sys.executable, "-m", "plugins.search.lemmas", lang, str(trie)]
        try:
            trie.parent.mkdir(parents=True, exist_ok=True)
            # This module, with a language code and our own path: nothing from outside.
            subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", None) or error
            logger.warning(
                "The %s dictionary could not be made compact: %s", lang, reason
            )
        else:
            self._open.pop(lang, None)

    def _trie_file(self, lang: str) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / f"{lang}-{LIBRARY_VERSION}.trie"


def infinitives(participle: str) -> list[str]:
    """Return what a Finnish passive participle or verbal noun may be the form of.

    Toimitettu and maksettu, tilattu, hyväksytty; maksaminen. Most of them are no
    words: the dictionary decides.
    """
    found: list[str] = []
    if participle.endswith(("ettu", "etty")):
        found += [participle[:-4] + end for end in ("taa", "tää", "aa", "ää")]
    if participle.endswith(("ttu", "tty")):
        found += [participle[:-3] + end for end in ("ta", "tä", "a", "ä")]
    if participle.endswith("minen"):
        found += [participle[:-5] + end for end in ("a", "ä")]
    return found


def halves_of(word: str) -> list[tuple[str, str]]:
    """Return the ways to part a word in two, the longest ending first.

    Shorter parts than these are endings of inflection more often than words.
    """
    return [(word[:cut], word[cut:]) for cut in range(4, len(word) - 3)]


def make_lemmatizer(dictionaries: LemmaDictionaries) -> Lemmatizer:
    """Return a lemmatizer over these dictionaries, without a cache of its own."""
    strategy = DefaultStrategy(dictionary_factory=dictionaries)
    return Lemmatizer(cache_max_size=0, lemmatization_strategy=strategy)


def build_trie(lang: str, target: Path) -> None:
    """Write the trie of a language to a file that is complete as soon as it is seen."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        TrieDictionaryFactory(disk_cache_dir=scratch).get_dictionary(lang)
        os.replace(Path(scratch) / f"{lang}.dic", target)


if __name__ == "__main__":
    build_trie(sys.argv[1], Path(sys.argv[2]))

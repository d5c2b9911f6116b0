"""Turn records and queries into the tokens that every search engine stores alike."""

import hashlib
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import snowballstemmer
from simplemma import Lemmatizer

from plugins.search.lemmas import (
    LIBRARY_VERSION,
    LemmaDictionaries,
    halves_of,
    infinitives,
    make_lemmatizer,
)
from plugins.search.stopwords import STOP_WORDS
from plugins.search.tokenising import (
    MAX_TOKEN,
    Token,
    fold,
    identifier_forms,
    joined_words,
    number_endings,
    run_of,
    surfaces,
    tokenise,
    without_umlaut_pairs,
    word_of,
)

#: Raise it whenever the same text yields other tokens: every index is then rebuilt.
ANALYSIS_VERSION = 2

DEFAULT_LANGUAGES = ("en", "fi", "sv", "de")
EDGE_MIN, EDGE_MAX = 2, 10

#: Language codes (ISO 639-1) and the Snowball algorithm that stems them.
SNOWBALL = {
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "nl": "dutch",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
#: Where endings alone are not enough: Snowball finds 57 % of Finnish inflections,
#: together with the base form from a dictionary all that were tried. The others have
#: strong verbs and vowels that change: bought, gekauft, böcker.
LEMMATISED = frozenset({"de", "en", "fi", "sv"})

# A shorter word is hardly two words of four letters that someone would look for.
SHORTEST_COMPOUND = 8

# Removed words leave an empty token so that the distance between words stays true.
GAP = ""


class Stemmer(Protocol):
    """What the Snowball library gives for a language."""

    def stemWord(self, word: str) -> str:  # noqa: N802
        """Return the stem of a word in lower case."""
        ...


@dataclass(frozen=True, slots=True)
class DocumentTokens:
    """What is indexed of one record; `title` and `surf` keep order, gaps are ""."""

    title: tuple[str, ...] = ()
    surf: tuple[str, ...] = ()
    stem: frozenset[str] = frozenset()
    ident: frozenset[str] = frozenset()
    edge: frozenset[str] = frozenset()


class Analyser:
    """Analyse texts of mixed languages without guessing which language they are in.

    Every word is stemmed in every one of the languages; thread-safe. Dictionaries are
    kept in `lemma_folder` once `prepare` has made them.
    """

    def __init__(
        self,
        *,
        languages: Iterable[str] = DEFAULT_LANGUAGES,
        stop_words: Iterable[str] | None = None,
        lemma_folder: Path | None = None,
        cache_size: int = 20_000,
    ) -> None:
        self.languages = tuple(sorted(set(languages)))
        unknown = [code for code in self.languages if code not in SNOWBALL]
        if unknown:
            raise ValueError(f"No stemmer for the languages {unknown}")
        if stop_words is None:
            stop_words = " ".join(
                STOP_WORDS[code] for code in self.languages if code in STOP_WORDS
            ).split()
        self.stop_words = frozenset(fold(word) for word in stop_words)
        self._dictionaries = LemmaDictionaries(lemma_folder)
        self._lock = threading.Lock()
        self._stems = lru_cache(maxsize=cache_size)(self._find_stems)
        self._parts = lru_cache(maxsize=cache_size)(self._find_parts)

    @cached_property
    def version(self) -> str:
        """Return what an index must have been made with to fit these tokens."""
        libraries = (LIBRARY_VERSION, version("snowballstemmer"))
        made_of = [self.languages, sorted(self.stop_words), libraries]
        digest = hashlib.sha256(repr(made_of).encode()).hexdigest()[:8]
        return f"{ANALYSIS_VERSION}.{digest}"

    def prepare(self) -> None:
        """Make the compact dictionaries; the worker does this before it indexes."""
        for code in LEMMATISED.intersection(self.languages):
            self._dictionaries.prepare(code)

    def is_stop_word(self, surface: str) -> bool:
        """Tell whether a folded word is too common to be searched for."""
        return surface in self.stop_words

    def stems(self, word: str) -> frozenset[str]:
        """Return the folded stems of a word, without the word itself."""
        return self._stems(word)

    def document(
        self, *, title: str, identifiers: Iterable[str] = (), body: str = ""
    ) -> DocumentTokens:
        """Return the tokens of a record; identifiers are what people quote of it.

        A stop word is kept in the title, where it may be a name. Addresses and codes
        in the body are findable but, unlike declared ones, not an identifier of the
        record, and only the title and the identifiers are found by their beginning.
        """
        name, named, name_stems = self._read(title, keep_all=True)
        text, mentioned, stems = self._read(body, keep_all=False)
        quoted: list[str] = []
        for identifier in identifiers:
            told, forms, more = self._read(identifier, keep_all=True)
            whole = fold(identifier)
            named |= forms | set(told) | ({whole[:MAX_TOKEN]} if whole else set())
            if "@" not in whole and any(sign.isdigit() for sign in whole):
                # A number is typed without its separators, whatever they are: KV-1/2".
                named |= {re.sub(r"[\W_]+", "", whole)[:MAX_TOKEN]}
            quoted += [*told, GAP]
            stems |= more
        # Names written Mueller are typed Muller by those who have no ü.
        short = {without_umlaut_pairs(word) for word in name}.difference(name)
        return DocumentTokens(
            title=tuple(name),
            surf=(*quoted, *text),
            stem=frozenset(stems | name_stems | mentioned | short),
            ident=frozenset(named),
            edge=frozenset(edges({*name, *named, *short})),
        )

    def _read(
        self, text: str, *, keep_all: bool
    ) -> tuple[list[str], set[str], set[str]]:
        """Return surfaces in order, identifier forms and stems of a text."""
        found: list[str] = []
        forms: set[str] = set()
        stems: set[str] = set()
        before: Token | None = None
        for token in tokenise(text):
            seen = surfaces(token)
            if (joined := joined_words(text, before, token)) is not None:
                # "re-order" is found by "reorder".
                stems |= self._stems(joined) | {fold(joined)}
            before = token
            is_word = token.kind == "word"
            if is_word and not keep_all and self.stop_words.issuperset(seen):
                found.append(GAP)
                continue
            found += seen
            if token.kind == "word":
                word = word_of(token)
                stems |= self._stems(word)
                if len(word) >= SHORTEST_COMPOUND and "fi" in self.languages:
                    stems |= self._parts(word)
            elif token.kind == "run":
                stems.update(run_of(token))
            else:
                forms |= findable_forms(token)
        return found, forms, stems

    def _find_stems(self, word: str) -> frozenset[str]:
        """Stem a word in every language; stemmers keep state, hence the lock."""
        plain = word.replace("'", "")
        # "children's" and "l'entreprise" are found by the part that carries the
        # meaning, O'Brien also in two words.
        found = {part for part in word.split("'") if part != word}
        with self._lock:
            for form in {plain} | {part for part in found if len(part) > 2}:
                for code in self.languages:
                    found |= self._stemmed(form, code)
        return frozenset(fold(stem) for stem in found if stem) - {fold(word)}

    def _stemmed(self, word: str, code: str) -> set[str]:
        stem = self._stemmers[code].stemWord
        if code not in LEMMATISED:
            return {stem(word)}
        lemma = self._lemmatizer.lemmatize(word, lang=code).lower()
        verb = self._verb_of(lemma) if code == "fi" else None
        return {stem(one) for one in (word, lemma, verb) if one}

    def _verb_of(self, lemma: str) -> str | None:
        """Return toimittaa for toimitettu, which the dictionary calls a base form."""
        known = self._dictionaries.get_dictionary("fi")
        return next((one for one in infinitives(lemma) if one in known), None)

    def _find_parts(self, word: str) -> frozenset[str]:
        """Return the stems of the words that a Finnish compound is made of.

        Asked for "sopimus", a person means asiakassopimukset too. Only documents have
        parts: asked for a kind of contract, one does not mean them all.
        """
        with self._lock:
            known = self._dictionaries.get_dictionary("fi")
            lemma = self._lemmatizer.lemmatize(word, lang="fi").lower()
            parts = {
                part
                for pair in halves_of(lemma)
                if all(one in known for one in pair)
                for part in pair
            }
        return frozenset().union(*(self._stems(part) | {fold(part)} for part in parts))

    @cached_property
    def _stemmers(self) -> dict[str, Stemmer]:
        return {
            code: snowballstemmer.stemmer(SNOWBALL[code]) for code in self.languages
        }

    @cached_property
    def _lemmatizer(self) -> Lemmatizer:
        return make_lemmatizer(self._dictionaries)


def findable_forms(token: Token) -> set[str]:
    """Return the forms of an identifier, with the endings of long numbers."""
    forms = identifier_forms(token)
    return forms if token.kind in {"date", "amount"} else forms | number_endings(forms)


def edges(words: Iterable[str]) -> set[str]:
    """Return the beginnings, 2 to 10 characters, that find a word being typed."""
    return {
        word[:length]
        for word in words
        if not word.startswith("~")
        for length in range(EDGE_MIN, min(EDGE_MAX, len(word)) + 1)
    }

"""Cut text into the tokens that search understands: words, runs, addresses, codes."""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

#: A longer token is cut here, in the index and in the query alike.
MAX_TOKEN = 64

# Scripts written without spaces: Han, kana, bopomofo, hangul, Thai, Lao, Burmese,
# Khmer. A run of them is indexed as overlapping pairs of characters.
_RUN = (
    "\u0e01-\u0e3a\u0e40-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17d3\u3005-\u3007"
    "\u3041-\u30fa\u30fc-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f"
)
# Marks and invisible characters that stand inside a word but are not letters.
_MARK = (
    "\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a"
    "\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0962\u0963\u0981-\u0983"
    "\u09bc-\u09cd\u0b82\u0bbe-\u0bcd\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200d\u2060"
    "\u20d0-\u20ff\ufe00-\ufe0f\ufeff"
)
#: A letter of a script that puts spaces between words, as a pattern.
LETTER = rf"[^\W\d_{_RUN}]"
_ALNUM = rf"[^\W_{_RUN}]"
_WORD = rf"{_ALNUM}+(?:[{_MARK}]+{_ALNUM}*)*"
# Finnish and Swedish inflect abbreviations after a colon: EU:n, UPM:lle, PDF:ssä.
_COLON_ENDING = (
    r"(?::(?:n|t|a|ä|s|na|nä|ia|iä|ns|ssa|ssä|sta|stä|lla|llä|lta|ltä|lle|ksi|tta|ttä"
    r"|hen|hin|een|iin|ien|issa|issä|ista|istä|ille)(?!\w))?"
)

# Chinese puts no space around an address or a number: 电话13812345678联系.
_LABEL = rf"(?:[^\W{_RUN}]|-){{1,63}}"
_ALONE, _END = rf"(?<!{_ALNUM})", rf"(?!{_ALNUM})"

# Every repetition is bounded or cannot fail after it has matched, so that no text
# makes the search for tokens slower than linear.
_TOKEN = re.compile(
    rf"(?P<email>(?:[^\W{_RUN}]|[.+-]){{1,64}}@{_LABEL}(?:\.{_LABEL}){{1,8}})"
    rf"|(?P<date>{_ALONE}(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}\.\d{{1,2}}\.\d{{4}}){_END})"
    rf"|(?P<phone>{_ALONE}\+?\d(?:[ ()./-]{{0,2}}\d){{6,14}}{_END})"
    rf"|(?P<amount>{_ALONE}\d{{1,3}}(?:[ .,']\d{{3}}){{1,4}}(?:[.,]\d{{1,2}})?{_END})"
    rf"|(?P<code>{LETTER}{{1,6}}[-_/]?\d{{2,}}{_ALNUM}*(?:[-_/.]{_ALNUM}+)*"
    rf"|\d+[-_/]{_ALNUM}+(?:[-_/.]{_ALNUM}+)*)"
    rf"|(?P<run>[{_RUN}]+)"
    rf"|(?P<word>{_WORD}(?:'{_WORD})?){_COLON_ENDING}"
)

# One character for one character, so that places in the text stay what they were:
# full-width forms, the many spaces, hyphens and apostrophes.
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PLAIN |= dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\u3000"), ord(" "))
_PLAIN |= dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), ord("-"))
_PLAIN |= dict.fromkeys(map(ord, "`\u00b4\u2018\u2019\u02bc"), ord("'"))

_FOLDED = str.maketrans(
    dict(
        zip("ßøæœłđðþı", ["ss", "o", "ae", "oe", "l", "d", "d", "th", "i"], strict=True)
    )
)
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»「」『』＂", '"'))
_INVISIBLE = str.maketrans(dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_LONG = (("ä", "ae"), ("ö", "oe"), ("ø", "oe"), ("ü", "ue"), ("å", "aa"))
_HYPHENS = frozenset("-\u2010\u2011")
_HAS_LETTER = re.compile(r"[^\W\d_]")
_HAS_DIGIT = re.compile(r"\d")
_PIECE = re.compile(r"[^\W\d_]+|\d+")
_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_AMOUNT = re.compile(r"(\d{1,3}(?:[ .,']\d{3})+|\d+)(?:[.,](\d{1,2}))?")
_MAIL_PART = re.compile(r"[._+-]+")
_TWO_DIGIT_COUNTRIES = {
    *map(str, [20, 27, *range(30, 35), 36, 39, 40, 41, *range(43, 50), *range(51, 59)]),
    *map(str, [*range(60, 67), 81, 82, 84, 86, *range(90, 96), 98]),
}


class Token(NamedTuple):
    """A piece of text, its kind and its place in the original, endings included."""

    kind: str  # email, date, phone, amount, code, run or word
    text: str
    start: int
    end: int


def straighten(query: str) -> str:
    """Write the quotes of every language and keyboard as straight ones."""
    return query.translate(_QUOTES)


def tokenise(text: str) -> Iterator[Token]:
    """Yield the tokens of a text in order; time is linear in its length."""
    for match in _TOKEN.finditer(text.translate(_PLAIN)):
        kind = match.lastgroup or "word"
        found = match[kind]
        if kind == "word" and _HAS_DIGIT.search(found) and _HAS_LETTER.search(found):
            kind = "code"
        yield Token(kind, found, match.start(), match.end())


def fold(text: str) -> str:
    """Return the text without case, accents and compatibility forms, unspaced.

    Letters that Unicode does not decompose (ß, ø, æ, œ, ł, đ, þ, ı) are spelt out.
    """
    text = text.replace("'", "")
    if text.isascii():
        return "".join(text.lower().split())
    plain = unicodedata.normalize("NFKC", text).lower().translate(_FOLDED)
    letters = unicodedata.normalize("NFKD", plain.translate(_INVISIBLE))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return "".join(unicodedata.normalize("NFC", bare).split())


def word_of(token: Token) -> str:
    """Return a word in lower case with its accents, as dictionaries spell it."""
    plain = unicodedata.normalize("NFC", token.text).lower().translate(_INVISIBLE)
    return plain[:MAX_TOKEN]


def run_of(token: Token) -> str:
    """Return a run of an unspaced script in its usual form, accents kept."""
    return unicodedata.normalize("NFKC", token.text).lower()


def pairs(run: str) -> list[str]:
    """Return the overlapping pairs of characters of a run, or its one character."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def surfaces(token: Token) -> list[str]:
    """Return the folded tokens that stand one after the other for this token."""
    if token.kind == "word":
        found = [fold(token.text)[:MAX_TOKEN]]
    elif token.kind == "run":
        found = pairs(run_of(token))
    else:
        found = [fold(part)[:MAX_TOKEN] for part in re.split(r"[\W_]+", token.text)]
    return [surface for surface in found if surface]


def identifier_forms(token: Token) -> set[str]:
    """Return every normal form under which an address, number or code is found."""
    if token.kind == "email":
        whole = fold(token.text)
        local, _, domain = whole.partition("@")
        forms = {whole, local, domain}
        forms.update(_MAIL_PART.split(local), domain.split(".")[:-1])
    elif token.kind == "phone":
        forms = phone_forms(token.text)
    elif token.kind == "amount":
        forms = amount_forms(token.text)
    elif token.kind in {"code", "date"}:
        whole = fold(token.text)
        forms = {whole, re.sub(r"[\W_]+", "", whole), *re.split(r"[\W_]+", whole)}
        forms.update(piece for piece in code_pieces(whole) if len(piece) > 1)
        if day := _DAY.fullmatch(whole):
            # 5.3.2026 and 2026-03-05 are one day.
            forms.add(f"{day[3]}{day[2]:0>2}{day[1]:0>2}")
    else:
        forms = set()
    return {form[:MAX_TOKEN] for form in forms if form}


def code_pieces(code: str) -> list[str]:
    """Return the runs of letters and of digits that a folded code is made of."""
    return _PIECE.findall(code)


def without_umlaut_pairs(word: str) -> str:
    """Return muller for the folded word mueller, as it is typed without an umlaut."""
    for pair, letter in (("ae", "a"), ("oe", "o"), ("ue", "u")):
        word = word.replace(pair, letter)
    return word


def joined_words(text: str, before: Token | None, token: Token) -> str | None:
    """Return two words of a text that a hyphen joins as one; None for others."""
    if before is None or (before.kind, token.kind) != ("word", "word"):
        return None
    if text[before.end : token.start] not in _HYPHENS:
        return None
    return word_of(before) + word_of(token)


def other_spellings(word: str, typed: str) -> set[str]:
    """Return müller for mueller and mueller for müller, both folded."""
    long = typed.lower()
    for sign, pair in _LONG:
        long = long.replace(sign, pair)
    return {without_umlaut_pairs(word), fold(long)} - {word, ""}


def amount_forms(number: str) -> set[str]:
    """Return an amount without its separators: 12500 for "12 500" and "12.500,00".

    Cents that are not zero are kept besides, after a dot.
    """
    found = _AMOUNT.fullmatch(number.strip())
    if found is None:
        return set()
    whole = re.sub(r"\D", "", found[1])
    cents = (found[2] or "").ljust(2, "0")
    return {whole} if cents == "00" else {whole, f"{whole}.{cents}"}


def phone_forms(number: str) -> set[str]:
    """Return the digits of a phone number: international, national and bare.

    Country codes are those of ITU-T E.164, where no code is the beginning of another.
    """
    number = number.strip()
    international = number.startswith(("+", "00"))
    if international:
        number = number.replace("(0)", "")
    digits = "".join(
        str(unicodedata.digit(sign, "")) for sign in number if sign.isdigit()
    )
    if not international:
        bare = digits.removeprefix("0")
        return {form for form in (digits, bare) if form}
    digits = digits.removeprefix("00")
    if digits[:1] in {"1", "7"}:
        bare = digits[1:]
    else:
        bare = digits[2 if digits[:2] in _TWO_DIGIT_COUNTRIES else 3 :]
    return {form for form in (digits, bare and "0" + bare, bare) if len(form) > 1}


def number_endings(forms: set[str]) -> set[str]:
    """Return the last 4 and more digits of each long number, marked with `~`."""
    return {
        "~" + form[cut:]
        for form in forms
        if len(form) >= 7 and form.isdigit()
        for cut in range(len(form) - 3)
    }

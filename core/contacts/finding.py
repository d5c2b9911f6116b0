"""How contacts are found exactly: folded names, phone numbers, and the index of keys.

`contact_key` holds one row for each way in. Its values compare by code point on both
databases, so "starts with" is a range of one index.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import phonenumbers
import sqlalchemy as sa
from babel import Locale

from core import settings
from core.contacts.models import Contact, ContactKey

# Letters that Unicode does not take apart into a letter and a mark.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"}
)
_WORD = re.compile(r"\w+")
# From here on scripts write without spaces between words: each sign may begin one.
_UNSPACED = "\u2e80"
_MOST_WORDS, _LONGEST_WORD = 24, 60
_LAST = "\U0010ffff"
# Unicode categories of what has no width: marks, format and control characters.
_SILENT = frozenset({"Mn", "Cf", "Cc", "Cs"})
# So many digits are enough to look for the end of a number.
_ENDING = 4
# The ids of contacts, each as often as it is meant.
Meant = sa.Select[int] | sa.CompoundSelect[int]
_ALSO_CALLED = {"uk": "GB", "usa": "US", "the netherlands": "NL"}


def fold(text: str) -> str:
    """Take case, accents and what cannot be seen out of `text`, to sort and compare."""
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(
        one
        for one in apart
        if one.isspace() or unicodedata.category(one) not in _SILENT
    )
    folded = unicodedata.normalize("NFC", bare).translate(_LETTERS)
    return " ".join(folded.split())


def words_of(text: str) -> list[str]:
    """Give the words of `text` as the index keeps them."""
    found: dict[str, None] = {}
    for word in _WORD.findall(fold(text)):
        starts = range(len(word)) if word[0] >= _UNSPACED else range(1)
        for start in starts:
            found[word[start : start + _LONGEST_WORD]] = None
    return list(found)[:_MOST_WORDS]


def normal_phone(number: str, region: str) -> str:
    """Write a phone number in E.164, as dialled from `region` (ISO 3166, two letters).

    What is no number of any numbering plan, such as an extension, is its digits.
    """
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return _digits(number)
    if not phonenumbers.is_possible_number(parsed):
        return _digits(number)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _digits(text: str) -> str:
    return "".join(str(unicodedata.digit(one)) for one in text if one.isdigit())


def region_of(addresses: Sequence[Mapping[str, Any]], default: str) -> str:
    """Say from which country a contact's numbers are dialled: its first address's."""
    for address in addresses:
        country = str(address.get("country") or "").strip()
        if country:
            return _regions().get(country.casefold(), default)
    return default


@lru_cache(maxsize=1)
def _regions() -> dict[str, str]:
    """Give the two-letter codes of countries by code and by name in our languages."""
    found = dict(_ALSO_CALLED)
    for language in ("en", "fi", "zh"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                found[name.casefold()] = code
                found[code.casefold()] = code
    return found


def keys_of(contact: Contact, region: str) -> set[tuple[str, str]]:
    """Give all the ways in which `contact` is found, as (kind, value)."""
    names = [contact.name, contact.given_name, contact.family_name]
    found = {("word", word) for word in words_of(" ".join(names))}
    found |= {("email", str(one["address"]).lower()) for one in contact.emails}
    home = region_of(contact.addresses, region)
    for phone in contact.phones:
        number = normal_phone(str(phone["number"]), home)
        found |= {("phone", number), ("phone_end", number.lstrip("+")[::-1])}
    found |= {("role", one) for one in contact.roles}
    found |= {("tag", fold(one)[:_LONGEST_WORD]) for one in contact.tags}
    return {(kind, value[:254]) for kind, value in found if value}


def index_contact(contact: Contact) -> None:
    """Keep the rows by which `contact` is found in step with its values."""
    region = str(settings.get("contacts")["region"])
    wanted = keys_of(contact, region)
    kept = [one for one in contact.keys if (one.kind, one.value) in wanted]
    new = wanted - {(one.kind, one.value) for one in kept}
    contact.keys = kept + [ContactKey(kind=k, value=v) for k, v in sorted(new)]


def with_key(kind: str, value: str) -> sa.ColumnElement[bool]:
    """Say as SQL that a contact has exactly this key."""
    found = _rows(ContactKey.kind == _seen(kind), ContactKey.value == _seen(value))
    return Contact.id.in_(found)


def with_tag(tag: str) -> sa.ColumnElement[bool]:
    """Say as SQL that a contact has this tag, however it is written."""
    return with_key("tag", fold(tag)[:_LONGEST_WORD])


def _rows(*conditions: sa.ColumnElement[bool]) -> sa.Select[int]:
    return sa.select(ContactKey.contact_id).where(*conditions)


def _starts(beginning: str, *kinds: str) -> sa.Select[int]:
    value = ContactKey.value
    return _rows(
        ContactKey.kind.in_(kinds),
        value >= _seen(beginning),
        value < _seen(beginning + _LAST),
    )


def _seen(value: str) -> sa.BindParameter[str]:
    # Written into the statement, since the best way to a rare word is the worst to a
    # common one: the database has to see which it is when it plans.
    return sa.bindparam(None, value, sa.String, unique=True, literal_execute=True)


def _any_of(found: Sequence[sa.Select[int]]) -> Meant:
    # One sub-query, since databases look up the parts of an OR row by row.
    return found[0] if len(found) == 1 else sa.union(*found)


@lru_cache(maxsize=256)
def meant(text: str, region: str) -> tuple[Meant, ...]:
    """Select the ids that each part of what somebody types into the filter may mean.

    Every word must begin a word of the name or an e-mail address; a number may be the
    beginning or the end of a phone number. Of text without a word there is none.
    """
    if "@" in text:
        return tuple(_starts(one.lower(), "email") for one in text.split())
    words = words_of(text)
    if looks_like_phone(text):
        return (_any_of([*_phone(text, region), _starts(words[0], "word")]),)
    return tuple(_starts(one, "word", "email") for one in words)


def matching(
    text: str, region: str, *, common: bool = False
) -> list[sa.ColumnElement[bool]]:
    """Say as SQL which contacts somebody means who types `text` into the filter.

    Of what is known to be `common` the ids are gathered once, and the list is read in
    its order until a page is full; else they are looked up, and sorted.
    """
    found: list[sa.ColumnElement[bool]]
    found = [Contact.id.in_(one) for one in meant(text, region)]
    if common:
        # A bare IN may be turned into a look-up for each contact; this may not.
        found = [one.is_(sa.true()) for one in found]
    return found or [sa.false()]


def as_typed(text: str) -> dict[str, str]:
    """Say which part of a new contact somebody typed: a number, an address, a name."""
    words = text.strip()
    if looks_like_phone(words):
        return {"phone": words}
    if re.fullmatch(r"[^@\s]+@[^@\s]+", words):
        return {"email": words}
    return {"name": words} if words else {}


def looks_like_phone(text: str) -> bool:
    """Say whether a text is written as a phone number, or as a part of one."""
    return bool(re.fullmatch(r"\+?[\d\s()./-]{3,40}", text)) and bool(_digits(text))


def _phone(text: str, region: str) -> list[sa.Select[int]]:
    digits = _digits(text)
    if text.startswith("+"):
        beginning = f"+{digits}"
    elif digits.startswith("00"):
        beginning = f"+{digits[2:]}"
    elif digits.startswith("0"):
        code = phonenumbers.country_code_for_region(region)
        beginning = f"+{code}{digits[1:]}"
    else:
        beginning = digits
    found = [_starts(beginning, "phone")]
    ending = digits.lstrip("0")
    if len(ending) >= _ENDING:
        found.append(_starts(ending[::-1], "phone_end"))
    return found

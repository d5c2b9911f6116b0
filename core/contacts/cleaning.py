"""Take what people typed about a contact, or say field by field why not.

Every door brings its values here: forms, API, imports, mail. A wrong value of one
field never hides a wrong value of another.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from core.i18n import _

ROLES = ("customer", "vendor", "prospect")
ADDRESS_FIELDS = ("label", "street", "postcode", "city", "region", "country")

# The longest text of each field, in characters.
LONGEST = {
    "name": 200,
    "given_name": 100,
    "family_name": 100,
    "job_title": 100,
    "next_step": 300,
    "know_first": 10_000,
}
# Fields whose line breaks are the author's own.
_MANY_LINES = {"know_first", "street"}
MOST_ENTRIES, MOST_TAGS, MOST_CUSTOM = 20, 50, 50
_LABEL, _PART, _TAG, _PHONE, _CUSTOM = 40, 200, 60, 40, 2_000
# The name before the @ of nearly every address; the library looks at all others whole.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*")
_LONGEST_LOCAL, _LONGEST_PLAIN = 64, 200
_LANGUAGE = re.compile(r"([a-z]{2}([_-][A-Za-z]{2})?)?")
_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")

Messages = dict[str, list[str]]


class Refused(Exception):
    """One value that cannot be taken; `path` names its part of the field."""

    def __init__(self, said: str, path: str = ""):
        """Say why, in a sentence."""
        super().__init__(said)
        self.path = path


def clean(values: Mapping[str, Any]) -> tuple[dict[str, Any], Messages]:
    """Give `values` as the columns of a contact keep them, and what is wrong.

    A field with a message is missing from the values. Raises `LookupError` for a
    field that contacts do not have.
    """
    found: dict[str, Any] = {}
    errors: Messages = {}
    for name, value in values.items():
        try:
            found[name] = _CLEANERS[name](value)
        except Refused as refused:
            path = f"{name}.{refused.path}" if refused.path else name
            errors[path] = [str(refused)]
    return found, errors


def text_of(value: object, longest: int, *, lines: bool = False) -> str:
    """Trim text, on one line unless `lines`; else every character stays as it is.

    Raises `Refused` for what the database cannot hold and when it is too long.
    """
    text = str(value or "")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Refused(_("This contains a character that is not text.")) from error
    if "\x00" in text:
        raise Refused(_("This contains a character that is not text."))
    if lines:
        text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    else:
        text = _BREAKS.sub(" ", text.strip())
    if len(text) > longest:
        said = _("This is longer than %(num)d characters.", num=longest)
        raise Refused(said)
    return text


def _text(name: str) -> Callable[[Any], str]:
    return lambda value: text_of(value, LONGEST[name], lines=name in _MANY_LINES)


def _listed(value: Any, most: int = MOST_ENTRIES) -> list[Any]:
    entries = list(value or [])
    if len(entries) > most:
        raise Refused(_("At most %(num)d fit here.", num=most))
    return entries


def _emails(value: Any) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for at, entry in enumerate(_listed(value)):
        given = entry if isinstance(entry, Mapping) else {"address": entry}
        try:
            address = email_address(str(given.get("address") or ""))
        except Refused as refused:
            raise Refused(str(refused), f"{at}.address") from refused
        label = _part(given.get("label"), _LABEL, f"{at}.label")
        found.setdefault(address.lower(), {"address": address, "label": label})
    return list(found.values())


def email_address(text: str) -> str:
    """Check an e-mail address, without asking the network; raises `Refused`."""
    text = text.strip()
    if not text.rpartition("@")[0]:
        raise Refused(_("Write an e-mail address such as pekka@example.com."))
    if text.endswith("@"):
        said = _("This e-mail has no domain: %(email)s", email=text[:100])
        raise Refused(said)
    local, _at, domain = text.rpartition("@")
    try:
        short = len(local) <= _LONGEST_LOCAL and len(text) <= _LONGEST_PLAIN
        # Names such as info@ are written small by the library, whoever they are of.
        usual = local.lower() not in CASE_INSENSITIVE_MAILBOX_NAMES
        if short and usual and _PLAIN_LOCAL.fullmatch(local):
            return f"{local}@{_checked_domain(domain)}"
        return str(validate_email(text, check_deliverability=False).normalized)
    except EmailNotValidError as error:
        said = _("This is not an e-mail address: %(email)s", email=text[:100])
        raise Refused(said) from error


@lru_cache(maxsize=5_000)
def _checked_domain(domain: str) -> str:
    """Check a domain once: a file has thousands of addresses in a few of them."""
    found = validate_email(f"x@{domain}", check_deliverability=False)
    return str(found.domain)


def _phones(value: Any) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for at, entry in enumerate(_listed(value)):
        given = entry if isinstance(entry, Mapping) else {"number": entry}
        number = _part(given.get("number"), _PHONE, f"{at}.number")
        if sum(one.isdigit() for one in number) < 2:
            said = _("Write a phone number such as +358 40 123 4567.")
            raise Refused(said, f"{at}.number")
        label = _part(given.get("label"), _LABEL, f"{at}.label")
        found.setdefault(number, {"number": number, "label": label})
    return list(found.values())


def _addresses(value: Any) -> list[dict[str, Any]]:
    found = []
    for at, entry in enumerate(_listed(value)):
        parts = {
            name: _part(entry.get(name), _PART, f"{at}.{name}", name in _MANY_LINES)
            for name in ADDRESS_FIELDS
        }
        if any(value for name, value in parts.items() if name != "label"):
            found.append(parts)
    return found


def _part(value: Any, longest: int, path: str, lines: bool = False) -> str:
    try:
        return text_of(value, longest, lines=lines)
    except Refused as refused:
        raise Refused(str(refused), path) from refused


def _roles(value: Any) -> list[str]:
    given = set(_listed(value))
    if given - set(ROLES):
        raise Refused(_("Choose customer, vendor or prospect."))
    return [one for one in ROLES if one in given]


def _tags(value: Any) -> list[str]:
    found: dict[str, str] = {}
    for entry in _listed(value, MOST_TAGS):
        tag = text_of(entry, _TAG)
        if tag:
            found.setdefault(tag.casefold(), tag)
    return sorted(found.values(), key=str.casefold)


def _custom(value: Any) -> dict[str, Any]:
    given = dict(value or {})
    if len(given) > MOST_CUSTOM:
        raise Refused(_("At most %(num)d fit here.", num=MOST_CUSTOM))
    return {text_of(name, _TAG): _plain(name, one) for name, one in given.items()}


def _plain(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _part(value, _CUSTOM, name, lines=True)
    raise Refused(_("Write text, a whole number, true or false."), name)


def _language(value: Any) -> str:
    text = text_of(value, 5)
    if not _LANGUAGE.fullmatch(text):
        raise Refused(_("Write a language code such as fi or zh."))
    return text


def _website(value: Any) -> str:
    text = text_of(value, 190)
    if not text:
        return ""
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        sound = parts.scheme in {"http", "https"} and "." in (parts.hostname or "")
    except ValueError:
        sound = False
    if not sound or " " in text:
        raise Refused(_("Write a web address such as https://www.example.com."))
    return text


def day_of(value: Any) -> date | None:
    """Read a day; nothing is None. Raises `Refused`."""
    if value is None or value == "":
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise Refused(_("Write a date such as 2026-03-05.")) from error


_CLEANERS: dict[str, Callable[[Any], Any]] = {
    **{name: _text(name) for name in LONGEST},
    "emails": _emails,
    "phones": _phones,
    "addresses": _addresses,
    "roles": _roles,
    "tags": _tags,
    "custom": _custom,
    "language": _language,
    "website": _website,
    "do_not_contact": bool,
    "next_step_on": day_of,
}

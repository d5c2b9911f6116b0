"""Who a mail goes to: addresses that are addresses, names that stay in their line."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from core.errors import Invalid
from core.i18n import _

MOST = 200


@dataclass(frozen=True)
class Recipient:
    """Somebody a mail goes to."""

    address: str
    name: str = ""


def check_line(field: str, text: str) -> str:
    """Give `text` back when it is one line; a second one could be another header.

    Raises `Invalid` for line breaks and other characters that control.
    """
    if any(unicodedata.category(one) in {"Cc", "Zl", "Zp", "Cs"} for one in text):
        raise Invalid(errors={field: [_("This must be one line of text.")]})
    return text


def check_recipients(
    field: str, given: Iterable[Recipient | str]
) -> list[dict[str, str]]:
    """Give the recipients as they are stored; raises `Invalid` for a wrong address."""
    found = []
    for one in given:
        recipient = Recipient(one) if isinstance(one, str) else one
        address = _read(field, recipient.address).normalized
        name = check_line(field, recipient.name.strip())[:200]
        found.append({"address": address, "name": name})
    if len(found) > MOST:
        said = _("A mail goes to at most %(num)d addresses.", num=MOST)
        raise Invalid(errors={field: [said]})
    return found


def _read(field: str, address: str) -> ValidatedEmail:
    try:
        # Before the validator strips it, a line break at the end is still seen.
        check_line(field, address)
        return validate_email(address, check_deliverability=False)
    except (EmailNotValidError, Invalid) as error:
        said = _("This is not an e-mail address: %(email)s", email=address[:100])
        raise Invalid(errors={field: [said]}) from error


def for_server(address: str) -> str:
    """Write an address for a mail server: its domain in letters every server knows.

    What stays outside ASCII after that is the part before the @; only a server that
    offers SMTPUTF8 takes it.
    """
    found = validate_email(address, check_deliverability=False)
    return found.ascii_email or f"{found.local_part}@{found.ascii_domain}"

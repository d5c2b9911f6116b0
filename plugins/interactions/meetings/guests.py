"""Who can be invited, and who exactly is meant by what a form or a program names."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from email.utils import getaddresses
from typing import Any

import sqlalchemy as sa

from core import settings
from core.contacts.models import Affiliation, Contact, ContactKey
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.interactions.models import Interaction
from core.mail.addresses import Recipient, check_recipients
from core.users.models import User
from core.visibility import visible_to
from plugins.interactions.meetings.models import Attendee, Meeting
from plugins.interactions.meetings.wishes import Guest, language_of, one_line

# More people of the firms it is about are not offered by name.
MOST_PEOPLE, MOST_COLLEAGUES = 50, 300


def colleagues_to_invite(user: User) -> list[tuple[int, str]]:
    """Offer the other colleagues, by id and name."""
    query = (
        sa.select(User.id, User.name)
        .where(User.kind == "staff", User.active, User.id != user.id)
        .order_by(User.name)
        .limit(MOST_COLLEAGUES)
    )
    return [(row.id, row.name) for row in db.session.execute(query)]


def people_to_invite(user: User, entry: Interaction) -> list[Contact]:
    """Offer whom an entry concerns, and the people of those firms, with an e-mail."""
    about = entry.contact_ids
    belong = sa.select(Affiliation.person_id).where(
        Affiliation.organisation_id.in_(about), Affiliation.active
    )
    query = (
        visible_to(user, Contact)
        .where(sa.or_(Contact.id.in_(about), Contact.id.in_(belong)))
        .order_by(Contact.kind.desc(), Contact.sort_name, Contact.id)
        .limit(MOST_PEOPLE)
    )
    return [one for one in db.session.scalars(query) if one.emails]


def chosen_guests(
    user: User,
    *,
    users: Sequence[int] = (),
    contacts: Sequence[int] = (),
    others: Iterable[Recipient] = (),
    kept: Meeting | None = None,
) -> tuple[Guest, ...]:
    """Say who is meant, each address once.

    An address that is a colleague's or a visible contact's is theirs. Who is `kept`
    may be named again though `user` would not see them to choose. Raises `Invalid`
    for who cannot be invited.
    """
    rows = kept.expected if kept else []
    by_user = {one.user_id: one for one in rows if one.user_id}
    by_contact = {one.contact_id: one for one in rows if one.contact_id}
    by_address = {one.address.lower(): one for one in rows}
    typed = _checked(others)
    found = [
        *(as_guest(by_user[one]) for one in users if one in by_user),
        *(as_guest(by_contact[one]) for one in contacts if one in by_contact),
        *_colleagues([one for one in users if one not in by_user]),
        *_people(user, [one for one in contacts if one not in by_contact]),
    ]
    for one in typed:
        row = by_address.get(one.address.lower())
        found.append(as_guest(row) if row else _by_address(user, one))
    return tuple({one.key: one for one in reversed(found)}.values())[::-1]


def as_guest(one: Attendee) -> Guest:
    """Give somebody who is invited already, as they were invited."""
    return Guest(one.address, one.name, one.user_id, one.contact_id, one.language)


def hidden_guests(user: User, meeting: Meeting) -> set[int]:
    """Say which guests are contacts that `user` may not know of."""
    ids = {one.contact_id for one in meeting.expected if one.contact_id}
    if not ids:
        return set()
    query = visible_to(user, Contact, trashed=True).where(Contact.id.in_(ids))
    known = set(db.session.scalars(query.with_only_columns(Contact.id)))
    return {one.id for one in meeting.expected if one.contact_id in ids - known}


def shown_to(
    user: User, listed: Sequence[Guest], meeting: Meeting | None
) -> list[Guest]:
    """Leave out of a list who is a contact that `user` may not know of."""
    hidden = hidden_guests(user, meeting) if listed and meeting else set()
    rows = meeting.expected if meeting else []
    keys = {one.address.lower() for one in rows if one.id in hidden}
    return [
        replace(one, name=str(_("A guest")), address="") if one.key in keys else one
        for one in listed
    ]


def _house_language() -> str:
    return str(settings.get("house")["language"])


def _colleagues(ids: Sequence[int]) -> list[Guest]:
    if not ids:
        return []
    query = sa.select(User).where(User.id.in_(ids), User.kind == "staff", User.active)
    found = db.session.scalars(query).all()
    if len(found) < len(set(ids)):
        said = _("Choose colleagues who have an account.")
        raise Invalid(errors={"users": [said]})
    return [_colleague(one) for one in found]


def _colleague(user: User) -> Guest:
    return Guest(
        user.email, user.name, user_id=user.id, language=language_of(user.language)
    )


def _people(user: User, ids: Sequence[int]) -> list[Guest]:
    if not ids:
        return []
    query = visible_to(user, Contact).where(Contact.id.in_(ids))
    found = db.session.scalars(query).all()
    missing = set(ids) - {one.id for one in found}
    if missing:
        named = ", ".join(str(one) for one in sorted(missing))
        said = _("There is no contact %(ids)s.", ids=named)
        raise Invalid(errors={"contacts": [said]})
    without = [one.name for one in found if not one.emails]
    if without:
        said = _("%(names)s: there is no e-mail address.", names=", ".join(without))
        raise Invalid(errors={"contacts": [said]})
    return [_person(one) for one in found]


def _person(contact: Contact, address: str = "") -> Guest:
    marks = (_("does not want to be contacted"),) if contact.do_not_contact else ()
    return Guest(
        address or contact.emails[0]["address"],
        contact.name,
        contact_id=contact.id,
        language=language_of(contact.language, _house_language()),
        marks=tuple(str(one) for one in marks),
    )


def _checked(others: Iterable[Recipient]) -> list[Recipient]:
    plain = [Recipient(one.address, one_line(one.name)) for one in others]
    return [
        Recipient(one["address"], one["name"])
        for one in check_recipients("others", plain)
    ]


def _by_address(user: User, one: Recipient) -> Guest:
    colleague = db.session.scalar(
        sa.select(User).where(
            User.email == one.address.lower(), User.kind == "staff", User.active
        )
    )
    if colleague is not None:
        return _colleague(colleague)
    keys = sa.select(ContactKey.contact_id).where(
        ContactKey.kind == "email", ContactKey.value == one.address.lower()
    )
    query = visible_to(user, Contact).where(Contact.id.in_(keys))
    contact = db.session.scalars(query.order_by(Contact.kind.desc()).limit(1)).first()
    if contact is not None:
        return _person(contact, one.address)
    marks = (str(_("unknown address")),)
    return Guest(one.address, one.name, language=_house_language(), marks=marks)


def read_addresses(text: str) -> list[Recipient]:
    """Read addresses as people type them, one a line or with commas between."""
    rows = text.replace(";", ",").replace("\r", "\n").split("\n")
    pairs = getaddresses([row for row in rows if row.strip(" ,")])
    return [Recipient(address, name) for name, address in pairs if address or name]


def digest_of(guests: Iterable[Guest]) -> str:
    """Name a list of guests, so that a yes is a yes to exactly these."""
    listed = "\n".join(sorted(f"{one.key} {one.marks}" for one in guests))
    return hashlib.sha256(listed.encode()).hexdigest()


def as_typed(meeting: Meeting) -> dict[str, Any]:
    """Give the guests of a meeting as its form shows them."""
    guests = meeting.expected
    return {
        "users": [one.user_id for one in guests if one.user_id],
        "contacts": [one.contact_id for one in guests if one.contact_id],
        "others": "\n".join(
            f"{one.name} <{one.address}>" if one.name else one.address
            for one in guests
            if not one.user_id and not one.contact_id
        ),
    }

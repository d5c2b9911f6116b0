"""Whom an entry is about: its contact, further ones, those of what it answers."""

from collections.abc import Iterable

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.interactions.models import Interaction, InteractionContact
from core.users.models import User
from core.visibility import visible_to


def concerned(
    contacts: Contact | Iterable[Contact],
    parent: Interaction | None,
    spec: AudienceSpec,
) -> list[int]:
    """Give the ids of all contacts that a new entry is about, each once."""
    given = [contacts] if isinstance(contacts, Contact) else contacts
    inherited = parent.contact_ids if parent else []
    # Each once, in order; a reply belongs where what it answers belongs.
    ids = [*inherited, *(one.id for one in given), *sorted(spec.shared_with)]
    return list(dict.fromkeys(ids))


def change_contacts(
    interaction: Interaction, contacts: Iterable[Contact], actor: User | None
) -> None:
    """Say whom an entry is about; who may read it, and what it answers, stay."""
    wanted = [one.id for one in contacts]
    if not wanted and interaction.parent_id is None:
        raise Invalid(errors={"contacts": [_("Say whom this is about.")]})
    parent = parent_of(interaction)
    stay = {*wanted, *interaction.audience.shared_with}
    stay |= set(parent.contact_ids) if parent else set()
    gone = {one.contact_id for one in interaction.links} - stay
    if gone and actor is not None:
        # Whom somebody cannot see they do not take away either.
        seen = visible_to(actor, Contact).with_only_columns(Contact.id)
        gone &= set(db.session.scalars(seen.where(Contact.id.in_(gone))))
    kept = [one for one in interaction.links if one.contact_id not in gone]
    interaction.links = kept
    if interaction.contact_id in gone:
        interaction.contact_id = wanted[0] if wanted else None
    link(interaction, wanted)


def link(interaction: Interaction, contact_ids: Iterable[int]) -> None:
    """Have an entry be about further contacts."""
    known = {one.contact_id for one in interaction.links}
    interaction.links.extend(
        InteractionContact(contact_id=one, occurred_at=interaction.occurred_at)
        for one in contact_ids
        if one not in known
    )
    if interaction.contact_id is None and interaction.links:
        interaction.contact_id = interaction.links[0].contact_id


def parent_of(interaction: Interaction) -> Interaction | None:
    """Give what an entry answers."""
    if interaction.parent_id is None:
        return None
    return db.session.get(Interaction, interaction.parent_id)

"""What one does with contacts: add, change, join, find, put away and bring back."""

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core.contacts.models import Affiliation, Contact


def rollup_ids(contact: Contact) -> sa.Select[tuple[int]]:
    """Select the ids of the contacts whose story is also the story of `contact`.

    A person stands for themself. An organisation stands for itself, the organisations
    below it at any depth, and the people who belong to any of them now. What lies in
    the trash is left out, except `contact` itself. Roll-up adds no readers: what it
    finds still has to pass `visible_to`.
    """
    if contact.kind == "person":
        return sa.select(Contact.id).where(Contact.id == contact.id)
    tree = (
        sa.select(Contact.id)
        .where(Contact.id == contact.id)
        .cte("tree", recursive=True)
    )
    child = aliased(Contact)
    # UNION without ALL ends even where two organisations name each other as parent.
    tree = tree.union(
        sa.select(child.id)
        .join(tree, child.parent_id == tree.c.id)
        .where(child.trashed_at.is_(None))
    )
    person = aliased(Contact)
    people = (
        sa.select(person.id)
        .join(Affiliation, Affiliation.person_id == person.id)
        .join(tree, Affiliation.organisation_id == tree.c.id)
        .where(Affiliation.active, person.trashed_at.is_(None))
    )
    found = sa.union(sa.select(tree.c.id), people).subquery("story")
    return sa.select(found.c.id)

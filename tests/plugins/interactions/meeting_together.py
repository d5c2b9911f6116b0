"""An entry on several contacts at once, as a meeting of theirs is."""

from collections.abc import Iterable

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.interactions.services import write_interaction
from core.users.models import User


def meet(author: User, contacts: Iterable[Contact], body: str) -> None:
    """Write for every colleague that `contacts` met."""
    with db.transaction() as session:
        write_interaction(
            [session.get_one(Contact, one.id) for one in contacts],
            author=session.get_one(User, author.id),
            body=body,
            audience=AudienceSpec("staff"),
        )

"""Entries in the trash, for those who may take them out."""

from core.errors import NotFound
from core.interactions.models import Interaction
from core.interactions.rules import may_change
from core.users.models import User
from core.visibility import get_visible


def entry_or_trashed(user: User, interaction_id: int) -> Interaction:
    """Give an entry that `user` sees; in the trash only to who may take it out.

    Raises `NotFound` for any other.
    """
    entry = get_visible(user, Interaction, interaction_id, trashed=True)
    if entry.trashed_at is not None and not may_change(user, entry):
        raise NotFound
    return entry

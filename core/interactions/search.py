"""How an interaction is titled, linked and found."""

from sqlalchemy.orm import selectinload

from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.interactions import permissions
from core.interactions.addresses import page_of
from core.interactions.models import Interaction
from core.interactions.taking_back import UNDO
from core.kinds import kind_of
from core.markup import to_text
from core.records import RecordType, SearchDocument
from core.users.models import User

# What can be put back, and how it is called.


def label(interaction: Interaction) -> str:
    """Title an entry by its kind and whom it is about: "Note · Kallion Vesijohto"."""
    kind = kind_of(interaction.kind)
    title = str(kind.title) if kind else interaction.kind.capitalize()
    if interaction.contact is None:
        return title
    return str(_("%(kind)s · %(name)s", kind=title, name=interaction.contact.name))


def address(interaction: Interaction, _user: User) -> str | None:
    """Give the address of an entry's own page, if there is such a page."""
    return page_of(interaction)


def document(interaction: Interaction) -> SearchDocument | None:
    """Give the words of an entry; what lies in the trash is not found."""
    if interaction.trashed_at is not None:
        return None
    parts = [interaction.subject, to_text(interaction.body)]
    return SearchDocument(
        title=label(interaction),
        body="\n".join(part for part in parts if part),
        contact_id=interaction.contact_id,
        date=interaction.occurred_at,
        tags=tuple(one.tag for one in interaction.tags),
    )


RECORD = RecordType(
    Interaction,
    _l("Entry"),
    "chat-left-text",
    permissions.READ,
    label=label,
    url=address,
    document=document,
    undo=UNDO,
    loads=(selectinload(Interaction.tags), selectinload(Interaction.contact)),
    alike="body",
)

"""How an interaction is titled, linked and found."""

from flask import current_app

from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.interactions import permissions
from core.interactions.models import Interaction
from core.interactions.services import put_back_interaction
from core.links import url_for
from core.markup import to_text
from core.pages import interaction_kinds
from core.records import RecordType, SearchDocument, Undo
from core.users.models import User

# The page of an entry is a plugin's; without it entries have no address of their own.
PAGE = "interactions.show"
# What can be put back, and how it is called.
FIELDS = {
    "body": _l("Text"),
    "subject": _l("Subject"),
    "kind": _l("Kind"),
    "occurred_at": _l("When"),
    "pinned_at": _l("Pinned"),
    "trashed_at": _l("Trash"),
}


def label(interaction: Interaction) -> str:
    """Title an entry by its kind and whom it is about: "Note · Kallion Vesijohto"."""
    kind = interaction_kinds().get(interaction.kind)
    title = str(kind.title) if kind else interaction.kind.capitalize()
    if interaction.contact is None:
        return title
    return str(_("%(kind)s · %(name)s", kind=title, name=interaction.contact.name))


def address(interaction: Interaction, _user: User) -> str | None:
    """Give the address of an entry's own page, if there is such a page."""
    if PAGE not in current_app.view_functions:
        return None
    return url_for(PAGE, interaction_id=interaction.id)


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
    )


RECORD = RecordType(
    Interaction,
    _l("Entry"),
    "chat-left-text",
    permissions.READ,
    label=label,
    url=address,
    document=document,
    undo=Undo(permissions.WRITE, FIELDS, put_back_interaction),
)

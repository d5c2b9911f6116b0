"""How a contact is titled, linked and found."""

from core.contacts import permissions
from core.contacts.models import Contact
from core.contacts.taking_back import UNDO
from core.i18n import lazy_gettext as _l
from core.links import url_for
from core.records import RecordType, SearchDocument
from core.users.models import User


def address(contact: Contact, user: User) -> str | None:
    """Give the address of a contact's page, which is for colleagues."""
    if user.kind != "staff":
        return None
    return url_for("contacts.show", contact_id=contact.id)


def document(contact: Contact) -> SearchDocument | None:
    """Give the words of a contact; what lies in the trash is not found.

    The contact's own people outside find it too, so only what they also see are words:
    no tags, no next step, nothing of what colleagues are to know first.
    """
    if contact.trashed_at is not None:
        return None
    places = [
        " ".join(str(part) for name, part in one.items() if part and name != "label")
        for one in contact.addresses
    ]
    names = [contact.given_name, contact.family_name, contact.job_title]
    words = [*names, contact.website, *places]
    emails = [str(one["address"]) for one in contact.emails]
    phones = [str(one["number"]) for one in contact.phones]
    return SearchDocument(
        title=contact.name,
        body="\n".join(one for one in words if one),
        # Their name is what they are called by: they come before what is about them.
        identifiers=(contact.name, *emails, *phones),
        contact_id=contact.id,
        date=contact.updated_at,
        tags=tuple(contact.tags),
    )


RECORD = RecordType(
    Contact,
    _l("Contact"),
    "person-vcard",
    permissions.READ,
    label=lambda contact: contact.name,
    url=address,
    document=document,
    undo=UNDO,
)

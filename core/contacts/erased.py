"""What was erased for good stays as it is."""

from core.contacts.models import Contact
from core.errors import Conflict
from core.i18n import _


def refuse_erased(contact: Contact) -> None:
    """Raise `Conflict` for a contact whose data was erased."""
    if contact.erased_at is not None:
        raise Conflict(_("This was erased for good. Nothing brings it back."))

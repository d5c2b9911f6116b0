"""What a contact's page offers around accounts."""

from core.contacts.models import Contact
from core.db import Record
from core.i18n import lazy_gettext as _l
from core.links import url_for
from core.pages import Action
from core.users.models import User
from core.users.permissions import VIEW_AS


def actions(record: Record, _user: User) -> list[Action]:
    """Offer to see the portal as the people of a contact see it."""
    if not isinstance(record, Contact):
        return []
    url = url_for("viewing.choose", contact_id=record.id)
    return [Action(_l("View as customer"), url, VIEW_AS, icon="eye", weight=90)]

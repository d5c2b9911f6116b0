"""What the pages of the outgoing mail need."""

from core.i18n import lazy_gettext as _l
from core.permissions import Permission

MANAGE = Permission("mail:manage", _l("See the outgoing mail, cancel it, try again"))

"""What working with tickets needs."""

from core.i18n import lazy_gettext as _l
from core.permissions import Permission

READ = Permission("support:read", _l("See tickets"))
WRITE = Permission("support:write", _l("Open and answer tickets"))
